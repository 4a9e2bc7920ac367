package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/klog/v2"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
)

// How often a request is made: eight times, with pauses of 0.1 s, 0.2 s, 0.4 s,
// 0.8 s, 1.6 s, 2 s and 2 s, 7.1 s in all, or as long as the server asks for.
const (
	maxTries     = 8
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
	// longestAsked is the longest Retry-After that is obeyed; the API server's
	// own are of a few seconds.
	longestAsked = 30 * time.Second
	// enough is after how long no further try begins: a server that takes a
	// minute to say 504 is not asked eight times.
	enough = 30 * time.Second
	// fewFaults is how many times in a row a server must have failed before it is
	// held to do nothing else.
	fewFaults = 3
)

// again repeats requests whose failure passes: the server is overloaded or
// restarts, or the connection broke. It is the only place that does, and does
// it for reads and writes alike. client-go alone repeats what carries
// Retry-After, and reads whose connection broke; it finds nothing left to
// repeat here.
//
// A write whose answer was lost may have been done. Who makes requests that are
// not the same a second time (a create; an apply is the same) asks InDoubt.
// What does not pass is answered immediately: a refusal, a conflict, and, before
// the server has ever answered, that nothing listens there. A refusal shortly
// after a fault may pass (see loading).
type again struct {
	next     http.RoundTripper
	answered *atomic.Bool // the server has answered anything at all
	well     atomic.Bool  // and something else than that it cannot
	loading  *loading
	pause    func(context.Context, time.Duration) error
	most     int64 // bytes of an answer
}

func newAgain(next *patience) *again {
	return &again{next: next, answered: next.answered, loading: &loading{}, pause: interrupt.Sleep, most: maxAnswer}
}

// WrappedRoundTripper lets client-go look through (it unwraps transports).
func (a *again) WrappedRoundTripper() http.RoundTripper { return a.next }

// RoundTrip implements http.RoundTripper.
func (a *again) RoundTrip(req *http.Request) (*http.Response, error) {
	began, wait := time.Now(), firstPause
	first := began
	faults := 0
	for try := 1; ; try++ {
		resp, err := a.try(req)
		why := a.passes(req, resp, err)
		if isFault(req.Context(), resp, err, why != "") {
			a.loading.noteFault()
		}
		refused := a.loading.waits(req, resp, first, wait)
		if why == "" && !refused {
			a.well.Store(a.well.Load() || err == nil)
			return resp, err
		}
		asked, wanted := askedPause(resp)
		if refused {
			why = "HTTP " + resp.Status + " shortly after a fault"
			began, faults = time.Now(), 0 // the server answers: what it was asked before counts no more
		} else {
			doubt(req.Context(), resp, err)
			if wanted {
				wait = max(wait, asked)
			}
			faults++
		}
		next, ok := rewound(req)
		if !ok || !refused && (faults == maxTries || a.late(faults, time.Since(began)+wait, wanted)) {
			return final(resp, err)
		}
		drop(resp)
		tell(req, why, wait, try)
		if ended := a.pause(req.Context(), wait); ended != nil {
			return nil, fmt.Errorf("%w; before that: %s", ended, why)
		}
		req, wait = next, min(2*wait, longestPause)
	}
}

// try makes the request and reads its answer, unless that has no end: a
// connection may also break in the middle of an answer.
func (a *again) try(req *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(req)
	if err != nil || lasting(req) || resp.StatusCode == http.StatusSwitchingProtocols {
		return resp, err
	}
	data, err := readBody(resp, req, a.most)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp, nil
}

// drop ends an answer that nobody reads.
func drop(resp *http.Response) {
	if resp != nil {
		_ = resp.Body.Close()
	}
}

// late reports whether it is too late for another try that the server did not
// ask for, after so many faults of a request and so long. One that has never done
// anything but fail is given up as soon as one that hangs up: it may be a load
// balancer with nothing behind it. One fault of a slow server does not show that.
func (a *again) late(faults int, after time.Duration, wanted bool) bool {
	limit := enough
	if !a.well.Load() && faults >= fewFaults {
		limit = hangUpLimit
	}
	return after > limit && !wanted
}

// passes says why a request should be made again, "" if it should not.
func (a *again) passes(req *http.Request, resp *http.Response, err error) string {
	if err != nil {
		return a.passesError(req.Context(), err)
	}
	switch resp.StatusCode {
	case http.StatusServiceUnavailable:
		if ofGroup(req.URL.Path) { // the server behind it is away, and that is the answer
			return ""
		}
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
	default:
		return ""
	}
	return "HTTP " + resp.Status
}

func (a *again) passesError(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return ""
	}
	var timeout net.Error
	switch {
	case isHangUp(err), isLost(err):
	case !a.answered.Load(), errors.As(err, new(*silence)):
		return "" // it is not there, or the user chose the limit
	case errors.Is(err, syscall.ECONNREFUSED):
	case errors.As(err, &timeout) && timeout.Timeout():
	default:
		return ""
	}
	return innermost(err)
}

// isLost recognises a connection that ended under other requests.
func isLost(err error) bool {
	return errors.Is(err, syscall.EPIPE) || strings.Contains(err.Error(), "http2: client connection lost") ||
		strings.Contains(err.Error(), "server sent GOAWAY")
}

// ofGroup recognises discovery of one group and version, /apis/GROUP/VERSION.
func ofGroup(path string) bool {
	return strings.HasPrefix(path, "/apis/") && strings.Count(path, "/") == 3
}

// askedPause is what the answer says in Retry-After, in seconds; API servers
// use no dates there.
func askedPause(resp *http.Response) (time.Duration, bool) {
	if resp == nil {
		return 0, false
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0, false
	}
	return min(time.Duration(seconds)*time.Second, longestAsked), true
}

// rewound is the same request once more, if its body can be had again.
func rewound(req *http.Request) (*http.Request, bool) {
	next := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return next, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	next.Body = body
	return next, err == nil
}

// final is the last answer as client-go is to see it: it must not begin anew.
func final(resp *http.Response, err error) (*http.Response, error) {
	if err != nil && isHangUp(err) {
		return nil, hungUp{}
	}
	if resp != nil {
		resp.Header.Del("Retry-After")
	}
	return resp, err
}

// tell logs a repetition: who waits for long is told by the first level of -v.
func tell(req *http.Request, why string, wait time.Duration, try int) {
	level := klog.Level(4)
	if wait >= longestPause {
		level = 1
	}
	klog.V(level).Infof("API server: %s %s: %s; trying again in %s (try %d)", req.Method, req.URL.Path, why, wait, try+1)
}

// maxAnswer is more bytes than an API server sends in one answer, lists included.
const maxAnswer = 1 << 30

// errTooMuch is for an answer that has more.
var errTooMuch = errors.New("the answer is too large")

// readBody reads the body of an answer, whose size the server chooses. A log comes
// from the kubelet of a node: where the request has a limit (limitBytes), what exceeds
// it is dropped, as the kubelet itself does. Any other answer must not have more than
// most bytes.
func readBody(resp *http.Response, req *http.Request, most int64) ([]byte, error) {
	asked, err := strconv.ParseInt(req.URL.Query().Get("limitBytes"), 10, 64)
	limited := err == nil && asked > 0 && asked < most
	if limited {
		most = asked
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil || int64(len(data)) <= most {
		return data, err
	}
	if !limited {
		return nil, fmt.Errorf("%s: %w", req.URL.Path, errTooMuch)
	}
	return data[:most], nil
}

type doubtKey struct{}

// InDoubt gives a context for a request that is not the same a second time, and
// a function that says, when the request is over, whether an earlier try of it
// may have been carried out although no answer came, or an error. That
// something is there already may then be our own doing.
func InDoubt(ctx context.Context) (context.Context, func() bool) {
	doubted := new(atomic.Bool)
	return context.WithValue(ctx, doubtKey{}, doubted), doubted.Load
}

// doubt notes a try that may have been carried out. Who asks for less at a time
// (429) has done nothing.
func doubt(ctx context.Context, resp *http.Response, err error) {
	doubted, wanted := ctx.Value(doubtKey{}).(*atomic.Bool)
	if wanted && (err != nil || resp.StatusCode != http.StatusTooManyRequests) {
		doubted.Store(true)
	}
}
