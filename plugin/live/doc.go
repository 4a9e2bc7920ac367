// Package live is what is there of one install, in the cluster and in AWS:
// every question that checks and status ask, each put to the server once, when
// the first of them wants to know, whoever asks next. Questions that do not
// depend on each other may be asked at the same time.
//
// A refusal is an answer: who may not look gets the server's own error, and what
// that means is for the caller. The package reads, and changes nothing; it judges
// nothing and prints nothing.
package live
