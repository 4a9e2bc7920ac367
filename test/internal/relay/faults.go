package relay

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Kind is what goes wrong with a request.
type Kind string

// The kinds. Each is as likely as any other.
const (
	TooManyLater Kind = "429, Retry-After" // Retry-After: 1
	TooMany      Kind = "429"
	Throttling   Kind = "throttling" // AWS alone: 400 Throttling, for S3 503 SlowDown
	Internal     Kind = "500"
	Unavailable  Kind = "503"
	CutBefore    Kind = "cut before"
	CutAfter     Kind = "cut after"  // the server did it, its answer is lost
	CutWithin    Kind = "cut within" // the answer breaks off
	Delay        Kind = "5 s delay"
)

// Kinds are all of them.
func Kinds() []Kind {
	return []Kind{TooManyLater, TooMany, Throttling, Internal, Unavailable, CutBefore, CutAfter, CutWithin, Delay}
}

// Faults plays servers that do badly, each request with the same chance. It may
// be shared by many relays, and counts for all of them.
type Faults struct {
	rate float64

	lock  sync.Mutex
	dice  *rand.Rand
	count map[Kind]int
}

// NewFaults makes faults of a seed; rate is the part of the requests that are
// not simply passed on, 0.1 for one in ten.
func NewFaults(seed uint64, rate float64) *Faults {
	return &Faults{rate: rate, dice: rand.New(rand.NewPCG(seed, 0)), count: map[Kind]int{}}
}

// Play is for Open.
func (f *Faults) Play(e *Exchange) {
	kind, ok := f.choose(e)
	if !ok {
		e.Pass()
		return
	}
	switch kind {
	case CutBefore:
		e.Cut()
	case CutAfter:
		if e.Watch() {
			e.CutAfter(300 * time.Millisecond)
			return
		}
		e.Lose(nil)
	case CutWithin:
		e.CutWithin()
	case Delay:
		e.Wait(5 * time.Second)
		e.Pass()
	default:
		e.Answer(refusal(e, kind))
	}
}

// Count is how often each kind was played so far.
func (f *Faults) Count() map[Kind]int {
	f.lock.Lock()
	defer f.lock.Unlock()
	return maps.Clone(f.count)
}

func (f *Faults) choose(e *Exchange) (Kind, bool) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if f.dice.Float64() >= f.rate {
		return "", false
	}
	kinds := Kinds()
	if !e.AWS {
		kinds = slices.DeleteFunc(kinds, func(k Kind) bool { return k == Throttling })
	}
	kind := kinds[f.dice.IntN(len(kinds))]
	f.count[kind]++
	return kind, true
}

// refusal is what the server asked says for a kind. The texts are those of the
// API server (apiserver/pkg/util/flowcontrol, etcd's), IAM and S3.
func refusal(e *Exchange, kind Kind) Refusal {
	r := Refusal{Status: http.StatusTooManyRequests, Reason: metav1.StatusReasonTooManyRequests, Code: "TooManyRequestsException", Message: "Too many requests, please try again later."}
	if e.Service == "s3" {
		r.Code = "TooManyRequests"
	}
	switch kind {
	case TooManyLater:
		r.RetryAfter = 1
	case Internal:
		r = Refusal{
			Status: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError, Code: "InternalFailure",
			Message: "Internal error occurred: etcdserver: request timed out",
		}
		if e.Service == "s3" {
			r.Code, r.Message = "InternalError", "We encountered an internal error. Please try again."
		}
	case Unavailable:
		r = Refusal{
			Status: http.StatusServiceUnavailable, Reason: metav1.StatusReasonServiceUnavailable, Code: "ServiceUnavailable",
			Message: "the server is currently unable to handle the request",
		}
	case Throttling:
		r = Refusal{Status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"}
		if e.Service == "s3" {
			r = Refusal{Status: http.StatusServiceUnavailable, Code: "SlowDown", Message: "Please reduce your request rate."}
		}
	}
	return r
}
