package iam

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	tutorialPolicy = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	tutorialTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc"},` +
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.op1.openshiftapps.com/2abc:sub":"system:serviceaccount:demo:ostoy-sa"}}}]}`
)

// byTutorial is a role as the tutorial makes it.
func byTutorial() *Actual {
	return &Actual{
		Exists: true, ARN: "arn:aws:iam::123456789012:role/ostoy-sa-role", Path: "/",
		Trust: tutorialTrust, Tags: map[string]string{}, Attached: []string{tutorialPolicy},
	}
}

func tightened(t *testing.T, tighten bool) Role {
	t.Helper()
	role, err := Desired(facts(), RoleOptions{Name: "ostoy-sa-role", Path: "/", Tighten: tighten})
	if err != nil {
		t.Fatal(err)
	}
	return role
}

// TestTightenSteps: the app gets its policy before the tutorial's is detached, and the role
// is tagged once its trust policy is replaced. Without --tighten-role nothing is planned.
func TestTightenSteps(t *testing.T) {
	plan, err := NewPlan(tightened(t, true), byTutorial(), facts())
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, s := range plan.Steps {
		kinds = append(kinds, string(s.Kind))
	}
	if have := strings.Join(kinds, " "); have != "update-trust tag-role put-policy detach-policy" {
		t.Errorf("steps %s", have)
	}
	if notes := strings.Join(plan.Notes, "; "); !strings.Contains(notes, "--tighten-role") || strings.Contains(notes, "stays") {
		t.Errorf("notes %s", notes)
	}
	if parts := plan.Parts(); !slices.ContainsFunc(parts, func(p Part) bool { return p.Name == "managed-policies" && p.After == "" }) {
		t.Errorf("parts %+v", parts)
	}
	if _, err := NewPlan(tightened(t, false), byTutorial(), facts()); err == nil {
		t.Error("taken over without leave")
	}
	also := byTutorial()
	also.Attached = append(also.Attached, "arn:aws:iam::123456789012:policy/theirs")
	plan, err = NewPlan(tightened(t, true), also, facts())
	if err != nil || !strings.Contains(strings.Join(plan.Notes, "; "), "policy/theirs on the role is not managed by ostoy-s3 and stays") {
		t.Errorf("%v, %v", plan, err)
	}
}

// TestTightenEndsInNothingToDo, wherever it is cut off.
func TestTightenEndsInNothingToDo(t *testing.T) {
	for cut := range 5 {
		api := newFake()
		api.roles["ostoy-sa-role"] = &role{path: "/", trust: tutorialTrust, tags: map[string]string{}, inline: map[string]string{}, attached: []string{tutorialPolicy}}
		look := func() *Plan {
			t.Helper()
			actual, err := Read(t.Context(), api, "ostoy-sa-role", true)
			if err != nil {
				t.Fatal(err)
			}
			actual.ARN = byTutorial().ARN
			plan, err := NewPlan(tightened(t, true), actual, facts())
			if err != nil {
				t.Fatal(err)
			}
			return plan
		}
		begun := look()
		begun.Steps = begun.Steps[:min(cut, len(begun.Steps))]
		for _, plan := range []*Plan{begun, look()} {
			if _, err := Execute(t.Context(), api, plan); err != nil {
				t.Fatal(err)
			}
		}
		if plan := look(); !plan.Empty() || len(api.roles["ostoy-sa-role"].attached) > 0 {
			t.Errorf("cut after %d steps, left to do %+v", cut, plan.Steps)
		}
	}
}

func TestTightenRefusesWhatOthersNeed(t *testing.T) {
	trust := func(from, to string) func(*Actual) {
		return func(a *Actual) { a.Trust = strings.Replace(tutorialTrust, from, to, 1) }
	}
	const subject = `"system:serviceaccount:demo:ostoy-sa"`
	for want, change := range map[string]func(*Actual){
		"lets in system:serviceaccount:other:ostoy-sa, who": trust(subject, `[`+subject+`,"system:serviceaccount:other:ostoy-sa"]`),
		"lets in system:serviceaccount:demo:*":              trust(`"StringEquals":{"oidc.op1.openshiftapps.com/2abc:sub":`+subject, `"StringLike":{"oidc.op1.openshiftapps.com/2abc:sub":"system:serviceaccount:demo:*"`),
		"every service account of the cluster":              trust(`"Condition":{"StringEquals":{"oidc.op1.openshiftapps.com/2abc:sub":`+subject+`}}`, `"Condition":{}`),
		"arn:aws:iam::123456789012:root":                    trust(`}}}]}`, `}}},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`),
		"somebody that cannot be read":                      trust(`{`, `[`),
		"stack of-theirs":                                   func(a *Actual) { a.Tags["aws:cloudformation:stack-name"] = "of-theirs" },
		"namespace other":                                   func(a *Actual) { a.Tags = render.OwnershipTags(facts()); a.Tags[render.TagNamespace] = "other" },
	} {
		actual := byTutorial()
		change(actual)
		_, err := NewPlan(tightened(t, true), actual, facts())
		var told *problem.Error
		if !errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Why, want) || told.Next == "" {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestAdmits(t *testing.T) {
	role, issuer := tightened(t, false), facts().Issuer.Value
	for name, c := range map[string]struct {
		trust string
		want  bool
	}{
		"the tutorial's":  {tutorialTrust, true},
		"another project": {strings.Replace(tutorialTrust, "demo:", "other:", 1), false},
		"another cluster": {strings.ReplaceAll(tutorialTrust, "2abc", "1old"), false},
		"other audience":  {strings.Replace(tutorialTrust, `"StringEquals":{`, `"StringEquals":{"oidc.op1.openshiftapps.com/2abc:aud":"openshift",`, 1), false},
		"shut out":        {strings.Replace(tutorialTrust, `"Statement":[`, `"Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:*"},`, 1), false},
		"unreadable":      {"nonsense", false},
	} {
		if have := role.Admits(c.trust, issuer); have != c.want {
			t.Errorf("%s: %v", name, have)
		}
	}
	wider := strings.Join(role.Wider(byTutorial(), issuer), "; ")
	if !strings.Contains(wider, "every bucket") || !strings.Contains(wider, "any audience") {
		t.Errorf("wider: %s", wider)
	}
}
