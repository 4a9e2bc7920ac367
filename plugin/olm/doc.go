// Package olm knows the Operator Lifecycle Manager: which catalogs offer a
// package and in which versions, what a Subscription has come to, which
// InstallPlan is the one that was asked for, and whether a ClusterServiceVersion
// is installed, still on its way, or never will be (FACTS 1.6).
//
// It knows nothing of ACK or AWS and decides nothing about what is to be
// installed. Its one write is the approval of one InstallPlan.
package olm
