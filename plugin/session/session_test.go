package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// connecting is a session that uses this kubeconfig, and what it says.
func connecting(getter genericclioptions.RESTClientGetter) (*Session, *bytes.Buffer) {
	var talk bytes.Buffer
	return &Session{Getter: getter, UI: ui.New(&talk, ui.Style{}, time.Now)}, &talk
}

// TestConnect: a run has one connection, by which the server's warnings are shown once.
func TestConnect(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	server.Handle("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Warning", `299 - "this is old"`)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"gitVersion":"v1.33.0"}`))
	})
	s, talk := connecting(server.Getter("demo"))
	first, err := s.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if asked := server.Requests(); len(asked) > 0 {
		t.Errorf("asks %v", asked)
	}
	again, err := s.Connect(t.Context())
	if err != nil || again != first {
		t.Errorf("another connection, %v", err)
	}
	if _, err := first.Version(t.Context()); err != nil {
		t.Error(err)
	}
	if strings.Count(talk.String(), "this is old") != 1 {
		t.Errorf("%q", talk)
	}
}

// TestConnectFails: a kubeconfig that cannot be used is the error each time, and the end
// of the context is not remembered.
func TestConnectFails(t *testing.T) {
	nowhere := "/nope/kubeconfig"
	flags := genericclioptions.NewConfigFlags(true)
	flags.KubeConfig = &nowhere
	s, _ := connecting(flags)
	for range 2 {
		if conn, err := s.Connect(t.Context()); err == nil || conn != nil {
			t.Errorf("%v, %v", conn, err)
		}
	}
	s, _ = connecting(clustertest.New(t, "v1.33.0").Getter("demo"))
	ended, end := context.WithCancel(t.Context())
	end()
	if conn, err := s.Connect(ended); !errors.Is(err, context.Canceled) || conn != nil {
		t.Errorf("%v, %v", conn, err)
	}
	if conn, err := s.Connect(t.Context()); err != nil || conn == nil {
		t.Errorf("after an end: %v", err)
	}
}

// TestStream: only what a person asked to see goes to stdout.
func TestStream(t *testing.T) {
	var out, talk bytes.Buffer
	s := &Session{
		Streams: genericiooptions.IOStreams{Out: &out, ErrOut: &talk},
		UI:      ui.New(&talk, ui.Style{}, time.Now), Report: ui.New(&out, ui.Style{}, time.Now),
	}
	if s.Stream(s.Report) != &out || s.Stream(s.UI) != &talk {
		t.Error("the wrong stream")
	}
}

func soFar() string { return "2 of 3 done" }

// TestInTime: an error within the time passes as it is; after its end the run says what it
// has done.
func TestInTime(t *testing.T) {
	fault := errors.New("a fault")
	gives := func(err error) func(context.Context) error {
		return func(context.Context) error { return err }
	}
	waits := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx   context.Context
		limit time.Duration
		part  func(context.Context) error
		kind  problem.Kind // 0: as the part gives it
		says  string
	}{
		"done":                      {t.Context(), time.Hour, gives(nil), 0, ""},
		"done, and late":            {t.Context(), 0, gives(nil), 0, ""},
		"a fault":                   {t.Context(), time.Hour, gives(fault), 0, ""},
		"a fault, and late":         {t.Context(), 0, gives(fault), 0, ""},
		"a deadline of its own":     {t.Context(), time.Hour, gives(context.DeadlineExceeded), 0, ""},
		"late":                      {t.Context(), 0, waits, problem.Failed, "not done within --timeout 1m0s"},
		"interrupted":               {ended, time.Hour, waits, problem.Interrupted, "interrupted"},
		"interrupted, and said so":  {ended, time.Hour, gives(fmt.Errorf("get: %w", context.Canceled)), problem.Interrupted, "interrupted"},
		"interrupted after a fault": {ended, time.Hour, gives(&problem.Error{Kind: problem.Refused, What: "no"}), 0, ""},
	} {
		err := InTime(c.ctx, c.limit, time.Minute, soFar, c.part)
		var told *problem.Error
		switch {
		case c.kind == 0:
			if want := c.part(ended); fmt.Sprint(err) != fmt.Sprint(want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		case !errors.As(err, &told) || told.Kind != c.kind || told.What != c.says || !strings.Contains(told.Why, soFar()) || !strings.Contains(told.Next, "run the same command again"):
			t.Errorf("%s: %+v", name, told)
		}
	}
}

// TestCutOff: the end of the time says what was waited for; a verdict of those who waited
// stays one.
func TestCutOff(t *testing.T) {
	late := func(err error) string {
		var told *problem.Error
		if !errors.As(CutOff(t.Context(), err, time.Minute, soFar), &told) || told.Kind != problem.Failed || told.What != "not done within --timeout 1m0s" {
			t.Errorf("%v: %+v", err, told)
			return ""
		}
		return told.Why
	}
	request := &url.Error{Op: "Get", URL: "https://api:6443/api/v1/pods?limit=1", Err: context.DeadlineExceeded}
	for want, err := range map[string]error{
		soFar(): context.DeadlineExceeded,
		"it was waiting for Secret x\n" + soFar():                   fmt.Errorf("plan: %w", problem.While("Secret x", context.DeadlineExceeded)),
		"no answer in time to GET api:6443/api/v1/pods\n" + soFar(): request,
		"AWS did nothing: no answer in time\n" + soFar():            &problem.Error{Kind: problem.Failed, What: "AWS did nothing", Err: context.DeadlineExceeded},
	} {
		if got := late(err); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	verdict := &problem.Error{Kind: problem.NotReady, Err: context.DeadlineExceeded}
	for _, err := range []error{verdict, &problem.Error{Kind: problem.Refused}, errors.New("a fault")} {
		if got := CutOff(t.Context(), err, time.Minute, soFar); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// TestConfirm: nothing but the word is a yes, and where nobody can be asked the error says
// what a script gives instead.
func TestConfirm(t *testing.T) {
	const about = "everything goes"
	broken := errors.New("the terminal is gone")
	answers := func(text string, err error) Ask {
		return func(context.Context, string) (string, error) { return text, err }
	}
	for name, c := range map[string]struct {
		ask  Ask
		why  string // of the refusal; "": a yes
		next string
		is   error // instead of a refusal
	}{
		"the word":        {answers("demo", nil), "", "", nil},
		"with a new line": {answers(" demo\n", nil), "", "", nil},
		"another":         {answers("yes", nil), "what was typed is not demo", "--yes", nil},
		"in capitals":     {answers("DEMO", nil), "what was typed is not demo", "--yes", nil},
		"nothing":         {answers("\n", nil), "what was typed is not demo", "--yes", nil},
		"nobody is there": {nil, about, "the same command with --yes", nil},
		"a fault":         {answers("demo", broken), "", "", broken},
		"interrupted":     {answers("", context.Canceled), "", "", context.Canceled},
	} {
		s, talk := connecting(nil)
		q := Question{About: about, Word: "demo", Flags: "--yes", Nothing: "nothing was removed"}
		err := q.Confirm(t.Context(), s.UI, c.ask)
		var told *problem.Error
		switch {
		case c.why == "":
			if !errors.Is(err, c.is) {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.As(err, &told) || told.Kind != problem.Usage || told.What != "not confirmed: nothing was removed" || told.Why != c.why || !strings.Contains(told.Next, c.next):
			t.Errorf("%s: %+v", name, told)
		}
		if asked := c.ask != nil; strings.Contains(talk.String(), about) != asked {
			t.Errorf("%s: says %q", name, talk)
		}
	}
}

func TestKnownDryRuns(t *testing.T) {
	for _, d := range []DryRun{DryRunNone, DryRunClient, DryRunServer} {
		if !d.Known() {
			t.Errorf("%s is not known", d)
		}
	}
	for _, d := range []DryRun{"", "Client", "true"} {
		if d.Known() {
			t.Errorf("%q is known", d)
		}
	}
}
