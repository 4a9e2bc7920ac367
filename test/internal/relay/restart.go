package relay

import (
	"net/http"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Restart plays an API server that restarts at the N-th request of a run: that one
// gets 503, as from a load balancer without a server behind it. As soon as it is
// made again the server is back, and refuses what it is asked until it has loaded
// its Roles (kube-apiserver's RBAC authorizer reads them from caches that start
// empty). AWS, and everything before and after, goes on as usual.
type Restart struct {
	N        int // from 1
	Refusals int // requests that are refused

	lock    sync.Mutex
	seen    int
	failed  string // the request that got 503
	back    bool
	refused []string
}

// Play is for Open.
func (r *Restart) Play(e *Exchange) {
	if e.AWS {
		e.Pass()
		return
	}
	switch fails, refuses := r.decide(e.Name); {
	case fails:
		e.Answer(Refusal{Status: http.StatusServiceUnavailable, Reason: metav1.StatusReasonServiceUnavailable, Message: "no server is available to handle this request"})
	case refuses:
		e.Answer(Refusal{
			Status: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
			Message: `forbidden: User "somebody" cannot ` + strings.ToLower(e.HTTP.Method) + ` path "` + e.HTTP.URL.Path + `"`,
		})
	default:
		e.Pass()
	}
}

func (r *Restart) decide(name string) (fails, refuses bool) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.seen++
	if r.seen == r.N {
		r.failed = name
		return true, false
	}
	r.back = r.back || r.failed != "" && r.failed == name
	if refuses = r.back && len(r.refused) < r.Refusals; refuses {
		r.refused = append(r.refused, name)
	}
	return false, refuses
}

// Refused are the names of the requests that were refused so far.
func (r *Restart) Refused() []string {
	r.lock.Lock()
	defer r.lock.Unlock()
	return append([]string{}, r.refused...)
}
