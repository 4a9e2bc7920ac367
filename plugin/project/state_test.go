package project

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func TestRandomProjectFitsItsBucket(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		name, err := RandomName()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "ostoy-") || len(name) != len("ostoy-")+8 || seen[name] {
			t.Fatalf("name %q", name)
		}
		if err := (render.Facts{Namespace: render.Fact{Value: name}}).Validate(); err != nil {
			t.Fatal(err)
		}
		seen[name] = true
	}
}

// TestMadeByUs fixes the mark on our projects for ever: a release with another
// one would take the projects of an earlier one for somebody else's.
func TestMadeByUs(t *testing.T) {
	if got := Mark("demo"); got != "made by oc ostoy-s3 (2a97516c)" {
		t.Errorf("mark %q", got)
	}
	if Mark("demo") == Mark("other") {
		t.Error("the mark can be copied from one project to another")
	}
	for state, want := range map[State]string{
		{}:                         apply.OriginCreated, // this run makes it
		{Exists: true}:             apply.OriginExisting,
		{Exists: true, Ours: true}: apply.OriginCreated,
	} {
		if got := state.Origin(); got != want {
			t.Errorf("%+v: origin %s, want %s", state, got, want)
		}
	}
}

func TestNewProjectThatIsThere(t *testing.T) {
	for name, c := range map[string]struct {
		state   State
		refused bool
	}{
		"somebody's":                       {State{Exists: true}, true},
		"ours, of a run that was cut off":  {State{Exists: true, Ours: true}, false},
		"ours, and on its way out":         {State{Exists: true, Ours: true, Terminating: true}, true},
		"not there, as a new one ought to": {State{}, false},
	} {
		if err := c.state.MayInstall("demo", true); (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
