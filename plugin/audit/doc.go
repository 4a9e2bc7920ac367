// Package audit reads in CloudTrail who used the app's role and who changed it,
// and whether the trails of the account would show what was done to objects. It
// reads only what every account has without asking for it, the event history of
// the last 90 days, and it prints nothing.
//
// An event holds more than is shown: of a call that succeeded also the session
// that it gave. Only the fields named in this package are ever decoded.
package audit
