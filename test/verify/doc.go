// Package verify holds the tests of `oc ostoy-s3 verify` and `open`, and of verify
// as the last step of install: the executable against a real API server and an
// AWS that enforces tokens, trust and permissions. Each level passes where all is
// well and fails for each fault made for it.
//
// The tests share one bed and have a project each. What changes the whole bed
// (the provider in IAM) is not parallel, and so comes first.
package verify
