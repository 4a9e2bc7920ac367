package iam

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// poisonedRoles are what a project's editor can write where a role is expected.
func poisonedRoles() []string {
	const poison = advicetest.Quotes + advicetest.Lines + advicetest.Control
	const role = "arn:aws:iam::123456789012:role/"
	return []string{
		poison, role + poison, role + "$(touch${IFS}/tmp/pwned)", role + "a'b", role + "`id`", role + "a;id", role + "x --policy-arn=arn:aws:iam::aws:policy/AdministratorAccess",
		role + "a\u202eb", role + "$(id)/name", role + "a b/name",
	}
}

// TestF2RolesOfTheRecord: a role that the project names is looked at, and its name
// becomes a flag, only if name and path are legal.
func TestF2RolesOfTheRecord(t *testing.T) {
	for _, text := range poisonedRoles() {
		if _, legal := advice.Role(text); legal {
			t.Errorf("%q is legal", text)
		}
	}
	for _, name := range []string{"mine/r", "r", "mine/-rf", "a!b/#c/~d/r"} {
		if arn, legal := advice.Role("arn:aws:iam::123456789012:role/" + name); !legal || "/"+name != arn.Path()+arn.Name() {
			t.Errorf("%s: %v, %t", name, arn, legal)
		}
	}
}

// TestRoleHere: only a role of the facts' account and partition is one, and only the names
// that the project's role has without flags are usual.
func TestRoleHere(t *testing.T) {
	const begin = "arn:aws:iam::123456789012:role/"
	f := facts()
	for text, here := range map[string]bool{
		begin + "p/r": true, "arn:aws:iam::222222222222:role/p/r": false, "arn:aws-cn:iam::123456789012:role/p/r": false, "": false, begin + "a b": false,
	} {
		if got := RoleHere(text, f); (got.String() == text) != here || !here && got != (render.ARN{}) {
			t.Errorf("%q: %v", text, got)
		}
	}
	for _, name := range render.RoleNames(f.Issuer.Value, f.Namespace.Value) {
		for text, want := range map[string]string{begin + "p/" + name: name, begin + "other": "", "arn:aws:iam::222222222222:role/" + name: ""} {
			if got := UsualNameIn(text, f); got != want {
				t.Errorf("%q: %q", text, got)
			}
		}
	}
}

// TestOwnPolicy: a policy that cannot be read is none.
func TestOwnPolicy(t *testing.T) {
	for text, statements := range map[string]int{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`: 1, "": 0, "{": 0} {
		if got := (&Actual{Inline: text}).OwnPolicy(); len(got.Statement) != statements {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if got := (*Actual)(nil).OwnPolicy(); len(got.Statement) > 0 {
		t.Errorf("%+v", got)
	}
}
