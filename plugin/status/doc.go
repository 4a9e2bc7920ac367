// Package status makes, of what cluster and AWS say about an install, what a
// reader wants to know: how bucket, role, service account, pods and route are,
// and what is not as install would make it. It asks nobody, prints nothing and
// knows no clock: the time is given.
//
// How an object is, package health says; what install would change, the plans of
// packages apply and iam. Here is only what becomes of them when one looks and
// does not act: what may not be seen is unknown, which is neither good nor bad.
package status
