// Package verify proves that an installed app reaches its bucket as its service
// account, and that AWS refuses what it tries beside that. It does what the
// app's pods do: it has the cluster issue a token for the service account,
// exchanges it at STS for the role, and reads and writes the bucket with that;
// then it tries what must be refused; then it uses the app's own pages.
//
// The use cases verify and install call it, with a connection to the cluster and
// the caller's AWS configuration. The caller's own AWS credentials serve two
// things only: to find another bucket of the account, and to remove the objects
// that were written. Without them verify goes on and says what it could not test.
//
// It never prints, and never changes anything in the cluster: the tokens it asks
// for are dry runs. Tokens and credentials never leave it, not even in errors. It
// knows nothing of how the role, the bucket and the app came to be, and does not
// look at policies: what AWS answers is all that counts.
//
// What pods and annotations say is compared with what the use case knows of the
// install. It never chooses the role, the account, or the audience of a token.
package verify
