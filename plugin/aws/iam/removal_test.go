package iam

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	s3Full   = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
)

// installed is the role as install leaves it, changed.
func installed(change func(*Actual)) *Actual {
	o := RoleOptions{}
	a := &Actual{
		Exists: true, ARN: ARN(facts(), o), Path: render.RolePath, Trust: trustJSON,
		Tags: render.OwnershipTags(facts()), Inline: policyJSON, Inlines: []string{PolicyName},
	}
	if change != nil {
		change(a)
	}
	return a
}

func TestRemovalPlan(t *testing.T) {
	usual := RemovalOptions{Name: RoleOptions{}.name(facts()), Path: render.RolePath}
	opt := func(change func(*RemovalOptions)) RemovalOptions {
		o := usual
		change(&o)
		return o
	}
	noRight := errors.New("denied")
	adopt := opt(func(o *RemovalOptions) { o.Adopt = true })
	for _, c := range []struct {
		name   string
		actual *Actual
		o      RemovalOptions
		steps  string
		notes  string // words of the notes
	}{
		{"not there", &Actual{}, usual, "", ""},
		{"not looked at", nil, usual, "", ""},
		{"as install left it", installed(nil), usual, "delete-policy delete-role", ""},
		{"wherever it is", installed(nil), RemovalOptions{Name: usual.Name}, "delete-policy delete-role", ""},
		{"half removed", installed(func(a *Actual) { a.Inline, a.Inlines = "", nil }), usual, "delete-role", ""},
		{"the policy only in the list", installed(func(a *Actual) { a.Inline = "" }), usual, "delete-policy delete-role", ""},
		{"with a boundary", installed(func(a *Actual) { a.Boundary = "arn:aws:iam::123456789012:policy/edge" }), usual, "delete-policy delete-role", ""},
		{
			"with the managed policy that install attached",
			installed(func(a *Actual) { a.Inline, a.Inlines, a.Attached = "", nil, []string{s3Full} }),
			opt(func(o *RemovalOptions) { o.PolicyARN = s3Full }), "detach-policy delete-role", "",
		},
		{"told of a managed policy that is not there", installed(nil), opt(func(o *RemovalOptions) { o.PolicyARN = s3Full }), "delete-policy delete-role", ""},
		{"lists closed", installed(func(a *Actual) { a.Inlines, a.InlinesErr, a.AttachedErr = nil, noRight, noRight }), usual, "delete-policy delete-role", "iam:ListRolePolicies iam:ListAttachedRolePolicies"},
		{"lists closed, told of a managed policy", installed(func(a *Actual) { a.Inline, a.Inlines, a.AttachedErr = "", nil, noRight }), opt(func(o *RemovalOptions) { o.PolicyARN = s3Full }), "detach-policy delete-role", "iam:ListAttachedRolePolicies"},
		{
			"policies of others, with leave",
			installed(func(a *Actual) { a.Inlines, a.Attached = []string{"zed", PolicyName}, []string{readOnly} }),
			adopt, "delete-policy detach-policy delete-policy delete-role", "",
		},
		{"a stranger's, with leave", installed(func(a *Actual) { a.Tags = map[string]string{"Name": "x"} }), adopt, "delete-policy delete-role", "is not ours and is removed Name=x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := RemovalPlan(c.actual, facts(), c.o)
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(plan.Steps); got != c.steps || plan.Empty() != (c.steps == "") {
				t.Errorf("steps %q, want %q", got, c.steps)
			}
			notes := strings.Join(plan.Notes, "\n")
			for _, word := range strings.Fields(c.notes) {
				if !strings.Contains(notes, word) {
					t.Errorf("notes do not say %q: %s", word, notes)
				}
			}
			if c.notes == "" && notes != "" {
				t.Errorf("notes: %s", notes)
			}
			for _, s := range plan.Steps {
				if !strings.HasPrefix(s.Action, "iam:D") || s.Resource != plan.ARN || s.What == "" || s.After != "" {
					t.Errorf("step %+v", s)
				}
			}
		})
	}
}

// Policies of others go first, ours next, and each step says which it is.
func TestRemovalStepsNameThePolicy(t *testing.T) {
	a := installed(func(a *Actual) { a.Inlines, a.Attached = []string{PolicyName, "theirs"}, []string{s3Full, readOnly} })
	plan, err := RemovalPlan(a, facts(), RemovalOptions{Name: "x", PolicyARN: s3Full, Adopt: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range plan.Steps {
		got = append(got, s.PolicyName+s.PolicyARN)
		if theirs := s.PolicyName == "theirs" || s.PolicyARN == readOnly; theirs != strings.Contains(s.Reason, "--adopt=role") {
			t.Errorf("reason %q of %s%s", s.Reason, s.PolicyName, s.PolicyARN)
		}
	}
	if want := "theirs " + readOnly + " ostoy-s3 " + s3Full + " "; strings.Join(got, " ") != want {
		t.Errorf("policies %q, want %q", got, want)
	}
}

func TestRemovalRefused(t *testing.T) {
	name := RoleOptions{}.name(facts())
	tags := func(kv ...string) func(*Actual) {
		return func(a *Actual) {
			for i := 0; i < len(kv); i += 2 {
				a.Tags[kv[i]] = kv[i+1]
			}
		}
	}
	unknown := facts()
	unknown.Issuer = render.Fact{}
	for _, c := range []struct {
		name   string
		change func(*Actual)
		f      render.Facts
		o      RemovalOptions
		leave  bool // whether --adopt=role helps
		words  []string
	}{
		{"a stranger's", func(a *Actual) { a.Tags = map[string]string{} }, facts(), RemovalOptions{}, true, []string{name + " is not ours and stays", "it has no tags", "--keep-role"}},
		{"terraform's", tags(render.TagManagedBy, "terraform"), facts(), RemovalOptions{}, true, []string{"terraform manages it"}},
		{"another namespace's", tags(render.TagNamespace, "other"), facts(), RemovalOptions{}, true, []string{"namespace other"}},
		{"another issuer's", tags(render.TagIssuer, "https://old.example.com"), facts(), RemovalOptions{}, true, []string{"https://old.example.com"}},
		{"another cluster's of the issuer", tags(render.TagClusterID, "99999999"), facts(), RemovalOptions{}, true, []string{"99999999"}},
		{"issuer not known", nil, unknown, RemovalOptions{}, true, []string{"it is not known whether", facts().Issuer.Value, "--oidc-issuer URL", "--keep-role"}},
		{"issuer not known, role without one", func(a *Actual) { delete(a.Tags, render.TagIssuer) }, unknown, RemovalOptions{AnyIssuer: true}, true, []string{"is not ours", "not known"}},
		{"inline of others", func(a *Actual) { a.Inlines = append(a.Inlines, "theirs") }, facts(), RemovalOptions{}, true, []string{"put on it: theirs", "aws iam delete-role-policy --role-name " + name + " --policy-name theirs", "--adopt=role"}},
		{"attached by others", func(a *Actual) { a.Attached = []string{readOnly} }, facts(), RemovalOptions{PolicyARN: s3Full}, true, []string{readOnly, "aws iam detach-role-policy --role-name " + name + " --policy-arn " + readOnly}},
		{"attached, nobody told by whom", func(a *Actual) { a.Attached = []string{s3Full} }, facts(), RemovalOptions{}, true, []string{s3Full}},
		{"another path", func(a *Actual) { a.Path = "/team/" }, facts(), RemovalOptions{Path: "/ostoy-s3/"}, false, []string{"under the path /team/", "--role-path /team/"}},
		{"another account", func(a *Actual) { a.ARN = "arn:aws:iam::222222222222:role/ostoy-s3/" + name }, facts(), RemovalOptions{}, false, []string{"222222222222", "--profile"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Name = name
			_, err := RemovalPlan(installed(c.change), c.f, c.o)
			wantProblem(t, err, problem.Refused, c.words...)
			c.o.Adopt = true
			if _, err := RemovalPlan(installed(c.change), c.f, c.o); (err == nil) != c.leave {
				t.Errorf("with --adopt=role: %v", err)
			}
		})
	}
	if plan, err := RemovalPlan(installed(nil), unknown, RemovalOptions{Name: name, AnyIssuer: true}); err != nil || plan.Empty() {
		t.Errorf("with leave for any issuer: %v", err)
	}
	for _, bad := range []string{"", "a b", "a;b"} {
		var input *problem.Error
		if _, err := RemovalPlan(installed(nil), facts(), RemovalOptions{Name: bad}); !problem.IsInput(err) || !errors.As(err, &input) {
			t.Errorf("name %q: %v", bad, err)
		}
	}
}
