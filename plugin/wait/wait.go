package wait

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// Targets is what to wait for. Empty names are not waited for, and their
// kinds are not watched.
type Targets struct {
	Namespace   string
	Bucket      string // name of the ACK Bucket
	Deployments []string
	PVC         string
	Route       string
	Ingress     string

	// Live are the objects as the apply left them. A watch may begin with
	// something older; it is then not yet believed.
	Live []*unstructured.Unstructured
	// BucketWritten says that this run created or updated the Bucket, so that
	// the conditions in Live may tell of the time before (ACK has no
	// observedGeneration).
	BucketWritten bool

	// Webhook says that pods get their identity from the pod identity webhook:
	// those of Identity are looked at as they are created.
	Webhook bool
	// Identity are the Deployments whose pods must have an identity.
	Identity []string
	// RoleARN is what AWS_ROLE_ARN must say there; empty accepts any.
	RoleARN string
}

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
	// Grace is how long a Fail must last before it is one; until then it is
	// told as a Warn.
	Grace time.Duration `json:"-"`

	code string // what must stay the same for Grace to run on; Text if empty
	why  string // the cause in the reader's terms; Text if empty
}

// Result is how everything was at the end.
type Result struct {
	States []State // in the order of Targets: bucket, volume, deployments, route, ingress
	URL    string
}

// Wait returns when all targets are ready. observe, which may be nil, gets
// each State that differs from the object's last one; one call at a time.
//
// It is a *problem.Error of kind NotReady if something will never be ready or
// the context's deadline passed (then also context.DeadlineExceeded), one of
// kind Failed if the objects may not be watched, and the context's own error,
// wrapped, when it was cancelled. The Result is filled in either way.
func Wait(ctx context.Context, client dynamic.Interface, targets Targets, observe func(State)) (Result, error) {
	return Result{}, nil
}
