package install

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestByHandNote: the namespace is named, and whether it is created.
func TestByHandNote(t *testing.T) {
	for _, c := range []struct {
		makes bool
		want  string
	}{{true, "only the namespace ack-system, the role"}, {false, "the controller in namespace ack-system are"}} {
		run, _ := reachRun(Request{})
		run.facts.Namespace.Value = "ack-system"
		run.plan.Mode, run.plan.MakesNamespace = controller.ByHand, c.makes
		if notes := notes(run); len(notes) != 1 || !strings.Contains(notes[0], c.want) {
			t.Errorf("%t: %q", c.makes, notes)
		}
	}
}

// TestObjectsCounted: one object is singular.
func TestObjectsCounted(t *testing.T) {
	role := &apply.Item{Ref: apply.Ref{Kind: "ClusterRole", Name: "a"}, Action: apply.Create}
	for want, items := range map[string][]*apply.Item{" 1 object  ClusterRole\n": {role}, " 2 objects 2 ClusterRoles\n": {role, role}} {
		run, talk := reachRun(Request{})
		run.plan.Objects = &apply.Plan{Items: items}
		tellObjects(run)
		if !strings.Contains(talk.String(), want) {
			t.Errorf("%q, want %q", talk, want)
		}
	}
}

// TestRenderLine: the values that the line prints are for the role of this run.
func TestRenderLine(t *testing.T) {
	flag := func(name, value string) render.Fact { return render.Fact{Value: value, Source: "flag --" + name} }
	c := &run{}
	c.facts.Namespace.Value = "ack-system"
	if got, want := renderLine(c), "oc ostoy-s3 controller render --values"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c.facts.Namespace.Value = "else where's"
	c.facts.Region = render.Fact{Value: "eu-west-1", Source: "AWS configuration"}
	c.request.Facts.Given.Region = flag("region", "us-west-2")
	c.request.Facts.File, c.request.Facts.Profile = "facts.yaml", "work"
	c.request.Identity, c.request.Role.Name, c.request.Role.Path = "annotation", "r", "/p/"
	want := `oc ostoy-s3 controller render --values -n 'else where'\''s' --facts facts.yaml --profile work --region us-west-2 --identity annotation --role-name r --role-path /p/`
	if got := renderLine(c); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
