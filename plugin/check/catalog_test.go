package check

import (
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// TestEachCheckOnce: what install looks at before it begins is looked at by check
// as well, and told once.
func TestEachCheckOnce(t *testing.T) {
	for name, world := range map[string]*live.World{"list": nil, "run": {}} {
		var ids []string
		for _, c := range All(world, Sources{}, Target{World: world, Namespace: NamespaceEither}) {
			if slices.Contains(ids, c.ID) {
				t.Errorf("%s: %s is there twice", name, c.ID)
			}
			ids = append(ids, c.ID)
		}
		if !slices.Contains(ids, IDController) {
			t.Errorf("%s: %s is not there", name, IDController)
		}
	}
	before := Pre(Target{World: &live.World{}})
	if !slices.ContainsFunc(before, func(c Check) bool { return c.ID == IDController }) {
		t.Error("install does not look for a controller")
	}
}
