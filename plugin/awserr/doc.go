// Package awserr says in the reader's terms what AWS answered: which right on
// which resource is missing, whose credentials ran out, what to type next.
//
// It stands below every package that calls AWS and calls nothing itself. What
// it returns never shows a key, a token or a signature, however AWS or the SDK
// worded the failure.
package awserr
