// Package plan is the app as it is to be, and the difference to what there is.
//
// Prepare computes what is to be (Desired) from what there is and what the user asked
// for. Desired.Plan compares it with the cluster, IAM and S3, has the checks judge the
// result, and gives a Plan, which install prints and carries out, diff prints, and check
// judges. Both are values: nobody changes them afterwards, and what the user asked for is
// never overwritten by what was found.
//
// It changes nothing, and it prints nothing.
package plan
