// Package iam is the app's role, and that of the ACK S3 controller: what it should
// be (Desired, DesiredController), what it is (Read), the steps between (NewPlan),
// and the walk over those steps (Execute). The two roles differ in what they
// should be and in nothing else.
//
// The steps are data: the executor here, and every printer elsewhere (aws
// commands, CloudFormation, Terraform, ACK), read the same list, so "would do"
// and "did" cannot drift apart.
//
// The way back has the same parts: which role is ours (FindOurs, FindController), the steps that
// remove it (RemovalPlan), and the walk over them (Remove).
//
// It changes one role and nothing else. A role whose tags are not ours is not
// touched without leave; policies that others put on it are reported, and
// removed only together with the role and with leave; it neither makes nor changes an identity provider. It knows nothing
// of clusters and prints nothing.
package iam
