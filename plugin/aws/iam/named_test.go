package iam

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
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

// TestOwnPolicy: a policy that cannot be read is not an empty one. What it allows is not
// known: it is neither taken for too wide nor for enough.
func TestOwnPolicy(t *testing.T) {
	const notAction = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`
	role, err := Desired(facts(), RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	outlook := func(a *Actual) Outlook { return LookAhead(t.Context(), nil, role, a, a.OwnPolicy()) }
	for text, known := range map[string]bool{role.Policy.JSON(): true, "{}": true, "": false, "{": false, notAction: false} {
		a := &Actual{Exists: true, Inline: text}
		if got := a.OwnPolicy(); (got != nil) != known {
			t.Errorf("%q: %+v", text, got)
		}
		if o := outlook(a); o.OwnLacks() != (text != role.Policy.JSON()) || o.OwnIsWide(o.Forbidden()[0]) {
			t.Errorf("%q: %+v", text, o)
		}
	}
	if got := (*Actual)(nil).OwnPolicy(); got != nil {
		t.Errorf("%+v", got)
	}
	if wide := outlook(&Actual{Exists: true, Inline: statementOf("Allow", "*", "*")}); wide.OwnLacks() || !wide.OwnIsWide(wide.Forbidden()[0]) {
		t.Errorf("%+v", wide)
	}
}

// TestPolicyDrift: that the policy is not there is known from IAM's answer, and so is that
// the caller may not see it.
func TestPolicyDrift(t *testing.T) {
	role, err := Desired(facts(), RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		inline map[string]string
		tag    string
		answer error
		drift  string
		denied bool
	}{
		"as it should be":  {inline: map[string]string{PolicyName: role.Policy.JSON()}},
		"not there":        {drift: "it is not there"},
		"another instead":  {tag: "arn:aws:iam::aws:policy/p"},
		"cannot be read":   {inline: map[string]string{PolicyName: "{"}, drift: "the one there is not one of ours"},
		"not for everyone": {answer: apiError("AccessDenied", "no"), denied: true},
		"out of order":     {answer: apiError("ServiceFailure", "no")},
	} {
		api := newFake()
		api.put(role.Name, role.Path, map[string]string{render.TagPolicy: c.tag})
		api.roles[role.Name].inline = c.inline
		api.before = func(call string) error {
			if call == "GetRolePolicy" {
				return c.answer
			}
			return nil
		}
		drift, err := PolicyDrift(t.Context(), api, role)
		if (drift == "") != (c.drift == "") || !strings.HasPrefix(drift, c.drift) || (err != nil) != (c.answer != nil) || awserr.Denied(err) != c.denied {
			t.Errorf("%s: %q, %v", name, drift, err)
		}
	}
}
