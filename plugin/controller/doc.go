// Package controller brings the ACK S3 controller to a cluster, looks at the one
// that is there, and takes it away again: by OLM where the cluster has it, by
// ACK's own chart elsewhere.
//
// Everything is decided before anything is written. Look asks, once and all at
// the same time, what is there; Plan says what would be done about it; Execute
// does it and follows it to the end. A controller that somebody else installed is
// found, told, and used: never doubled, changed or removed.
//
// It knows neither the app nor the command line, and prints nothing: what it has
// to say goes to the callbacks and plans that it gives.
package controller
