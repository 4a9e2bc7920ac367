// Package uninstall holds the end-to-end tests of `uninstall`: what goes, what
// stays and why, in which order, and that nothing of others and no data is
// touched. As in package e2e the executable is run as users run it, and what is
// then in the cluster and in AWS is what counts.
//
// Two beds: a ROSA cluster, which the tests share with a namespace each, and a
// plain Kubernetes whose controller is stopped, whose Bucket kind goes away and
// whose AWS refuses, one test after the other.
package uninstall
