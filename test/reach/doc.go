// Package reach plays what a user of one project tries on the S3 buckets of the
// others: mallory has edit or admin in a project, and no AWS credentials. The API
// server, its RBAC and its admission policies are real; the controller is a
// stand-in that works as its service account.
package reach
