package checkup

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestRunLists: the list of checks is printed without asking anybody, as far as they were
// asked for.
func TestRunLists(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*Request)
		want, not []string
	}{
		"table":       {func(r *Request) { r.Output = session.FormatTable }, []string{"ID ", "SEVERITY", check.IDProvider}, []string{`"checks"`, check.IDInstalled + " "}},
		"all":         {func(r *Request) { r.Pre, r.Output = false, session.FormatTable }, []string{check.IDInstalled + " ", check.IDProvider}, nil},
		"JSON":        {func(*Request) {}, []string{`"checks"`, `"id": "` + check.IDProvider + `"`}, []string{`"status"`, "SEVERITY"}},
		"one of them": {func(r *Request) { r.Only = []string{check.IDProvider} }, []string{`"id": "` + check.IDProvider + `"`}, []string{`"id": "` + check.IDBucketCRD + `"`}},
	} {
		server, account := sessiontest.Empty(t)
		s, stdout, _ := sessiontest.New(t, server, account)
		err := Run(t.Context(), s, request(func(r *Request) { r.List = true; c.change(r) }))
		lacks := func(text string) bool { return !strings.Contains(stdout.String(), text) }
		if err != nil || slices.ContainsFunc(c.want, lacks) || slices.ContainsFunc(c.not, func(text string) bool { return !lacks(text) }) {
			t.Errorf("%s: %v\n%s", name, err, stdout)
		}
		if len(server.Requests())+len(account.Asked()) > 0 {
			t.Errorf("%s: asks %v, %v", name, server.Requests(), account.Asked())
		}
	}
}

// TestRunKnowsNoSuchCheck: a check of what was installed is none before an install.
func TestRunKnowsNoSuchCheck(t *testing.T) {
	server, account := sessiontest.Empty(t)
	s, _, _ := sessiontest.New(t, server, account)
	var told *problem.Error
	err := Run(t.Context(), s, request(func(r *Request) { r.Only = []string{check.IDInstalled} }))
	if !errors.As(err, &told) || told.Kind != problem.Usage || !strings.Contains(told.Why, "before an install") {
		t.Errorf("%v", err)
	}
}

// TestRunIsInterruptedLate: an end while the checks run is not what they found.
func TestRunIsInterruptedLate(t *testing.T) {
	server, account := sessiontest.Empty(t)
	ctx, cancel := context.WithCancel(t.Context())
	account.Handle("GetOpenIDConnectProvider", func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	s, stdout, _ := sessiontest.New(t, server, account)
	var told *problem.Error
	err := Run(ctx, s, request(func(r *Request) { r.Only = []string{check.IDProvider} }))
	if !errors.As(err, &told) || told.Kind != problem.Interrupted || stdout.Len() > 0 {
		t.Errorf("%v\n%s", err, stdout)
	}
}

// late is a context whose time is over as soon as something is written to it.
type late struct {
	context.Context
	over chan struct{}
	end  func()
}

func newLate(ctx context.Context) *late {
	over := make(chan struct{})
	return &late{ctx, over, sync.OnceFunc(func() { close(over) })}
}

func (l *late) Write(p []byte) (int, error) {
	l.end()
	return len(p), nil
}

func (l *late) Done() <-chan struct{} { return l.over }

func (l *late) Err() error {
	select {
	case <-l.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestWaitsInVain: what still fails at the end of the time is refused by its id.
func TestWaitsInVain(t *testing.T) {
	server, account := sessiontest.Empty(t)
	account.Refuse("GetOpenIDConnectProvider", 404, "NoSuchEntity", "")
	s, stdout, _ := sessiontest.New(t, server, account)
	ctx := newLate(t.Context())
	s.UI = ui.New(ctx, ui.Style{}, time.Now) // which says what is waited for
	var told *problem.Error
	_, err := lookUntil(ctx, s, request(func(r *Request) { r.Wait, r.Only = true, []string{check.IDProvider} }))
	if !errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.What, "--timeout 1m0s: "+check.IDProvider) || stdout.Len() > 0 {
		t.Errorf("%v\n%s", err, stdout)
	}
}

// outcome is one of a check.
func outcome(id string, group check.Group, status check.Status) check.Outcome {
	return check.Outcome{Check: check.Check{ID: id, Group: group, Title: "title of " + id}, Finding: check.Finding{Status: status, What: "what of " + id, Why: "why of " + id, Next: "mend " + id}}
}

// each are outcomes of every status.
func each() []check.Outcome {
	return []check.Outcome{
		outcome("a-passed", check.Cluster, check.Passed), outcome("b-warned", check.Cluster, check.Warned), outcome("c-failed", check.AWS, check.Failed),
		outcome("d-skipped", check.AWS, check.Skipped), outcome("e-unseen", check.AWS, check.NotAllowed),
	}
}

// TestVerdict: a failure is refused, and a warning if that was asked for.
func TestVerdict(t *testing.T) {
	all := each()
	for name, c := range map[string]struct {
		outcomes []check.Outcome
		failOn   check.Severity
		want     string // "": nothing
	}{
		"nothing":         {nil, check.Error, ""},
		"a warning":       {all[:2], check.Error, ""},
		"a warning fails": {all[:2], check.Warning, "1 check failed: b-warned"},
		"a failure":       {all, check.Error, "1 check failed: c-failed"},
		"both":            {all, check.Warning, "2 checks failed: b-warned, c-failed"},
		"not looked at":   {all[3:], check.Warning, ""},
		"vital, skipped": {
			[]check.Outcome{vital(check.Leave("there is no frontend"))},
			check.Error,
			"not verified: 1 check that the verdict depends on found no answer: app",
		},
		"vital, not allowed": {
			[]check.Outcome{all[0], vital(check.Unseen("list deployments", "it"))},
			check.Error,
			"not verified: 1 check that the verdict depends on found no answer: app",
		},
		"vital, a pass": {[]check.Outcome{vital(check.Pass())}, check.Warning, ""},
	} {
		err := verdict(c.outcomes, c.failOn)
		var told *problem.Error
		if (err == nil) != (c.want == "") || err != nil && (!errors.As(err, &told) || told.Kind != problem.Refused || told.What != c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// vital is an outcome without which nobody knows whether the app is healthy.
func vital(finding check.Finding) check.Outcome {
	return check.Outcome{Check: check.Check{ID: "app", Vital: true}, Finding: finding}
}

func TestTally(t *testing.T) {
	for want, outcomes := range map[string][]check.Outcome{
		"0 passed": nil,
		"1 passed, 1 warned, 1 failed, 2 not looked at (not allowed: e-unseen)": each(),
		"0 passed, 1 failed": each()[2:3],
	} {
		if got := tally(outcomes); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestGroupsInOrder: a group is printed when it is whole and those before it are.
func TestGroupsInOrder(t *testing.T) {
	var out bytes.Buffer
	var checks []check.Check
	for _, o := range each() {
		checks = append(checks, o.Check)
	}
	r := newReport(writingTo(&out), Request{Output: session.FormatTable}, checks, time.Now())
	all := each()
	for _, o := range append(slices.Clone(all[2:]), all[1]) {
		r.add(o)
		if out.Len() > 0 {
			t.Fatalf("printed too early: %s", &out)
		}
	}
	r.add(all[0])
	text := out.String()
	first, second := strings.Index(text, string(check.Cluster)), strings.Index(text, "c-failed")
	if first < 0 || second < first || strings.Contains(text, "a-passed") || strings.Contains(text, "d-skipped") || !strings.Contains(text, "not allowed: what of e-unseen") {
		t.Errorf("%s", text)
	}
}

// TestVerbose: what passed and what was skipped is named only if that is asked for.
func TestVerbose(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		var out bytes.Buffer
		r := newReport(writingTo(&out), Request{Verbose: verbose}, nil, time.Now())
		r.detail(each()[0])
		r.detail(each()[3])
		if text := out.String(); strings.Contains(text, "title of a-passed") != verbose || strings.Contains(text, "skipped: why of d-skipped") != verbose || strings.Contains(text, "fix") {
			t.Errorf("verbose %t: %q", verbose, text)
		}
	}
}

// TestDocuments: the documents count what the checks found; a warning is a failure of the
// tests only if that was asked for.
func TestDocuments(t *testing.T) {
	written := func(r Request) []byte {
		var out bytes.Buffer
		s := writingTo(&out)
		if err := newReport(s, r, nil, s.Now()).end(each()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	var document struct {
		Checks []checkDocument
		Counts map[check.Status]int
	}
	if err := json.Unmarshal(written(Request{Output: session.FormatJSON}), &document); err != nil {
		t.Fatal(err)
	}
	for n, o := range each() {
		if one := document.Checks[n]; document.Counts[o.Status] != 1 || one.ID != o.ID || one.Status != o.Status || one.What != o.What || one.Why != o.Why || one.Next != o.Next {
			t.Errorf("%+v, %v", one, document.Counts)
		}
	}
	for failOn, failures := range map[check.Severity]int{check.Error: 1, check.Warning: 2} {
		var suite junitSuite
		if err := xml.Unmarshal(written(Request{Output: session.FormatJUnit, FailOn: failOn}), &suite); err != nil {
			t.Fatal(err)
		}
		if suite.Tests != 5 || suite.Failures != failures || suite.Skipped != 2 {
			t.Errorf("%s: %+v", failOn, suite)
		}
		var got []string
		for _, one := range suite.Cases {
			switch {
			case one.Failure != nil:
				got = append(got, one.Name+" fails")
			case one.Skipped != nil:
				got = append(got, one.Name+" is skipped")
			case one.Output != "":
				got = append(got, one.Name+" says")
			}
		}
		want := []string{"b-warned says", "c-failed fails", "d-skipped is skipped", "e-unseen is skipped"}
		if failOn == check.Warning {
			want[0] = "b-warned fails"
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", failOn, got)
		}
	}
}

// TestRunRecalls: the role of the record is looked at. Before an install it is the
// project's only if IAM shows it; this one does not exist.
func TestRunRecalls(t *testing.T) {
	for _, pre := range []bool{false, true} {
		server, account := sessiontest.Empty(t)
		server.Answer("GET /api/v1/namespaces/demo/configmaps/ostoy-s3", map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "ostoy-s3", "namespace": "demo", "labels": map[string]any{render.TagManagedBy: render.ManagedBy}},
			"data": map[string]any{"roleARN": "arn:aws:iam::123456789012:role/mine"},
		})
		var mu sync.Mutex
		var asked []string
		account.Handle("GetRole", func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, r.FormValue("RoleName"))
			http.Error(w, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>", http.StatusNotFound)
		})
		s, _, stderr := sessiontest.New(t, server, account)
		if err := Run(t.Context(), s, request(func(r *Request) { r.Pre, r.Only = pre, []string{check.IDRole} })); err != nil {
			t.Fatalf("%v\n%s", err, stderr)
		}
		mu.Lock()
		usual := render.RoleName("https://oidc.example.com/one", "demo")
		if !slices.Contains(asked, "mine") || slices.Contains(asked, usual) != pre {
			t.Errorf("before an install %t: asks for %q", pre, asked)
		}
		mu.Unlock()
	}
}

// TestLittle: where the cluster or AWS does not answer, the other is looked at.
func TestLittle(t *testing.T) {
	config := &detect.AWS{Config: awstest.New(t).Config()}
	for name, c := range map[string]struct {
		failures project.Failures
		aws      *detect.AWS
		exists   bool
		asks     bool
		want     check.Namespace
	}{
		"no cluster":     {project.Failures{Cluster: errors.New("away")}, config, false, true, check.NamespaceMissing},
		"no credentials": {project.Failures{AWS: errors.New("expired")}, config, true, false, check.NamespaceExists},
		"no AWS at all":  {project.Failures{Issuer: errors.New("none")}, nil, true, false, check.NamespaceExists},
	} {
		p := project.Project{Failures: c.failures, State: project.State{Exists: c.exists}}
		p.Found.AWS = c.aws
		world, target := little(p)
		if (world.Roles != nil) != c.asks || (world.Buckets != nil) != c.asks || target.Namespace != c.want {
			t.Errorf("%s: %v, %v, %v", name, world.Roles, world.Buckets, target.Namespace)
		}
	}
}
