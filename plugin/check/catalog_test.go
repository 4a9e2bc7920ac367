package check

import (
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// TestChosenChecks: what a check that is chosen stands on is chosen with it, and so is what
// tells why it says nothing; every id that one names is a check.
func TestChosenChecks(t *testing.T) {
	all := All(nil, Sources{}, Target{Namespace: NamespaceEither})
	for _, c := range all {
		for _, id := range slices.Concat(c.Needs, c.Beside) {
			if len(Only(all, id)) != 1 {
				t.Errorf("%s names %s, which is no check", c.ID, id)
			}
		}
	}
	for id, want := range map[string][]string{
		IDTrustAudience: {IDTrustAudience, IDTrust, IDRoleExists, IDInstalled, IDServer, IDIssuer, IDCredentials, IDAccount},
		IDObjects:       {IDObjects, IDBucketObject, IDEngines, IDBucketCRD},
		"app-strategy":  {"app-strategy", IDInstalled, IDServer},
	} {
		chosen := WithNeeds(all, []string{id})
		for _, one := range want {
			if len(Only(chosen, one)) != 1 {
				t.Errorf("%s is chosen without %s", id, one)
			}
		}
		if id == "app-strategy" && len(chosen) != len(want) {
			t.Errorf("%s is chosen with %v", id, chosen)
		}
	}
}

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
