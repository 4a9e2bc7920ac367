package relay

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// Moment is when a run is killed: before the N-th request reaches its server, or
// when the server has answered it.
type Moment struct {
	N     int // from 1
	After bool
	// Of picks the requests that are counted; nil: all.
	Of func(*Exchange) bool
}

// String is for names: "007-before".
func (m Moment) String() string {
	if m.After {
		return fmt.Sprintf("%03d-after", m.N)
	}
	return fmt.Sprintf("%03d-before", m.N)
}

// Kill runs the tool and kills it at a moment. It is false where the run had
// ended before it came to that, which it then must have done well.
func Kill(t *testing.T, user run.User, at Moment, args ...string) bool {
	t.Helper()
	var dead atomic.Bool
	var count atomic.Int64
	var name atomic.Value
	started := make(chan struct{})
	var victim *run.Running
	end := func() {
		<-started
		dead.Store(true)
		_ = victim.Cmd.Process.Kill() // it may have ended a moment ago
	}
	ctx, closeRelay := context.WithCancel(t.Context())
	defer closeRelay()
	relayed, err := Open(ctx, user.Bed, user.Kubeconfig, func(e *Exchange) {
		switch {
		case dead.Load():
			e.Cut()
		case at.Of != nil && !at.Of(e), count.Add(1) != int64(at.N):
			e.Pass()
		case at.After:
			name.Store(e.Name)
			e.Lose(end)
		default:
			name.Store(e.Name)
			end()
			e.Cut()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	victim = run.Prepare(t, relayed.User(user), args...)
	victim.Start(t, func() { close(started) })
	result := victim.Ends(t)
	if request, reached := name.Load().(string); reached {
		t.Logf("killed at %s", request)
	}
	if !dead.Load() || result.Code != -1 {
		result.WantCode(t, 0)
		return false
	}
	return true
}

// Writes reports whether a request is to change something.
func (e *Exchange) Writes() bool {
	switch e.Service {
	case "iam":
		return !slices.ContainsFunc([]string{"Get", "List", "Simulate"}, func(verb string) bool { return strings.HasPrefix(e.Action, verb) })
	case "sts":
		return false
	case "kube":
		if strings.HasPrefix(e.HTTP.URL.Path, "/apis/authorization.k8s.io/") || e.HTTP.URL.Query().Get("dryRun") != "" {
			return false
		}
	}
	return e.HTTP.Method != http.MethodGet && e.HTTP.Method != http.MethodHead
}
