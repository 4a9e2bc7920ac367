// Package status tells how an install is, or all of a cluster. It changes nothing.
//
// What it compares with is expected: the app as the last install was asked for it. look
// asks cluster and AWS and gives a Found; Of judges that and gives a Report, without
// asking anybody and without a clock of its own; printReport prints it. For all installs
// (all*.go) the same functions work on lists that are asked for once: each install is a
// Seen, and RowOf judges it.
//
// How an object is, package health says; what install would change, the plans of packages
// apply and iam. Here is only what becomes of them when one looks and does not act: what
// may not be seen is unknown, which is neither good nor bad.
package status
