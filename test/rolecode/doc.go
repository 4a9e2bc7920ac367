// Package rolecode reads what `oc ostoy-s3 iam render` and `oc ostoy-s3 install
// --mode manual` print by the libraries of those it is for: scripts by a shell's
// parser, HCL by HashiCorp's. The executable is run without a cluster and without
// AWS. What the printed code does to a cluster and an AWS is tested in package e2e.
package rolecode
