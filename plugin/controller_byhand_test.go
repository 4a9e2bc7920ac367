package plugin

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestRenderLine: the values that the line prints are for the role of this run.
func TestRenderLine(t *testing.T) {
	flag := func(name, value string) render.Fact { return render.Fact{Value: value, Source: "flag --" + name} }
	c := &controllerRun{}
	c.facts.Namespace.Value = "ack-system"
	if got, want := c.renderLine(), "oc ostoy-s3 controller render"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	c.facts.Namespace.Value = "else where's"
	c.facts.Region = render.Fact{Value: "eu-west-1", Source: "AWS configuration"}
	c.request.Facts.Given.Region = flag("region", "us-west-2")
	c.request.Facts.File, c.request.Facts.Profile = "facts.yaml", "work"
	c.request.Identity, c.request.Role.Name, c.request.Role.Path = "annotation", "r", "/p/"
	want := `oc ostoy-s3 controller render -n 'else where'\''s' --facts facts.yaml --profile work --region us-west-2 --identity annotation --role-name r --role-path /p/`
	if got := c.renderLine(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
