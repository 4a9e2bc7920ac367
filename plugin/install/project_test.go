package install

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// marked is a namespace that this tool made.
func marked(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "labels": map[string]any{render.TagManagedBy: render.ManagedBy}},
	}}
}

// inNewProject is an install into a project still to be made, on a played cluster that
// says whether Buckets may be made in it.
func inNewProject(t *testing.T, name string, mayMakeBuckets bool) (*run, project.Project, *clustertest.Server) {
	t.Helper()
	s := clustertest.New(t, "v1.34.0", "v1/Namespace", "authorization.k8s.io/v1/SelfSubjectAccessReview")
	s.Answer("POST /api/v1/namespaces", marked(name).Object)
	s.Answer("DELETE /api/v1/namespaces/"+name, marked(name).Object)
	s.Answer("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": map[string]any{},
		"status": map[string]any{"allowed": mayMakeBuckets},
	})
	streams, _, _, talk := genericiooptions.NewTestIOStreams()
	shared := &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: s.Getter("default"), Now: time.Now}
	conn, err := shared.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := &run{Session: shared, board: shared.UI.Board(), done: &Done{}, request: Request{ProjectName: name, Use: true}}
	return i, project.Project{Conn: conn, Facts: render.Facts{Namespace: render.Fact{Value: name}}}, s
}

// TestUseComesAfterTheChecks: a project may be made before them, for its
// issuer, and be taken back.
func TestUseComesAfterTheChecks(t *testing.T) {
	i, p, _ := inNewProject(t, "demo", true)
	file := i.Getter.ToRawKubeConfigLoader().ConfigAccess().GetExplicitFile()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := makeProject(t.Context(), i, p); err != nil || i.done.Project != "demo" {
		t.Fatalf("made %q, %v", i.done.Project, err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the kubeconfig has changed already (%v):\n%s", err, after)
	}
}

// TestInterruptedWaitForRights: who pressed Ctrl-C is not told that rights are
// missing.
func TestInterruptedWaitForRights(t *testing.T) {
	i, p, s := inNewProject(t, "demo", false)
	ctx, cancel := context.WithCancel(t.Context())
	s.Hold = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") {
			cancel()
		}
	}
	if err := makeProject(ctx, i, p); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if i.done.Project != "" || s.Requests()["DELETE /api/v1/namespaces/demo"] == 0 {
		t.Error("the project stays")
	}
}

// TestProjectThatCannotBeRemoved: it is not the project of another name that is
// then chosen.
func TestProjectThatCannotBeRemoved(t *testing.T) {
	i, p, s := inNewProject(t, "ostoy-1", true)
	if err := makeProject(t.Context(), i, p); err != nil {
		t.Fatal(err)
	}
	s.Refuse("DELETE /api/v1/namespaces/ostoy-1", http.StatusConflict, metav1.StatusReasonConflict, "not now")
	removeProject(t.Context(), i)
	if i.done.Project != "" {
		t.Errorf("made %q", i.done.Project)
	}
	if text := i.done.SoFar(); !strings.Contains(text, "project ostoy-1 created, and not removed again") {
		t.Errorf("says %q", text)
	}
}

// TestOnceMore: where this run chose the project's name, the same command would
// choose another one and leave this one behind.
func TestOnceMore(t *testing.T) {
	const again = "run the same command again: it continues"
	one := &problem.Error{Kind: problem.Failed, What: "x", Next: again, Err: context.DeadlineExceeded}
	several := &problem.Several{Problems: []*problem.Error{one}, Note: "n"}
	i := &run{request: Request{ProjectName: AnyProject}, done: &Done{Project: "ostoy-1"}}
	const want = "run the same command again: it continues\nthe command is now: oc ostoy-s3 install -n ostoy-1"
	var told *problem.Error
	if err := i.onceMore(one); !errors.As(err, &told) || told.Next != want || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v", told)
	}
	var all *problem.Several
	if err := i.onceMore(several); !errors.As(err, &all) || all.Problems[0].Next != want || all.Note != "n" {
		t.Errorf("%+v", all)
	}
	i.request.ProjectName = "demo"
	if err := i.onceMore(one); !errors.As(err, &told) || told.Next != again {
		t.Errorf("a name of the user's: %+v", told)
	}
	if i.onceMore(nil) != nil {
		t.Error("an error out of none")
	}
}

// TestProjectMadeThoughTheAnswerWasLost: that it exists already is this run's own
// doing, or another install's, unless another mark, or none, is on it. Only this
// run's own is removed again if it stops.
func TestProjectMadeThoughTheAnswerWasLost(t *testing.T) {
	foreign := marked("demo")
	foreign.SetLabels(nil)
	for name, c := range map[string]struct {
		there      *unstructured.Unstructured
		lost       bool
		made, want bool
	}{
		"ours":               {marked("demo"), true, true, true},
		"somebody else's":    {foreign, true, false, false},
		"of another install": {marked("demo"), false, false, true},
		"there before":       {foreign, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			i, p, s := inNewProject(t, "demo", true)
			s.Answer("GET /api/v1/namespaces/demo", c.there.Object)
			var lost atomic.Bool // the second request comes on a connection of its own
			lost.Store(c.lost)
			s.Handle("POST /api/v1/namespaces", func(w http.ResponseWriter, _ *http.Request) {
				if lost.Swap(false) {
					panic(http.ErrAbortHandler)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusConflict)
				_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"AlreadyExists","code":409,"message":"it exists"}`))
			})
			err := makeProject(t.Context(), i, p)
			var refused *problem.Error
			if c.want && err != nil || !c.want && !(errors.As(err, &refused) && refused.Kind == problem.Refused) || (i.done.Project != "") != c.made {
				t.Errorf("made %q, %v", i.done.Project, err)
			}
		})
	}
}
