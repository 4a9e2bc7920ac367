// Package wait watches everything that was applied, all at once, until it is
// ready, or says why it never will be.
//
// One goroutine looks at what the watches brought, has package health
// say how each object is, and tells an observer what changed. What cannot
// heal by waiting (FACTS 10.1) ends the wait at once, with the cause and the
// next step; what looks as bad but is known to pass by itself must stay that
// way for a while first: each such State has its Grace.
//
// Watches resume by themselves when the API server restarts or has forgotten
// where they were. Nothing is written, with one exception: in webhook mode a
// pod that the pod identity webhook missed is deleted, once.
package wait
