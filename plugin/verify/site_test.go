package verify

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// toy plays OSToy's pages (app.js in openshift-cs/ostoy).
func toy(t *testing.T, menu bool, broken string) site {
	t.Helper()
	objects := map[string]string{}
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, body string) {
		_, _ = io.WriteString(w, "<html><h1>OSToy</h1>"+body+"</html>")
	}
	mux.HandleFunc("GET /home", func(w http.ResponseWriter, _ *http.Request) {
		if menu {
			page(w, `<a href="/ack">ACK S3</a>`)
			return
		}
		page(w, "")
	})
	mux.HandleFunc("POST /s3upload", func(w http.ResponseWriter, r *http.Request) {
		if broken != "" {
			page(w, "<h2>Error Encountered!</h2><pre>"+html.EscapeString(broken)+"</pre>")
			return
		}
		objects[r.PostFormValue("filename")] = r.PostFormValue("content")
		http.Redirect(w, r, "/ack", http.StatusFound)
	})
	mux.HandleFunc("GET /getFile", func(w http.ResponseWriter, r *http.Request) {
		page(w, "<pre>"+html.EscapeString(objects[r.FormValue("filename")])+"</pre>")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return site{newClient(), server.URL}
}

func TestPagesOfOSToy(t *testing.T) {
	at := toy(t, true, "")
	home, err := at.home(t.Context(), pageLimit)
	if err != nil || !strings.Contains(home.body, menuEntry) {
		t.Fatalf("%+v, %v", home, err)
	}
	const key, content = Prefix + "a b&c.txt", "<written> & read\n"
	if err := at.upload(t.Context(), key, content); err != nil {
		t.Error(err)
	}
	if err := at.read(t.Context(), key, content); err != nil {
		t.Error(err)
	}
	if err := at.read(t.Context(), key, "something else"); err == nil {
		t.Error("a page that shows something else passes")
	}
}

// TestErrorsComeAs200 reads the page, not the status.
func TestErrorsComeAs200(t *testing.T) {
	at := toy(t, true, `{"message":"Access Denied","code":"AccessDenied"}`)
	err := at.upload(t.Context(), "k", "c")
	var told *pageError
	if !errors.As(err, &told) || told.text != `{"message":"Access Denied","code":"AccessDenied"}` || !told.denied() || !passes(err) {
		t.Errorf("%#v", err)
	}
	for body, want := range map[string]string{
		"<p>In order to use the ACK this must be run on AWS.</p>":               notOnAWS,
		"Error Encountered! <b>NoSuchBucket</b> " + strings.Repeat("long ", 99): "NoSuchBucket",
		"all is well": "",
	} {
		err := page{200, body}.flaw()
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 410) {
			t.Errorf("%q: %v", body, err)
		}
		if passes(err) {
			t.Errorf("%v is waited for", err)
		}
	}
	if err := (page{503, "<h1>gone</h1>"}).flaw(); err == nil || err.Error() != "HTTP 503: gone" {
		t.Errorf("%v", err)
	}
}

// TestReach prefers the Route, and takes a port-forward where that leads nowhere.
func TestReach(t *testing.T) {
	working := toy(t, true, "")
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "welcome") }))
	t.Cleanup(stranger.Close)
	for name, c := range map[string]struct {
		url, pod string
		forward  error
		via      string
		says     string
	}{
		"route":                     {working.base + "/", "pod", nil, ViaRoute, ""},
		"stranger at the route":     {stranger.URL, "pod", nil, ViaForward, ""},
		"no route":                  {"", "pod", nil, ViaForward, ""},
		"no host":                   {"", "pod", nil, ViaForward, ""},
		"no host, and no way past":  {"", "pod", errors.New("pods is forbidden"), "", "not a host name; port-forward to pod pod: pods is forbidden"},
		"stranger, and no way past": {stranger.URL, "pod", errors.New("pods is forbidden"), "", "what answers is not OSToy (HTTP 200); port-forward to pod pod: pods is forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := started(t, newFake(nil))
			r.Way.URL, r.ask.client = c.url, newClient()
			if strings.HasPrefix(name, "no host") {
				r.Way.NoURL = "not a host name"
			}
			// The pod comes a moment later.
			r.ask.look = func(context.Context) (Pods, error) { return Pods{Ready: c.pod}, nil }
			stopped := false
			r.Way.Forward = func(context.Context, string) (string, func(), error) {
				return working.base, func() { stopped = true }, c.forward
			}
			_, _, stop, err := reach(t.Context(), r)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || r.reached.via != c.via || name == "no host" && r.reached.detour != "not a host name" {
				t.Fatalf("via %q, %v", r.reached.via, err)
			}
			if stop(); stopped != (c.via == ViaForward) {
				t.Errorf("the way is closed: %t", stopped)
			}
		})
	}
}

// TestReachWithoutPod waits a while for one, and then says so.
func TestReachWithoutPod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := started(t, newFake(nil))
		looks := 0
		r.ask.look = func(context.Context) (Pods, error) { looks++; return Pods{}, nil }
		_, _, _, err := reach(t.Context(), r)
		if err == nil || err.Error() != "the app has no Route; no pod of ostoy-frontend is ready" || looks < 10 || time.Since(r.pace.began) > time.Minute {
			t.Errorf("%v after %d looks and %s", err, looks, time.Since(r.pace.began))
		}
	})
}

// TestAppLevel: each failure is a probe of its own, and ends the level.
func TestAppLevel(t *testing.T) {
	for name, c := range map[string]struct {
		menu   bool
		broken string
		want   string
	}{
		"no menu entry": {false, "", "menu-entry"},
		"error page":    {true, "NoSuchBucket", "upload"},
		"not in S3":     {true, "", "found-in-s3"}, // the fake's S3 has other bytes
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := started(t, newFake(map[string][]error{"head-object": {says("NotFound", "")}}))
			at := toy(t, c.menu, c.broken)
			r.Way.URL, r.ask.client = at.base, at.client
			probes, text := proveApp(t.Context(), r)
			last := probes[len(probes)-1]
			if last.Name != c.want || last.Outcome != Failed || text == "" {
				t.Errorf("%s: %+v", text, probes)
			}
			if wrote := len(r.written.objects); wrote != map[bool]int{true: 1}[c.menu] {
				t.Errorf("%d objects are remembered", wrote)
			}
		})
	}
}

// TestLostConnection: it is tried again, from the way to the app on, with another
// object; the first one is not forgotten.
func TestLostConnection(t *testing.T) {
	for name, c := range map[string]struct {
		cuts    int64
		objects int
	}{"once": {1, 2}, "for ever": {99, 3}} {
		t.Run(name, func(t *testing.T) {
			working := toy(t, true, "")
			var uploads atomic.Int64 // each on a connection of its own
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/s3upload" && uploads.Add(1) <= c.cuts {
					panic(http.ErrAbortHandler)
				}
				answer, err := working.ask(r.Context(), pageLimit, r.Method, r.URL.String(), formOf(r))
				if err != nil {
					t.Error(err)
				}
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}))
			t.Cleanup(server.Close)
			r, _ := started(t, newFake(map[string][]error{"head-object": {says("NotFound", "")}}))
			r.Way.URL, r.ask.client = server.URL, newClient()
			probes, _ := proveApp(t.Context(), r)
			last := probes[len(probes)-1]
			want := map[bool]string{true: "upload", false: "found-in-s3"}[c.cuts > 2] // the fake's S3 has other bytes
			if last.Name != want || len(r.written.objects) != c.objects {
				t.Errorf("%d objects, %+v", len(r.written.objects), last)
			}
			if want == "upload" && !strings.Contains(last.Why, "the connection was lost") {
				t.Errorf("%+v", last)
			}
		})
	}
}

// formOf is the form of a request, to be passed on.
func formOf(r *http.Request) url.Values {
	if r.ParseForm() != nil || r.Method != http.MethodPost {
		return nil
	}
	return r.PostForm
}

func TestUnreachable(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	if _, err := (site{newClient(), closed.URL}).home(t.Context(), pageLimit); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
	if err := unreachable(context.DeadlineExceeded); err.Error() != "no answer in time" {
		t.Error(err)
	}
}
