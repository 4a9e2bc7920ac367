// Package e2e holds the end-to-end tests of what works: the executable, run as
// users run it, against a real API server and an emulated AWS, on every kind of
// cluster, as cluster admin and as project admin. A test looks at what the user
// sees (stdout, stderr, exit code), at what is then in the cluster and in AWS,
// and at what was asked on the way there; never at the inside of the tool.
// What goes wrong is package trouble's.
//
// Each platform gets one bed. Runs whose requests are counted come first and
// have it to themselves; the others share it, each in a namespace of its own.
package e2e
