package iam

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// made is the role as Execute leaves it, as Read sees it.
func made(t *testing.T, f render.Facts, o RoleOptions) *Actual {
	t.Helper()
	api := newFake()
	_, result, err := install(t, api, f, o, false)
	if err != nil {
		t.Fatal(err)
	}
	name := result.ARN[strings.LastIndex(result.ARN, "/")+1:]
	actual, err := Read(t.Context(), api, name, true)
	if err != nil || !actual.Exists {
		t.Fatalf("exists %v, %v", actual.Exists, err)
	}
	return actual
}

func TestPlanTransitions(t *testing.T) {
	const managed, edge = "arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::123456789012:policy/edge"
	withoutID := func(f *render.Facts) { f.ClusterID.Value = "" }
	for _, c := range []struct {
		name   string
		was    func(*Actual)       // what has happened to the role since
		facts  func(*render.Facts) // what is another than it was
		o      RoleOptions
		steps  string
		reason string // of the first step
		note   string
	}{
		{name: "nothing to do"},
		{name: "trust widened by hand", was: func(a *Actual) { a.Trust = strings.Replace(trustJSON, "demo:ostoy-sa", "demo:*", 1) }, steps: "update-trust", reason: "it lets in system:serviceaccount:demo:*"},
		{name: "trust of an old issuer", was: func(a *Actual) { a.Trust = strings.ReplaceAll(a.Trust, "2abc", "1old") }, steps: "update-trust", reason: "it trusts arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/1old, this cluster is"},
		{name: "trust without audience", was: func(a *Actual) {
			a.Trust = strings.Replace(trustJSON, `"oidc.op1.openshiftapps.com/2abc:aud":"sts.amazonaws.com",`, "", 1)
		}, steps: "update-trust", reason: "tokens for any audience"},
		{name: "somebody else let in too", was: func(a *Actual) {
			a.Trust = strings.Replace(trustJSON, `}]}`, `},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`, 1)
		}, steps: "update-trust", reason: "lets in others"},
		{name: "trust nobody can read", was: func(a *Actual) { a.Trust = "%7Bnonsense" }, steps: "update-trust", reason: "not one of ours"},
		{name: "no trust at all", was: func(a *Actual) { a.Trust = "" }, steps: "update-trust", reason: "not one of ours"},
		{name: "policy gone (killed after CreateRole)", was: func(a *Actual) { a.Inline, a.Inlines = "", nil }, steps: "put-policy", reason: "not there"},
		{name: "policy widened", was: func(a *Actual) { a.Inline = strings.Replace(policyJSON, "s3:ListBucket", "s3:*", 1) }, steps: "put-policy", reason: "exactly"},
		{name: "policy nobody can read", was: func(a *Actual) { a.Inline = "[]" }, steps: "put-policy", reason: "not one of ours"},
		{name: "boundary asked for", o: RoleOptions{Boundary: edge}, steps: "put-boundary", reason: "--permissions-boundary"},
		{name: "another boundary", was: func(a *Actual) { a.Boundary = edge + "2" }, o: RoleOptions{Boundary: edge}, steps: "put-boundary"},
		{name: "boundary as asked for", was: func(a *Actual) { a.Boundary = edge }, o: RoleOptions{Boundary: edge}},
		{name: "boundary not asked for stays", was: func(a *Actual) { a.Boundary = edge }, note: "boundary " + edge + " stays"},
		{name: "managed instead of inline", o: RoleOptions{PolicyARN: managed}, steps: "tag-role attach-policy delete-policy", reason: "earlier versions"},
		{name: "managed, inline gone already", was: func(a *Actual) { a.Inline, a.Inlines = "", nil }, o: RoleOptions{PolicyARN: managed}, steps: "tag-role attach-policy"},
		{name: "managed, attached already", was: func(a *Actual) { a.Attached = []string{managed} }, o: RoleOptions{PolicyARN: managed}, steps: "tag-role delete-policy", reason: "earlier versions"},
		{name: "managed, all done", was: func(a *Actual) { a.Inline, a.Inlines, a.Attached = "", nil, []string{managed} }, o: RoleOptions{PolicyARN: managed}, steps: "tag-role", reason: "earlier versions"},
		{name: "back to inline", was: func(a *Actual) { a.Inline, a.Inlines, a.Attached = "", nil, []string{managed} }, steps: "put-policy", note: "aws iam detach-role-policy"},
		{name: "policies of others", was: func(a *Actual) { a.Inlines = append(a.Inlines, "theirs") }, note: `inline policy "theirs"`},
		{name: "user's tag", o: RoleOptions{Tags: map[string]string{"team": "blue"}}, steps: "tag-role"},
		{name: "user's tag there in another case", was: func(a *Actual) { a.Tags["team"] = "blue" }, o: RoleOptions{Tags: map[string]string{"Team": "blue"}}},
		{name: "tags of others stay", was: func(a *Actual) { a.Tags["theirs"] = "x" }},
		{name: "cluster id learned", was: func(a *Actual) { delete(a.Tags, render.TagClusterID) }, steps: "tag-role"},
		{name: "cluster id not known now", facts: withoutID},
		{name: "lists may not be read", was: func(a *Actual) { a.Inlines, a.InlinesErr, a.AttachedErr = nil, problemOf("x"), problemOf("y") }, note: "needs iam:ListAttachedRolePolicies"},
		{
			name: "rebuilt cluster, taken over", facts: func(f *render.Facts) { f.Issuer.Value += "new" },
			o: RoleOptions{Adopt: true, Name: "given"}, steps: "update-trust tag-role", reason: "it trusts", note: "taken over",
		},
		{
			name: "a stranger's role, taken over", was: func(a *Actual) {
				a.Tags, a.Inline, a.Inlines, a.Trust, a.Boundary = map[string]string{"Name": "x"}, "", []string{"theirs"}, trustJSON[:50], edge
			},
			o: RoleOptions{Adopt: true, Boundary: edge + "2"}, steps: "put-boundary update-trust tag-role put-policy", note: "taken over",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := facts()
			actual := made(t, f, RoleOptions{Name: c.o.Name, Path: c.o.Path})
			if c.was != nil {
				c.was(actual)
			}
			if c.facts != nil {
				c.facts(&f)
			}
			plan, err := NewPlan(desired(t, f, c.o), actual, f)
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(plan.Steps); got != c.steps {
				t.Fatalf("steps %q, want %q", got, c.steps)
			}
			if plan.Empty() != (c.steps == "") || plan.Creates() {
				t.Errorf("empty %v, creates %v", plan.Empty(), plan.Creates())
			}
			if c.reason != "" && !strings.Contains(plan.Steps[0].Reason, c.reason) {
				t.Errorf("reason %q, want %q", plan.Steps[0].Reason, c.reason)
			}
			if notes := strings.Join(plan.Notes, "\n"); !strings.Contains(notes, c.note) || c.note == "" && notes != "" {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
			for _, s := range plan.Steps {
				if s.What == "" || !strings.HasPrefix(s.Action, "iam:") || s.Resource != plan.Role.ARN || s.Before == "" && s.After == "" {
					t.Errorf("not fit to print: %+v", s)
				}
			}
		})
	}
}

func problemOf(what string) error {
	return &problem.Error{Kind: problem.Failed, What: what, Why: "why", Next: "next"}
}

func TestPlanOfANewRole(t *testing.T) {
	const edge = "arn:aws:iam::123456789012:policy/edge"
	f := facts()
	for _, none := range []*Actual{nil, {}} {
		plan, err := NewPlan(desired(t, f, RoleOptions{Boundary: edge}), none, f)
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(plan.Steps); got != "create-role put-policy" || !plan.Creates() {
			t.Fatalf("steps %q", got)
		}
		for _, word := range []string{"system:serviceaccount:demo:ostoy-sa", "s3:ListBucket s3:GetObject s3:PutObject on demo-bucket", edge} {
			if !strings.Contains(plan.Steps[0].After, word) {
				t.Errorf("%q is not in %s", word, plan.Steps[0].After)
			}
		}
	}
	plan, err := NewPlan(desired(t, f, RoleOptions{PolicyARN: "arn:aws:iam::aws:policy/AmazonS3FullAccess"}), nil, f)
	if err != nil || kinds(plan.Steps) != "create-role attach-policy" {
		t.Fatalf("steps %q, %v", kinds(plan.Steps), err)
	}
}

func TestPlanShowsOnlyWhatChanges(t *testing.T) {
	f := facts()
	actual := made(t, f, RoleOptions{})
	actual.Tags["team"], actual.Tags["theirs"] = "red\x1b[31m", "x"
	plan, err := NewPlan(desired(t, f, RoleOptions{Tags: map[string]string{"team": "blue", "cost": "1"}}), actual, f)
	if err != nil {
		t.Fatal(err)
	}
	step := plan.Steps[0]
	if step.Before != "team=red [31m" || step.After != "cost=1\nteam=blue" || !maps.Equal(step.Tags, map[string]string{"cost": "1", "team": "blue"}) {
		t.Errorf("%q -> %q, sends %v", step.Before, step.After, step.Tags)
	}
	actual.Trust = "{\"Statement\":\"\x1b[2J\"}"
	plan, err = NewPlan(desired(t, f, RoleOptions{}), actual, f)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(plan.Steps[0].Before+plan.Steps[0].Reason, "\x1b") {
		t.Errorf("a stranger's text reaches the terminal: %+v", plan.Steps[0])
	}
}

func TestForeignRole(t *testing.T) {
	f := facts()
	name := RoleOptions{}.name(f)
	for _, c := range []struct {
		name  string
		was   func(*Actual)
		o     RoleOptions
		words []string
	}{
		{"no tags", func(a *Actual) { a.Tags = nil }, RoleOptions{}, []string{"role ostoy-s3/" + name, "no tags", "--adopt=role", "--role-name"}},
		{"terraform's", func(a *Actual) { a.Tags[render.TagManagedBy] = "terraform" }, RoleOptions{}, []string{"terraform manages it", "--adopt=role"}},
		{"another namespace's", func(a *Actual) { a.Tags[render.TagNamespace] = "other" }, RoleOptions{}, []string{"made for namespace other", "--adopt=role"}},
		{"another issuer's", func(a *Actual) { a.Tags[render.TagIssuer] = "https://old.example.com" }, RoleOptions{}, []string{"made for issuer https://old.example.com", "this cluster's is https://oidc.op1"}},
		{"another cluster's, same issuer", func(a *Actual) { a.Tags[render.TagClusterID] = "99999999" }, RoleOptions{}, []string{"cluster 99999999 made it", "same issuer", "--adopt=role"}},
		{"another path, a stranger's", func(a *Actual) { a.Path, a.Tags = "/other/", nil }, RoleOptions{Adopt: true}, []string{"another path, /other/", "--role-path /other/", "together with --adopt=role", "--role-name"}},
		{"another path, ours", func(a *Actual) { a.Path = "/other/" }, RoleOptions{}, []string{"--role-path /other/"}},
		{"another account", func(a *Actual) { a.ARN = strings.Replace(a.ARN, "123456789012", "210987654321", 1) }, RoleOptions{Adopt: true}, []string{"210987654321", "--account-id"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			actual := made(t, f, RoleOptions{})
			c.was(actual)
			_, err := NewPlan(desired(t, f, c.o), actual, f)
			wantProblem(t, err, problem.Refused, c.words...)
			c.o.Adopt = true
			plan, err := NewPlan(desired(t, f, c.o), actual, f)
			if fixed := strings.HasPrefix(c.name, "another path") || c.name == "another account"; fixed != (err != nil) {
				t.Fatalf("with leave: %v", err)
			}
			if err == nil && !slices.ContainsFunc(plan.Notes, func(n string) bool { return strings.Contains(n, "taken over") }) {
				t.Errorf("taking over is not noted: %v", plan.Notes)
			}
		})
	}
}

func TestPlanNeedsTheAttachedList(t *testing.T) {
	f := facts()
	actual := made(t, f, RoleOptions{})
	actual.AttachedErr = problemOf("the list is closed")
	_, err := NewPlan(desired(t, f, RoleOptions{PolicyARN: "arn:aws:iam::aws:policy/AmazonS3FullAccess"}), actual, f)
	wantProblem(t, err, problem.Failed, "the list is closed")
}
