// Package render turns Facts and chart values into Kubernetes objects.
//
// It is pure: it talks to no cluster and to no cloud, reads no clock and no
// environment and draws no random numbers. The same Facts and values give the
// same bytes on every machine, which is what lets `render`, `install` and a
// GitOps engine agree.
//
// It also holds what follows from the Facts alone and must never be spelled
// twice: the names of the role and the bucket, the ownership tags, the ARNs.
package render
