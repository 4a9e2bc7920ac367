package relay

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Exchange is one request and what becomes of it. Exactly one of Pass, Cut,
// Lose and Answer is to be called.
type Exchange struct {
	N       int    // from 1, over both servers
	AWS     bool   // not Kubernetes
	Service string // kube, iam, sts or s3
	Name    string // "kube GET /api", "iam CreateRole", "s3 HEAD /demo-bucket"
	Action  string // of IAM and STS: CreateRole
	Role    string // that IAM is asked about, by its name
	HTTP    *http.Request

	w      http.ResponseWriter
	passOn http.Handler
}

// identify reads who is asked for what. The body stays readable.
func (e *Exchange) identify() {
	if !e.AWS {
		e.Service = "kube"
		e.Name = "kube " + e.HTTP.Method + " " + e.HTTP.URL.RequestURI()
		return
	}
	e.Service = "s3"
	e.Name = "s3 " + e.HTTP.Method + " " + e.HTTP.URL.RequestURI()
	body, err := io.ReadAll(e.HTTP.Body)
	e.HTTP.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil || !strings.HasPrefix(e.HTTP.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		return
	}
	e.Action, e.Role = form.Get("Action"), form.Get("RoleName")
	e.Service = "iam"
	if form.Get("Version") == "2011-06-15" {
		e.Service = "sts"
	}
	e.Name = e.Service + " " + e.Action
}

// Watch tells a request whose answer has no end.
func (e *Exchange) Watch() bool { return e.HTTP.URL.Query().Get("watch") != "" }

// Pass passes the request on, and the answer back.
func (e *Exchange) Pass() { e.passOn.ServeHTTP(e.w, e.HTTP) }

// PassAndSee is Pass that tells the status of the answer. It is called once,
// before the client gets anything.
func (e *Exchange) PassAndSee(see func(status int)) {
	e.passOn.ServeHTTP(&answered{ResponseWriter: e.w, see: see}, e.HTTP)
}

// Cut drops the connection; the server never sees the request.
func (e *Exchange) Cut() { panic(http.ErrAbortHandler) } // net/http's way to say it

// Lose passes the request on and drops the connection when the server has
// answered, which then, which may be nil, is told first. The server gets the
// request even if the client goes away meanwhile.
func (e *Exchange) Lose(then func()) {
	alive, cancel := context.WithCancel(context.WithoutCancel(e.HTTP.Context()))
	defer cancel()
	lost := &answered{ResponseWriter: e.w, see: func(int) {
		if then != nil {
			then()
		}
		panic(http.ErrAbortHandler)
	}}
	e.passOn.ServeHTTP(lost, e.HTTP.WithContext(alive))
}

// CutAfter passes the request on and ends the answer in its middle, if it lasts
// that long.
func (e *Exchange) CutAfter(d time.Duration) {
	short, cancel := context.WithTimeout(e.HTTP.Context(), d)
	defer cancel()
	e.passOn.ServeHTTP(e.w, e.HTTP.WithContext(short))
}

// CutWithin passes the request on and drops the connection in the middle of the
// answer's body, if it has any.
func (e *Exchange) CutWithin() { e.passOn.ServeHTTP(&halved{e.w}, e.HTTP) }

// Wait waits, or until the client goes away.
func (e *Exchange) Wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-e.HTTP.Context().Done():
	}
}

// Abandoned waits until the client goes away.
func (e *Exchange) Abandoned() { <-e.HTTP.Context().Done() }

// answered sees the head of an answer before it is sent.
type answered struct {
	http.ResponseWriter
	see  func(status int)
	once bool
}

// WriteHeader implements http.ResponseWriter. What comes before an answer
// (100 Continue) is none.
func (a *answered) WriteHeader(status int) {
	if status >= http.StatusOK && !a.once {
		a.once = true
		a.see(status)
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answered) Write(data []byte) (int, error) {
	if !a.once {
		a.once = true
		a.see(http.StatusOK)
	}
	return a.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController flush.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// halved breaks off in the middle of what is first written.
type halved struct{ http.ResponseWriter }

// Write implements http.ResponseWriter.
func (h *halved) Write(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	_, _ = h.ResponseWriter.Write(data[:len(data)/2])
	_ = http.NewResponseController(h.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}
