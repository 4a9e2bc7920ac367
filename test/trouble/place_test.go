package trouble_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// place is where a run meets trouble: "METHOD /end/of/path" of the API server,
// "METHOD /end/of/path query" with a piece of the query, "iam:CreateRole" (any
// action of IAM or STS), or "s3:METHOD /path query".
type place string

// at reports whether a request is one of this place.
func (p place) at(r *http.Request, aws bool) bool {
	text := string(p)
	if service, action, ok := strings.Cut(text, ":"); ok && aws && service != "s3" {
		return r.Method == http.MethodPost && formAction(r) == action
	}
	text, ofS3 := strings.CutPrefix(text, "s3:")
	method, rest, _ := strings.Cut(text, " ")
	path, query, _ := strings.Cut(rest, " ")
	if r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") != "" && !strings.Contains(query, "dryRun") {
		return false // it asks only what a write would do
	}
	return ofS3 == aws && r.Method == method && strings.HasSuffix(r.URL.Path, path) && strings.Contains(r.URL.RawQuery, query)
}

// ofAWS reports whether a place is one of AWS.
func (p place) ofAWS() bool { return strings.Contains(string(p), ":") }

// spoilt is a user whose requests to one place are answered by the test.
type spoilt struct {
	run.User
	lock    sync.Mutex
	place   place
	answer  http.HandlerFunc
	lasting bool        // from the place on, all requests to that server
	choose  func() bool // which of the requests to the place; nil: all
	met     int
}

func spoil(t *testing.T, user run.User) *spoilt {
	t.Helper()
	s := &spoilt{}
	through := func(aws bool) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			answer := s.meets(r, aws)
			if answer != nil {
				answer(w, r)
			}
			return answer != nil
		}
	}
	s.User = kubeThrough(t, user, through(false)).With(awsThrough(t, user.Bed, through(true)))
	return s
}

func (s *spoilt) meets(r *http.Request, aws bool) http.HandlerFunc {
	s.lock.Lock()
	defer s.lock.Unlock()
	from := s.lasting && s.met > 0 && s.place.ofAWS() == aws
	if s.place == "" || !from && !s.place.at(r, aws) {
		return nil
	}
	if s.choose != nil && !s.choose() {
		return nil
	}
	s.met++
	return s.answer
}

// at orders the trouble: from now on, at a place, this answer.
func (s *spoilt) at(where place, answer http.HandlerFunc) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.place, s.answer, s.lasting, s.choose, s.met = where, answer, false, nil, 0
}

// atSecond is at for the second request to the place, and those that follow.
func (s *spoilt) atSecond(where place, answer http.HandlerFunc) {
	s.at(where, answer)
	s.lock.Lock()
	defer s.lock.Unlock()
	seen := 0
	s.choose = func() bool { seen++; return seen > 1 }
}

// from is at for the place and everything after it.
func (s *spoilt) from(where place, answer http.HandlerFunc) {
	s.at(where, answer)
	s.lock.Lock()
	defer s.lock.Unlock()
	s.lasting = true
}

// times is how often the place was met since it was ordered.
func (s *spoilt) times() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.met
}

// never is an answer that does not come: the request is held until its sender
// goes away.
func never(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // until all of it is read, nobody sees the sender go
	<-r.Context().Done()
}

// later is the answer of an API server that wants to be asked again in 30 s.
func later(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "30")
	http.Error(w, "too many requests", http.StatusTooManyRequests)
}
