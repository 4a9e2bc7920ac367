package announce

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// said is what print says.
func said(print func(*ui.UI)) string {
	var talk strings.Builder
	print(ui.New(&talk, ui.Style{}, time.Now))
	return talk.String()
}

// lacks are the first text that is not said and the first that must not be, "" if none.
func lacks(text string, want, not []string) (missing, extra string) {
	if n := slices.IndexFunc(want, func(w string) bool { return !strings.Contains(text, w) }); n >= 0 {
		missing = want[n]
	}
	if n := slices.IndexFunc(not, func(w string) bool { return strings.Contains(text, w) }); n >= 0 {
		extra = not[n]
	}
	return missing, extra
}

// TestRole: a new role is told by what it may do, one that exists by what changes; the
// texts of policies are left to the diff.
func TestRole(t *testing.T) {
	role := iam.Role{Name: "r", Path: "/ostoy-s3/", PolicyARN: "p", Admitted: iam.Admitted{Subject: "system:serviceaccount:demo:ostoy-sa", Audience: "sts.amazonaws.com"}}
	for name, c := range map[string]struct {
		steps     []iam.Step
		want, not []string
	}{
		"nothing": {nil, nil, []string{"role"}},
		"new": {
			[]iam.Step{{Kind: iam.CreateRole, What: "role"}, {Kind: iam.PutPolicy, What: "inline policy", Reason: "it has none"}},
			[]string{"ostoy-s3/r", "trusts  " + role.Trusts(), "allows  "},
			[]string{"inline policy  it has none"},
		},
		"policy":   {[]iam.Step{{Kind: iam.PutPolicy, What: "inline policy", Reason: "it differs", Before: "old", After: "new"}}, []string{"inline policy  it differs"}, []string{"→", "trusts"}},
		"tags":     {[]iam.Step{{Kind: iam.TagRole, What: "tags", Reason: "one is missing", After: "a=b"}}, []string{"tags  one is missing", "(none) → a=b"}, nil},
		"boundary": {[]iam.Step{{Kind: iam.PutBoundary, What: "boundary", Reason: "it differs", Before: "p", After: "q"}}, []string{"boundary  it differs", "p → q"}, nil},
	} {
		text := said(func(to *ui.UI) { Role(to, &iam.Plan{Role: role, Steps: c.steps}) })
		if missing, extra := lacks(text, c.want, c.not); missing+extra != "" {
			t.Errorf("%s: lacks %q, has %q:\n%s", name, missing, extra, text)
		}
	}
}

// TestHead: what was found, and who found it, where that is known.
func TestHead(t *testing.T) {
	f := render.Facts{
		Platform: render.Fact{Value: render.PlatformEKS, Source: "labels"}, KubeVersion: render.Fact{Value: "v1.33.0"},
		Region: render.Fact{Value: "us-east-2", Source: "profile"}, Account: render.Fact{Value: "123456789012", Source: "STS"},
		Issuer: render.Fact{Value: "https://oidc.example.com/one", Source: "cluster"},
	}
	want := []ui.Row{
		{Label: "cluster", Text: "EKS, Kubernetes v1.33.0", From: "labels"},
		{Label: "region", Text: "us-east-2", From: "profile"},
		{Label: "account", Text: "123456789012", From: "STS"},
		{Label: "issuer", Text: "https://oidc.example.com/one", From: "cluster"},
	}
	if diff := cmp.Diff(want, Head(f, "", false)); diff != "" {
		t.Error(diff)
	}
	want[2].Text, want[3].From = "123456789012, as Admin/me", "cluster, known to IAM"
	if diff := cmp.Diff(want, Head(f, "Admin/me", true)); diff != "" {
		t.Error(diff)
	}
	f.Platform.Value = "else"
	if got := Head(f, "", false)[0].Text; !strings.HasPrefix(got, "a cluster of unknown kind, ") {
		t.Error(got)
	}
}

// TestItem: each object of a plan says what becomes of it, and a change what it was and who
// made it so.
func TestItem(t *testing.T) {
	ref := apply.Ref{Version: "v1", Kind: "Service", Name: "s"}
	long, full := strings.Repeat("x", 200), strings.Repeat("y", 160-len([]rune("p:  → b")))
	config := apply.Ref{Group: operator.AdmissionGroup, Version: "v1", Kind: "ValidatingAdmissionPolicy", Name: "v"}
	change := func(before, after any, by string) []apply.FieldChange {
		return []apply.FieldChange{{Path: "p", Before: before, After: after, Manager: by}}
	}
	for name, c := range map[string]struct {
		item      apply.Item
		want, not []string
	}{
		"deleted":    {apply.Item{Ref: ref, Action: apply.Delete}, []string{"Service s   no longer wanted"}, nil},
		"kept":       {apply.Item{Ref: ref, Action: apply.Keep, Why: "data"}, []string{"Service s   kept: data"}, nil},
		"forgotten":  {apply.Item{Ref: ref, Action: apply.Gone, Why: "deleted"}, []string{"Service s is forgotten: deleted"}, nil},
		"as it is":   {apply.Item{Ref: ref, Action: apply.Unchanged}, nil, []string{"Service"}},
		"changed":    {apply.Item{Ref: ref, Action: apply.Update, Changes: change("a", nil, "")}, []string{"Service s", "p: a → (none)"}, []string{"changed by", "become ours"}},
		"by others":  {apply.Item{Ref: ref, Action: apply.Update, Changes: change(1, []string{"b"}, "kubectl"), Owned: []string{"q"}}, []string{`p: 1 → ["b"]   (changed by kubectl)`}, []string{"become ours"}},
		"owned":      {apply.Item{Ref: ref, Action: apply.Update, Owned: []string{"q", "r"}}, []string{"2 fields become ours, their values stay"}, nil},
		"long":       {apply.Item{Ref: ref, Action: apply.Update, Changes: change("a", long, "")}, []string{long}, []string{" ..."}},
		"long code":  {apply.Item{Ref: config, Action: apply.Update, Changes: change("a", long, "")}, []string{"x ..."}, []string{long}},
		"short code": {apply.Item{Ref: config, Action: apply.Update, Changes: change(full, "b", "")}, []string{full}, []string{" ..."}},
	} {
		text := said(func(to *ui.UI) { Item(to, &c.item) })
		if missing, extra := lacks(text, c.want, c.not); missing+extra != "" {
			t.Errorf("%s: lacks %q, has %q:\n%s", name, missing, extra, text)
		}
	}
}

func TestMark(t *testing.T) {
	for want, states := range map[ui.Mark][]health.State{
		ui.Done:   {{Ready: true}, {Ready: true, Level: health.Warn}},
		ui.Failed: {{Level: health.Fail}},
		ui.Warned: {{Level: health.Warn}},
		ui.Busy:   {{}},
	} {
		for _, state := range states {
			if got := Mark(state); got != want {
				t.Errorf("%+v: %v, want %v", state, got, want)
			}
		}
	}
}

// TestCounts: what was not done is not counted.
func TestCounts(t *testing.T) {
	for want, counts := range map[string]map[apply.Action]int{
		"":                                nil,
		"2 created":                       {apply.Create: 2, apply.Unchanged: 7},
		"1 created, 3 updated, 4 removed": {apply.Delete: 4, apply.Update: 3, apply.Create: 1},
	} {
		if got := Counts(counts); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// usedAsIs is the plan of an install that uses a role of others with every right.
func usedAsIs() plan.Plan {
	role := iam.Role{ARN: "arn:aws:iam::123456789012:role/theirs", Name: "theirs", Path: "/"}
	p := plan.Plan{Role: &iam.Plan{Role: role}}
	p.Desired.Project.Facts.Namespace.Value = "demo"
	p.Desired.Adopted = plan.Adopted{Wanted: role, AsIs: true, Actual: &iam.Actual{Exists: true, Trust: `{"Version":"2012-10-17","Statement":[]}`, Attached: []string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}}}
	return p
}

// TestWidth: what a role of others may do beyond the app's needs is said as long as it is
// used as it is, and can be seen; and why one is passed over.
func TestWidth(t *testing.T) {
	const wide = "the role theirs may do more than OSToy does: AmazonS3FullAccess"
	for name, c := range map[string]struct {
		change    func(*plan.Adopted)
		want, not []string
	}{
		"as it is":    {func(*plan.Adopted) {}, []string{wide, "--tighten-role"}, nil},
		"narrow":      {func(a *plan.Adopted) { a.Actual.Attached = nil }, nil, []string{"may do more"}},
		"not seen":    {func(a *plan.Adopted) { a.Actual = nil }, nil, []string{"may do more"}},
		"tightened":   {func(a *plan.Adopted) { a.AsIs = false }, nil, []string{"may do more"}},
		"passed over": {func(a *plan.Adopted) { *a = plan.Adopted{Passed: []string{"the role x is not used"}} }, []string{"the role x is not used"}, []string{"may do more"}},
	} {
		p := usedAsIs()
		c.change(&p.Desired.Adopted)
		text := said(func(to *ui.UI) { RoleNotes(to, p, true) })
		if missing, extra := lacks(text, c.want, c.not); missing+extra != "" {
			t.Errorf("%s: lacks %q, has %q:\n%s", name, missing, extra, text)
		}
	}
}

// denying is IAM with one policy of others, which forbids writing.
type denying struct{ iam.PolicySource }

func (denying) InlinePolicy(_ context.Context, _ string) (string, error) {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`, nil
}

// TestRoleNotesForesee: what the verification is going to find is said before a run that
// ends with one, and who makes the role is to change it.
func TestRoleNotesForesee(t *testing.T) {
	const warning, maker = "s3:PutObject", "have the role made as oc ostoy-s3 iam render"
	role := iam.Role{ARN: "arn:aws:iam::123456789012:role/r", Name: "r", Path: "/", Bucket: "demo-bucket"}
	actual := &iam.Actual{Exists: true, Inlines: []string{"theirs"}}
	for name, c := range map[string]struct {
		own       *iam.Document
		mode      plan.IAMMode
		verifies  bool
		want, not []string
	}{
		"verified":                 {role.OwnPolicy(), plan.IAMApply, true, []string{warning, "aws iam delete-role-policy"}, []string{maker}},
		"not verified":             {role.OwnPolicy(), plan.IAMApply, false, nil, []string{warning}},
		"made by others":           {role.OwnPolicy(), plan.IAMSkip, true, []string{warning, "aws iam delete-role-policy"}, []string{maker}},
		"made by others, and poor": {&iam.Document{}, plan.IAMSkip, true, []string{warning, maker}, []string{"delete-role-policy"}},
	} {
		p := plan.Plan{Role: &iam.Plan{Role: role, Notes: []string{"a note"}}, Outlook: iam.LookAhead(t.Context(), denying{}, role, actual, c.own)}
		p.Desired.Request.IAM = c.mode
		p.Desired.Project.Facts.Namespace.Value = "demo"
		text := said(func(to *ui.UI) { RoleNotes(to, p, c.verifies) })
		if missing, extra := lacks(text, append(c.want, "a note"), c.not); missing+extra != "" {
			t.Errorf("%s: lacks %q, has %q:\n%s", name, missing, extra, text)
		}
	}
}
