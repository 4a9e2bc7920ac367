package plan

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF3RenderRoleNamesNoPolicyOfTheRecord: the command that prints a role names a policy
// only if you gave it.
func TestF3RenderRoleNamesNoPolicyOfTheRecord(t *testing.T) {
	d := Desired{Project: project.Project{Facts: render.Facts{Namespace: render.Fact{Value: "demo"}}}}
	desired := iam.Role{Name: "r", Path: render.RolePath, PolicyARN: "arn:aws:iam::aws:policy/AdministratorAccess"}
	if got, want := d.RenderRole(desired), "oc ostoy-s3 iam render -n demo --role-name r"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	d.Request.Role.PolicyARN = "arn:aws:iam::aws:policy/x'y"
	desired.Name, desired.Path = "-odd", "/$(id)/"
	want := `oc ostoy-s3 iam render -n demo --role-name=-odd --role-path '/$(id)/' --policy-arn 'arn:aws:iam::aws:policy/x'\''y'`
	if got := d.RenderRole(desired); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestF2Adoption: what is adopted is named by legal values.
func TestF2Adoption(t *testing.T) {
	const poison = advicetest.Quotes + advicetest.Lines + advicetest.Control
	got := policies(&iam.Actual{Attached: []string{poison, "arn:aws:iam::aws:policy/ReadOnlyAccess"}, Inlines: []string{poison}})
	if len(got) != 3 || strings.Contains(got[0], "touch") || got[1] != "arn:aws:iam::aws:policy/ReadOnlyAccess" || strings.ContainsAny(got[2], "\n\x1b\u202e") {
		t.Errorf("%q", got)
	}
	if why := useless(iam.Role{ARN: "arn:aws:iam::123456789012:role/r"}, &iam.Actual{Exists: true, ARN: poison}, render.Facts{}); strings.Contains(why, "touch") {
		t.Error(why)
	}
}
