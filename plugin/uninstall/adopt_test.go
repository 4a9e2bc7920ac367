package uninstall

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// withTag is a copy of tags with one changed.
func withTag(tags map[string]string, key, value string) map[string]string {
	changed := maps.Clone(tags)
	changed[key] = value
	return changed
}

// TestF7AdoptRoleOfAnotherCluster: --adopt=role is about policies that others attached to
// the project's own role. The inventory and the service account, which everybody who can
// edit the project can write, lead to no other role with it.
func TestF7AdoptRoleOfAnotherCluster(t *testing.T) {
	ours := render.OwnershipTags(removing().app.facts)
	for name, c := range map[string]struct {
		tags  map[string]string
		facts func(*render.Facts)
		want  bool
	}{
		"the project's": {ours, nil, true},
		"issuer by flag": {withTag(ours, render.TagIssuer, "https://given.example.com"), func(f *render.Facts) {
			f.Issuer = render.Fact{Value: "https://given.example.com", Source: "--oidc-issuer"}
		}, true},
		"another issuer's":                           {withTag(ours, render.TagIssuer, "https://another.example.com"), nil, false},
		"of an issuer that only the inventory names": {ours, func(f *render.Facts) { f.Issuer.Source = project.OnRecord }, false},
		"the issuer is not known":                    {withTag(ours, render.TagIssuer, ""), func(f *render.Facts) { f.Issuer = render.Fact{} }, false},
		"another cluster's of the issuer":            {withTag(ours, render.TagClusterID, "b"), func(f *render.Facts) { f.ClusterID.Value = "a" }, false},
		"another project's":                          {withTag(ours, render.TagNamespace, "x"), nil, false},
		"another tool's":                             {withTag(ours, render.TagManagedBy, "terraform"), nil, false},
		"no tags":                                    {nil, nil, false},
	} {
		e := removing()
		e.app.request.Adopt = adopt.Role
		if c.facts != nil {
			c.facts(&e.app.facts)
		}
		if got := removalOptions(e.app, "x", &iam.Actual{Tags: c.tags}).Adopt; got != c.want {
			t.Errorf("%s: %t", name, got)
		}
		roles := &oneRole{name: "theirs", tags: c.tags, attached: []string{"arn:a", "arn:b"}}
		e.app.removal.Inventory.RoleARN = "arn:aws:iam::123456789012:role/ostoy-s3/theirs"
		role, err := findRole(t.Context(), e.app, roles)
		if c.want {
			if err != nil || role.plan == nil || role.plan.Name != "theirs" {
				t.Errorf("%s: %+v, %v", name, role.plan, err)
			}
			continue
		}
		if role.plan != nil {
			t.Errorf("%s: %+v is removed", name, role.plan)
		}
		if len(role.others) == 1 && err == nil { // it stays, and ends nothing
			err = &problem.Error{Kind: problem.Refused, Next: role.others[0].Next}
		}
		var told *problem.Error
		if !errors.As(err, &told) || told.Kind != problem.Refused {
			t.Errorf("%s: %+v, %v", name, role.others, err)
			continue
		}
		if strings.Contains(told.Next, "https://") || strings.Contains(told.Next, "--adopt=role") || strings.Contains(told.Next, "aws iam") {
			t.Errorf("%s: a flag that removes the role is suggested: %s", name, told.Next)
		}
	}
}
