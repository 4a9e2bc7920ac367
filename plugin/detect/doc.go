// Package detect fills render.Facts: from what was given by flag or facts
// file, from the cluster, and from AWS STS.
//
// A fact that was given is not asked for, and when nothing is left to ask
// neither the kubeconfig nor the AWS credentials are even read. Independent
// look-ups run at the same time. What a project admin may not read stays
// unknown with the reason, and is never an error by itself.
//
// It changes nothing: the only request that is not a read is a TokenRequest
// with dryRun=All, whose token is decoded for its issuer and dropped.
package detect
