// Package relay stands between one run of the tool and both of its servers, the
// API server and AWS, counts the requests to both together, and does with each
// what a test wants: pass it on, cut the connection before the server has seen
// the request or after it has answered, answer in the server's place, or wait.
//
//	r, err := relay.Open(ctx, bed, bed.Kubeconfig, func(e *relay.Exchange) { e.Pass() })
//	user := r.User(run.Admin(bed))
//
// Kill plays one run that is killed at a request. Faults plays bad servers by chance, the same for the same seed and the same
// order of requests; Spreading plays IAM, where a role that was made a moment
// ago is not known everywhere yet. What is answered in a server's place has the
// form of that server: a Status of Kubernetes, the XML of IAM and STS, the XML of
// S3.
package relay
