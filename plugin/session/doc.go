// Package session is what one run of the executable has: the streams and the UI, the
// clock, the connection to the cluster, and what the user named on the command line. It
// is made once, by package cmd, and every use case gets it.
//
// What a command writes to stdout leaves by this package or by Report. It knows no use
// case and none of their words.
package session
