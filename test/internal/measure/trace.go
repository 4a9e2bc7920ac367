package measure

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Trace records when requests begin and end at a proxy of the test bed, and
// makes each take longer.
type Trace struct {
	Delay time.Duration

	mu    sync.Mutex
	spans []Span
}

// Hook is for the proxies of the test bed. A watch counts to its first byte: it
// has no end of its own.
func (t *Trace) Hook(_ int64, request *http.Request) error {
	t.mu.Lock()
	at := len(t.spans)
	t.spans = append(t.spans, Span{Name: name(request), Start: time.Now()})
	t.mu.Unlock()
	time.Sleep(t.Delay)
	if request.URL.Query().Has("watch") {
		trace := &httptrace.ClientTrace{GotFirstResponseByte: func() { t.end(at) }}
		*request = *request.WithContext(httptrace.WithClientTrace(request.Context(), trace))
		return nil
	}
	// net/http ends the context of a request when it has been answered.
	context.AfterFunc(request.Context(), func() { t.end(at) })
	return nil
}

func (t *Trace) end(at int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.spans[at].End = time.Now()
}

// Spans are the requests that have ended, in the order they began.
func (t *Trace) Spans() []Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ended []Span
	for _, span := range t.spans {
		if !span.End.IsZero() {
			ended = append(ended, span)
		}
	}
	return ended
}

// name is how a reader knows a request.
func name(request *http.Request) string {
	// The service is part of what AWS signs: KEY/DATE/REGION/SERVICE/aws4_request.
	_, scope, signed := strings.Cut(request.Header.Get("Authorization"), "Credential=")
	if parts := strings.Split(scope, "/"); signed && len(parts) > 3 {
		return parts[3] + " " + operation(request)
	}
	text := request.Method + " " + request.URL.Path
	keep := url.Values{}
	for _, key := range []string{"dryRun", "watch"} {
		if value := request.URL.Query().Get(key); value != "" {
			keep.Set(key, value)
		}
	}
	if len(keep) > 0 {
		text += "?" + keep.Encode()
	}
	return text
}

// operation is what AWS is asked for. IAM and STS have it in a form, which is
// put back after a look at it; for S3 method and path tell.
func operation(request *http.Request) string {
	if request.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return request.Method + " " + request.URL.Path
	}
	body, err := io.ReadAll(request.Body)
	request.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
	form, parseErr := url.ParseQuery(string(body))
	if err != nil || parseErr != nil {
		return request.Method + " " + request.URL.Path
	}
	return form.Get("Action")
}

// failing is the end of a body: io.EOF, or the error that cut it short.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return 0, io.EOF
}
