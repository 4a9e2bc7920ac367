// Package controller installs the ACK S3 controller in a cluster, looks at the one that is
// there, and removes it: by OLM if the cluster has it. Elsewhere the user installs ACK's
// chart with Helm, and this package creates what the chart does not.
//
// Everything is decided before anything is written. Look asks, once and all at
// the same time, what is there; Plan says what would be done about it; Execute
// does it and follows it to the end. A controller that somebody else installed is
// found, told, and used: never doubled, changed or removed.
//
// It knows neither the app nor the command line, and prints nothing: what it has
// to say goes to the callbacks and plans that it gives.
package controller
