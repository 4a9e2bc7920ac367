package wait

import "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"

// State is how one object is, as package health judges it.
type State = health.State

// Level says how a State is to be taken.
type Level = health.Level

// The levels.
const (
	Info = health.Info
	Warn = health.Warn
	Fail = health.Fail
)
