// Package health says of one object how it is: ready, on its way, or wrong, and
// then why and what to do about it. It goes by what stands in the object (and,
// for a Deployment, in its pods), so one judgement serves who waits for an
// object and who looks at it once.
//
// What looks hopeless but is known to pass by itself in some setting carries a
// grace: After that long it is to be called what Late says. Who looks once takes
// the Settled state. The package asks nobody and knows no clock.
package health

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
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

	// About is what stands in the way, where it is one of the usual things.
	About About `json:"-"`

	Code   string        `json:"-"` // what must stay the same for After to run on; Text if empty
	After  time.Duration `json:"-"` // how long before Late takes its place
	Late   *State        `json:"-"` // what the state is called once it has lasted that long
	Silent bool          `json:"-"` // not worth telling
	Lone   bool          `json:"-"` // a Fail that keeps no other object from becoming ready
}

// About is what a State is about.
type About string

// What keeps things from being ready that has a page of its own to tell of it.
const (
	Image      About = "image"       // it cannot be pulled
	BucketWait About = "bucket-wait" // wait-for-bucket gave up
	SCC        About = "scc"         // the pod passes no security context constraint
	Platform   About = "platform"    // its image is built for another architecture
)

// Settled is what a State is called once it has lasted.
func (s State) Settled() State {
	for s.Late != nil {
		s = *s.Late
	}
	return s
}

// passes reports whether a State looks wrong and may pass, however long it lasts.
func (s State) passes() bool { return s.Level == Warn && s.Settled().Level == Warn }

// plainly is the State with texts of one line each. A line feed in what a controller, a
// container or a user wrote could begin a line that looks like advice.
func (s State) plainly() State {
	s.Text = plain.Line(s.Text)
	if s.Late != nil {
		late := s.Late.plainly()
		s.Late = &late
	}
	return s
}

// How long what looks hopeless must last before it is called so. Each passes
// by itself in some setting; see where they are used.
const (
	MissingGrace      = 10 * time.Second // a watch cache behind the object
	deniedGrace       = 10 * time.Second // IAM, quota and SCC caches behind a change
	imageGrace        = 10 * time.Second // old pods of a rollout just begun
	configGrace       = 15 * time.Second // kubelet's Secret cache behind the Secret
	noNodeGrace       = 60 * time.Second // volumes being bound, an autoscaler that makes up its mind
	startGrace        = 30 * time.Second // a volume being attached and mounted
	noStatusGrace     = 30 * time.Second
	createFailedGrace = 30 * time.Second
	spreadGrace       = 60 * time.Second  // S3 and IAM are eventually consistent
	pullPause         = 330 * time.Second // kubelet's longest pause between two pulls is 300 s (MaxContainerBackOff)
)

// Failing is a State that will not pass.
func Failing(s State) State { s.Level = Fail; return s }

// deleted is the State of an object that is on its way out.
func deleted() State {
	return Failing(State{Text: "it is being deleted", Hint: "wait until it is gone, then run the same command again"})
}

// Graced is a Warn that becomes a Fail if it lasts.
func Graced(s State, grace time.Duration) State {
	late := Failing(s)
	s.Level, s.After, s.Late = Warn, grace, &late
	return s
}

// Condition is a status condition of any kind.
type Condition struct {
	kind, status, reason, message, changed string
}

// Conditions are those in an object's status.
func Conditions(obj *unstructured.Unstructured) []Condition {
	return readConditions(obj.Object, "status", "conditions")
}

func readConditions(object map[string]any, path ...string) []Condition {
	var out []Condition
	for _, m := range Maps(object, path...) {
		out = append(out, Condition{
			kind: Text(m, "type"), status: Text(m, "status"), reason: Text(m, "reason"),
			message: Text(m, "message"), changed: Text(m, "lastTransitionTime"),
		})
	}
	return out
}

func find(list []Condition, kind string) (Condition, bool) {
	if n := slices.IndexFunc(list, func(c Condition) bool { return c.kind == kind }); n >= 0 {
		return list[n], true
	}
	return Condition{}, false
}

// text is a condition's message, or its reason where it has none.
func (c Condition) text() string { return cmp.Or(c.message, c.reason) }

// Text reads a string of decoded JSON; what is not there is empty.
func Text(m map[string]any, path ...string) string {
	s, _, _ := unstructured.NestedString(m, path...)
	return s
}

// Number reads a whole number; what is not there is 0.
func Number(m map[string]any, path ...string) int64 {
	n, _, _ := unstructured.NestedInt64(m, path...)
	return n
}

// Maps reads a list of objects; what is not there is empty.
func Maps(m map[string]any, path ...string) []map[string]any {
	list, _, _ := unstructured.NestedSlice(m, path...)
	var out []map[string]any
	for _, e := range list {
		if em, ok := e.(map[string]any); ok {
			out = append(out, em)
		}
	}
	return out
}
