package install

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// given is a controller that is installed with the app, or is there already, and of which
// one part fails.
type given struct {
	changes bool
	fails   string
	err     error
	called  []string
}

func (g *given) call(part string) error {
	g.called = append(g.called, part)
	if part == g.fails {
		return g.err
	}
	return nil
}

func (g *given) MayPlan(context.Context, project.Project) error { return g.call("may plan") }
func (g *given) Plan(context.Context, project.Project) error    { return g.call("plan") }
func (g *given) MayExecute(context.Context) error               { return g.call("may execute") }
func (g *given) Execute(context.Context) error                  { return g.call("execute") }
func (g *given) Changes() bool                                  { return g.changes }
func (g *given) LooksAtRole() bool                              { return false }
func (g *given) AnnounceNotes()                                 {}
func (g *given) AnnounceReach()                                 {}
func (g *given) AnnounceSteps()                                 {}
func (g *given) Document() any                                  { return "a document of the controller" }

func (g *given) Done() string {
	if slices.Contains(g.called, "execute") {
		return "begun"
	}
	return ""
}

// TestRunWithController: it is planned with the app and comes before it; what refuses it
// refuses both, and what of it has been done is said.
func TestRunWithController(t *testing.T) {
	no := &problem.Error{Kind: problem.Refused, What: "not this one"}
	for name, c := range map[string]struct {
		controller given
		change     func(*Request)
		called     []string
		app        bool // it is made
		says       string
	}{
		"comes":             {given{changes: true}, func(*Request) {}, []string{"may plan", "plan", "may execute", "execute"}, true, ""},
		"is there":          {given{}, func(*Request) {}, []string{"may plan", "plan", "execute"}, true, ""},
		"may not be seen":   {given{fails: "may plan", err: no}, func(*Request) {}, []string{"may plan"}, false, ""},
		"cannot be planned": {given{fails: "plan", err: no}, func(*Request) {}, []string{"may plan", "plan"}, false, ""},
		"may not come":      {given{changes: true, fails: "may execute", err: no}, func(*Request) {}, []string{"may plan", "plan", "may execute"}, false, ""},
		"fails":             {given{changes: true, fails: "execute", err: no}, func(*Request) {}, []string{"may plan", "plan", "may execute", "execute"}, false, announce.Stays + "begun"},
		"in a dry run":      {given{changes: true}, func(r *Request) { r.DryRun = session.DryRunClient }, []string{"may plan", "plan"}, false, "nothing was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t)
			err := Run(t.Context(), p.session, p.request(func(r *Request) { r.Controller = &c.controller; c.change(r) }))
			if c.controller.err == nil && err != nil || c.controller.err != nil && !errors.Is(err, c.controller.err) {
				t.Errorf("%v\n%s", err, p.err)
			}
			if !slices.Equal(c.controller.called, c.called) {
				t.Errorf("calls %q, want %q", c.controller.called, c.called)
			}
			if writes := p.writes(); (len(writes) > 0) != c.app || !strings.Contains(p.err.String(), c.says) {
				t.Errorf("writes %q, says %s", writes, p.err)
			}
			if err == nil && !strings.Contains(p.stdout.String(), "a document of the controller") {
				t.Errorf("%s", p.stdout)
			}
		})
	}
}

// TestControllerPart: what the checks leave to the controller's own plan.
func TestControllerPart(t *testing.T) {
	recorded := project.Project{}
	recorded.Inventory.Found = true
	i := newRun(Request{})
	none := controllerPart(i, recorded)
	i.request.Controller = &given{changes: true}
	comes := controllerPart(i, recorded)
	i.request.Controller = &given{}
	first, again := controllerPart(i, project.Project{}), controllerPart(i, recorded)
	if none != first || comes == none || again == none || again == comes {
		t.Errorf("%d, %d, %d, %d", none, comes, first, again)
	}
}

// TestBucketsServed: a cluster that serves Buckets is waited for no longer, one that does
// not answer is no answer, and an end of the run is not the controller's fault.
func TestBucketsServed(t *testing.T) {
	server := clustertest.New(t, "v1.33.0", "s3.services.k8s.aws/v1alpha1/Bucket")
	connect := func() project.Project {
		conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return project.Project{Conn: conn}
	}
	if err := bucketsServed(t.Context(), connect()); err != nil {
		t.Error(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	var told *problem.Error
	if err := bucketsServed(ended, connect()); !errors.Is(err, context.Canceled) || errors.As(err, &told) && told.Kind == problem.NotReady {
		t.Errorf("interrupted: %v", err)
	}
	server.Refuse("GET /apis", 401, "Unauthorized", "who are you")
	if err := bucketsServed(t.Context(), connect()); err == nil {
		t.Error("no answer is one")
	}
}
