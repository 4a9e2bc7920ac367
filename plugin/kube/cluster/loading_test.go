package cluster

import (
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// restarting is an API server that answers each request with the next of its
// answers: a status, or 0 for a connection that is refused. The last one stays.
type restarting struct {
	answers []int
	asked   int
}

func (r *restarting) RoundTrip(req *http.Request) (*http.Response, error) {
	code := r.answers[min(r.asked, len(r.answers)-1)]
	r.asked++
	if code == 0 {
		return nil, syscall.ECONNREFUSED
	}
	return &http.Response{StatusCode: code, Status: http.StatusText(code), Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: req}, nil
}

func times(n, code int) []int {
	var codes []int
	for range n {
		codes = append(codes, code)
	}
	return codes
}

// TestRefusalsAfterAFault: an API server that has just started answers 403 until
// it has loaded its Roles. A server that did not fail means it.
func TestRefusalsAfterAFault(t *testing.T) {
	for name, c := range map[string]struct {
		method  string
		answers []int
		code    int
		longest time.Duration
	}{
		"no fault":              {http.MethodGet, []int{403, 200}, 403, 0},
		"too many requests":     {http.MethodGet, []int{429, 403, 200}, 403, time.Second},
		"its own error":         {http.MethodGet, []int{500, 403, 200}, 403, time.Second},
		"refused connection":    {http.MethodGet, append(append(times(3, 0), times(9, 403)...), 200), 200, 20 * time.Second},
		"a write":               {http.MethodPatch, append(append(times(3, 503), times(9, 403)...), 200), 200, 20 * time.Second},
		"a fault in the middle": {http.MethodGet, append([]int{0, 403, 403, 0}, append(times(14, 403), 200)...), 200, 40 * time.Second},
		"a fault after many":    {http.MethodGet, append(append([]int{503}, times(15, 403)...), 503, 200), 200, 40 * time.Second},
		"a watch":               {"WATCH", append([]int{0}, append(times(5, 403), 200)...), 200, 20 * time.Second},
		"stays":                 {http.MethodGet, append(times(2, 502), 403), 403, loadingLimit + time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &restarting{answers: c.answers}
				a := newAgain(newPatience(server, 0))
				a.answered.Store(true)
				a.well.Store(true)
				began := time.Now()
				resp, err := a.RoundTrip(request(t, c.method))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				took := time.Since(began)
				if resp.StatusCode != c.code || took > c.longest {
					t.Errorf("%d after %s and %d requests", resp.StatusCode, took, server.asked)
				}
				if c.code == 403 && c.longest > loadingLimit && took < loadingLimit-longestPause {
					t.Errorf("ended after %s", took)
				}
			})
		})
	}
}

// TestRefusalLongAfterAFault is final: the server has had the time to load.
func TestRefusalLongAfterAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &restarting{answers: []int{503, 200, 403, 200}}
		a := newAgain(newPatience(server, 0))
		a.answered.Store(true)
		for _, want := range []int{200, 403} {
			resp, err := a.RoundTrip(request(t, http.MethodGet))
			if err != nil || resp.StatusCode != want {
				t.Fatalf("%v, %v; want %d", resp, err, want)
			}
			resp.Body.Close()
			time.Sleep(loadingLimit)
		}
	})
}

// TestRefusalEnds: faults that go on do not make a refusal be waited for without end.
func TestRefusalEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var answers []int
		for range 1000 {
			answers = append(answers, 403, 403, 403, 503)
		}
		a := newAgain(newPatience(&restarting{answers: append([]int{503}, answers...)}, 0))
		a.answered.Store(true)
		began := time.Now()
		resp, err := a.RoundTrip(request(t, http.MethodGet))
		if err != nil || resp.StatusCode != http.StatusForbidden || time.Since(began) > loadingLimit+longestPause {
			t.Fatalf("%v, %v after %s", resp, err, time.Since(began))
		}
		resp.Body.Close()
	})
}

// TestRefusalKnownBefore: what was refused before the fault is not asked again.
func TestRefusalKnownBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &restarting{answers: []int{403, 503, 403, 200}}
		a := newAgain(newPatience(server, 0))
		a.answered.Store(true)
		for range 2 {
			resp, err := a.RoundTrip(request(t, http.MethodGet))
			if err != nil || resp.StatusCode != http.StatusForbidden {
				t.Fatalf("%v, %v", resp, err)
			}
			resp.Body.Close()
		}
		if server.asked != 3 {
			t.Errorf("asked %d times", server.asked)
		}
	})
}

// TestAwaitRights: a review's no is asked for again for as long.
func TestAwaitRights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &Conn{loading: &loading{}}
		began := time.Now()
		if conn.AwaitRights(t.Context(), began) || time.Since(began) > 0 {
			t.Error("waits for a server that has not failed")
		}
		conn.loading.noteFault()
		for conn.AwaitRights(t.Context(), began) {
			conn.loading.noteFault() // however many come
		}
		if took := time.Since(began); took < loadingLimit-longestPause || took > loadingLimit {
			t.Errorf("waits for %s", took)
		}
	})
}

func request(t *testing.T, method string) *http.Request {
	t.Helper()
	url := "https://api/api/v1/pods"
	if method == "WATCH" {
		method, url = http.MethodGet, url+"?watch=true"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}
