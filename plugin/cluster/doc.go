// Package cluster is the one connection to the API server that a command has.
//
// Connect builds it from the kubeconfig without sending anything. Whoever
// needs the cluster shares it, and what one caller asked (the version, the
// served API groups, the issuer document, a memoised read) another gets
// without a second request. The dynamic client is the only client: typed ones
// cost start-up time and know nothing of ACK and OpenShift.
//
// Requests whose failure passes are repeated here, for everybody (see again):
// callers make each once. Only what the request itself must change for, such as
// a newer resourceVersion, is theirs to repeat.
//
// It decides nothing and prints nothing: errors are translated to three parts
// by Translate, the server's warnings go to the hook given in Options.
package cluster
