package plugin

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// inNewProject is an install into a project still to be made, on a played
// cluster that says whether Buckets may be made in it.
func inNewProject(t *testing.T, name string, mayMakeBuckets bool) (*install, *clustertest.Server) {
	t.Helper()
	s := clustertest.New(t, "v1.34.0", "v1/Namespace", "authorization.k8s.io/v1/SelfSubjectAccessReview")
	s.Answer("POST /api/v1/namespaces", namespaceObject(name).Object)
	s.Answer("DELETE /api/v1/namespaces/"+name, namespaceObject(name).Object)
	s.Answer("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": map[string]any{},
		"status": map[string]any{"allowed": mayMakeBuckets},
	})
	streams, _, _, talk := genericiooptions.NewTestIOStreams()
	app := &App{&session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: s.Getter("default"), Now: time.Now}}
	conn, err := app.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &install{
		App: app, conn: conn, board: app.UI.Board(),
		facts:   render.Facts{Namespace: render.Fact{Value: name}},
		request: InstallRequest{ProjectName: name, Use: true},
	}, s
}

// TestUseComesAfterTheChecks: a project may be made before them, for its
// issuer, and be taken back.
func TestUseComesAfterTheChecks(t *testing.T) {
	i, _ := inNewProject(t, "demo", true)
	file := i.Getter.ToRawKubeConfigLoader().ConfigAccess().GetExplicitFile()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := i.makeProject(t.Context()); err != nil || !i.madeProject {
		t.Fatalf("made %t, %v", i.madeProject, err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("the kubeconfig has changed already (%v):\n%s", err, after)
	}
}

// TestInterruptedWaitForRights: who pressed Ctrl-C is not told that rights are
// missing.
func TestInterruptedWaitForRights(t *testing.T) {
	i, s := inNewProject(t, "demo", false)
	ctx, cancel := context.WithCancel(t.Context())
	s.Hold = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews") {
			cancel()
		}
	}
	if err := i.makeProject(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if i.madeProject || s.Requests()["DELETE /api/v1/namespaces/demo"] == 0 {
		t.Error("the project stays")
	}
}

// TestProjectThatCannotBeRemoved: it is not the project of another name that is
// then chosen.
func TestProjectThatCannotBeRemoved(t *testing.T) {
	i, s := inNewProject(t, "ostoy-1", true)
	if err := i.makeProject(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Refuse("DELETE /api/v1/namespaces/ostoy-1", http.StatusConflict, metav1.StatusReasonConflict, "not now")
	i.removeProject(t.Context())
	if i.project.exists || i.madeProject {
		t.Errorf("%+v, made %t", i.project, i.madeProject)
	}
	if text := i.doneSoFar(); !strings.Contains(text, "project ostoy-1 created, and not removed again") {
		t.Errorf("says %q", text)
	}
}

// TestRoleLeftBehind: a role of another name is told of when it is given up, and
// nothing is made of a record that is none.
func TestRoleLeftBehind(t *testing.T) {
	const used = "arn:aws:iam::123456789012:role/ostoy-s3/new"
	for record, want := range map[string]string{
		"": "", used: "", "not an ARN\x1b[2J": "", "arn:aws:iam::123456789012:role/x;y": "",
		"arn:aws:iam::123456789012:role/ostoy-s3/old": "aws iam list-role-tags --role-name ROLE",
	} {
		streams, _, _, talk := genericiooptions.NewTestIOStreams()
		i := &install{App: &App{&session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now)}}, role: &iam.Plan{Role: iam.Role{ARN: used}}}
		i.inventory.RoleARN = record
		i.announceNotes()
		if text := talk.String(); want == "" && text != "" || !strings.Contains(text, want) {
			t.Errorf("%q: %q, want %q", record, text, want)
		}
	}
}

func TestNewProjectThatIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		project project
		refused bool
	}{
		"somebody's":                       {project{exists: true}, true},
		"ours, of a run that was cut off":  {project{exists: true, ours: true}, false},
		"ours, and on its way out":         {project{exists: true, ours: true, terminating: true}, true},
		"not there, as a new one ought to": {project{}, false},
	} {
		i := &install{request: InstallRequest{ProjectName: "demo"}, project: c.project}
		i.facts.Namespace.Value = "demo"
		if err := i.mayGoOn(); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOnceMore: where this run chose the project's name, the same command would
// choose another one and leave this one behind.
func TestOnceMore(t *testing.T) {
	const again = "run the same command again: it continues"
	one := &problem.Error{Kind: problem.Failed, What: "x", Next: again, Err: context.DeadlineExceeded}
	several := &problem.Several{Problems: []*problem.Error{one}, Note: "n"}
	i := &install{request: InstallRequest{ProjectName: AnyProject}, madeProject: true}
	i.facts.Namespace.Value = "ostoy-1"
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
	foreign := namespaceObject("demo")
	foreign.SetLabels(nil)
	for name, c := range map[string]struct {
		there      *unstructured.Unstructured
		lost       bool
		made, want bool
	}{
		"ours":               {namespaceObject("demo"), true, true, true},
		"somebody else's":    {foreign, true, false, false},
		"of another install": {namespaceObject("demo"), false, false, true},
		"there before":       {foreign, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			i, s := inNewProject(t, "demo", true)
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
			err := i.makeProject(t.Context())
			var refused *problem.Error
			if c.want && err != nil || !c.want && !(errors.As(err, &refused) && refused.Kind == problem.Refused) || i.madeProject != c.made || i.project.exists != c.want {
				t.Errorf("made %t, %v", i.madeProject, err)
			}
		})
	}
}
