package cluster

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// An answer with more bytes than may be read is an error, and a log with more than the
// request asked for is cut.
func TestF15AnswerLimit(t *testing.T) {
	const most = 1000
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := map[string]int{"/full": most, "/more": most + 1, "/log": most}[r.URL.Path]
		_, _ = io.WriteString(w, strings.Repeat("x", size))
	}))
	t.Cleanup(server.Close)
	client, pauses := persistent(t)
	client.Transport.(*again).most = most
	for path, want := range map[string]int{
		"/full": most, "/more": -1, "/log": most,
		"/log?limitBytes=10": 10, "/log?limitBytes=1000": most,
		"/more?limitBytes=0": -1, "/more?limitBytes=-1": -1, "/more?limitBytes=1001": -1, "/more?limitBytes=ten": -1,
	} {
		resp, err := client.Get(server.URL + path)
		if want < 0 {
			if !errors.Is(err, errTooMuch) {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		data, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || len(data) != want {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
	}
	if len(*pauses) > 0 {
		t.Error("an answer that is too large is asked for again")
	}
	var told *problem.Error
	c := &Conn{settings: settings{config: &rest.Config{Host: server.URL}}}
	if err := c.Translate(errTooMuch); !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.Why, "more than 1024 MB") {
		t.Errorf("%v", err)
	}
}
