package wait

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Level says how a State is to be taken.
type Level int

// The levels.
const (
	Info Level = iota // on its way, or ready
	Warn              // looks wrong, may pass
	Fail              // will not pass
)

// String is the level's name.
func (l Level) String() string { return [...]string{"info", "warn", "fail"}[l] }

// MarshalText makes the level a word in JSON.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// State is how one object is.
type State struct {
	Kind  string `json:"kind"` // Bucket, Deployment, PersistentVolumeClaim, Route, Ingress, Server
	Name  string `json:"name"`
	Text  string `json:"text"` // "synced", "1 of 1 available", "wait-for-bucket: AccessDenied"
	Ready bool   `json:"ready"`
	Level Level  `json:"level"`
	// Hint is what to do about it; for a Warn or Fail.
	Hint string `json:"hint,omitempty"`
	// URL is where a Route or Ingress leads, once it does.
	URL string `json:"url,omitempty"`
	// Since is when the object got into this state.
	Since time.Time `json:"since"`

	code   string        // what must stay the same for after to run on; Text if empty
	after  time.Duration // how long before late takes its place
	late   *State        // what the state is called once it has lasted that long
	silent bool          // not worth telling
}

// How long what looks hopeless must last before it is called so. Each passes
// by itself in some setting; see where they are used.
const (
	missingGrace      = 10 * time.Second // a watch cache behind the object
	deniedGrace       = 10 * time.Second // IAM, quota and SCC caches behind a change
	imageGrace        = 10 * time.Second // old pods of a rollout just begun
	configGrace       = 15 * time.Second // kubelet's Secret cache behind the Secret
	unscheduledGrace  = 30 * time.Second // volumes being bound, nodes getting ready
	noStatusGrace     = 30 * time.Second
	createFailedGrace = 30 * time.Second
	spreadGrace       = 60 * time.Second // S3 and IAM are eventually consistent
)

// failing is a State that will not pass.
func failing(s State) State { s.Level = Fail; return s }

// graced is a Warn that becomes a Fail if it lasts.
func graced(s State, grace time.Duration) State {
	late := failing(s)
	s.Level, s.after, s.late = Warn, grace, &late
	return s
}

// condition is a status condition of any kind.
type condition struct {
	kind, status, reason, message, changed string
}

func conditionsOf(obj *unstructured.Unstructured) []condition {
	list, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	return readConditions(list)
}

func readConditions(list []any) []condition {
	var out []condition
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			continue
		}
		out = append(out, condition{
			kind: str(m, "type"), status: str(m, "status"), reason: str(m, "reason"),
			message: str(m, "message"), changed: str(m, "lastTransitionTime"),
		})
	}
	return out
}

func find(list []condition, kind string) (condition, bool) {
	for _, c := range list {
		if c.kind == kind {
			return c, true
		}
	}
	return condition{}, false
}

// text is a condition's message, or its reason where it has none.
func (c condition) text() string {
	if c.message != "" {
		return c.message
	}
	return c.reason
}

// str, number and slice read decoded JSON; what is not there is empty.
func str(m map[string]any, path ...string) string {
	s, _, _ := unstructured.NestedString(m, path...)
	return s
}

func number(m map[string]any, path ...string) int64 {
	n, _, _ := unstructured.NestedInt64(m, path...)
	return n
}

func maps(m map[string]any, path ...string) []map[string]any {
	list, _, _ := unstructured.NestedSlice(m, path...)
	var out []map[string]any
	for _, e := range list {
		if em, ok := e.(map[string]any); ok {
			out = append(out, em)
		}
	}
	return out
}
