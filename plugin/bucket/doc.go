// Package bucket looks at the app's bucket with the caller's own AWS rights
// before anything is touched, and says whose it is (Look) and whether the app
// may have it (Guard).
//
// Bucket names are global, and OSToy's can be guessed from the project's name.
// The Bucket object adopts whatever bucket of that name the account has, so this
// look is the guard that keeps a stranger's data from being adopted. In us-east-1
// there is no second one: there CreateBucket for a bucket one has already
// succeeds.
//
// When the app goes, it counts what is in the bucket (Count), removes the bucket
// if nothing is (Remove), and deletes data where it is told to (Empty). Every
// request names the account the bucket must be of. It never makes or changes a
// bucket, and does not know whether data may go: that is for its caller to ask.
package bucket
