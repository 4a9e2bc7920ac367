package plugin

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func reachRun(request ControllerRequest) (*controllerRun, *bytes.Buffer) {
	var talk bytes.Buffer
	return &controllerRun{App: &App{&session.Session{UI: ui.New(&talk, ui.Style{}, time.Now)}}, request: request, plan: &controller.Plan{}}, &talk
}

// TestF1ChoosePattern: a pattern is what somebody typed, or accepted with Enter; only
// a dry run goes without.
func TestF1ChoosePattern(t *testing.T) {
	typed := func(answer string) func(context.Context, string) (string, error) {
		return func(_ context.Context, question string) (string, error) {
			if !strings.Contains(question, "[") {
				t.Errorf("asked %q", question)
			}
			return answer, nil
		}
	}
	for name, c := range map[string]struct {
		request ControllerRequest
		want    string
		noted   bool
	}{
		"Enter":                     {ControllerRequest{Ask: typed("\n")}, "ostoy-*-bucket", false},
		"another":                   {ControllerRequest{Ask: typed("*-bucket\n")}, "*-bucket", false},
		"with a project":            {ControllerRequest{Ask: typed("\n"), bucket: "demo-bucket"}, "demo-bucket", false},
		"with a project of ours":    {ControllerRequest{Ask: typed("\n"), bucket: "ostoy-1-bucket"}, "ostoy-*-bucket", false},
		"dry run":                   {ControllerRequest{DryRun: DryRunServer}, "ostoy-*-bucket", true},
		"dry run at the terminal":   {ControllerRequest{DryRun: DryRunClient, Ask: typed("demo-*\n")}, "demo-*", false},
		"nobody is at the terminal": {ControllerRequest{DryRun: DryRunNone}, "", false},
	} {
		run, _ := reachRun(c.request)
		pattern, note, err := run.choosePattern(t.Context(), false)
		var input *render.InputError
		if pattern != c.want || (note != "") != c.noted || errors.As(err, &input) != (c.want == "") {
			t.Errorf("%s: %q, %q, %v", name, pattern, note, err)
		}
	}
}

// TestF1ChooseAnother: a role that exists and whose policy names no one pattern needs
// the flag as well, and the error says why.
func TestF1ChooseAnother(t *testing.T) {
	run, _ := reachRun(ControllerRequest{DryRun: DryRunNone})
	_, _, err := run.choosePattern(t.Context(), true)
	var input *render.InputError
	if !errors.As(err, &input) || !strings.Contains(input.What, "does not name one pattern") || strings.Contains(input.What, "new role") {
		t.Error(err)
	}
}

// TestF1DocumentSaysAll: the document has the notes and warnings that a reader sees, and
// a pattern that nobody gave is marked.
func TestF1DocumentSaysAll(t *testing.T) {
	run, _ := reachRun(ControllerRequest{DryRun: DryRunServer})
	pattern, note, err := run.choosePattern(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	run.plan = &controller.Plan{
		Mode: controller.ByHand, Notes: []string{note}, Role: &iam.Plan{Notes: []string{"the role is shared"}},
		Admission: controller.Admission{Warnings: []controller.Warning{{What: "Buckets are not listed", Next: "oc whoami"}}},
		Reach:     &controller.Reach{Reach: iam.Reach{Patterns: []string{pattern}}, Account: "1"},
	}
	var document controllerResult
	run.say(&document)
	want := []warning{{Text: "the role is shared"}, {"Buckets are not listed", "oc whoami"}}
	if !slices.Equal(document.Notes, []string{note, byHandNote("", false)}) || !slices.Equal(document.Warnings, want) {
		t.Errorf("notes %q, warnings %q", document.Notes, document.Warnings)
	}
	if document.Reach == nil || !document.Reach.Assumed {
		t.Errorf("%+v", document.Reach)
	}
	run, _ = reachRun(ControllerRequest{DryRun: DryRunServer})
	run.plan.Reach = &controller.Reach{}
	if run.say(&document); document.Reach.Assumed || document.Notes != nil {
		t.Errorf("%+v", document)
	}
}

func TestReachInWords(t *testing.T) {
	ours := iam.Reach{Patterns: []string{"ostoy-*-bucket"}}
	for want, r := range map[string]*controller.Reach{
		"reach     every bucket named ostoy-*-bucket in account 1: 3 of 41 buckets that exist today":               {Reach: ours, Account: "1", Covered: 3, Existing: 41},
		"reach     every bucket named ostoy-*-bucket in account 1; how many exist today is not known: AWS refused": {Reach: ours, Account: "1", Uncounted: "AWS refused"},
		"reach     every bucket of account 1, by its policy AdministratorAccess: 2 of 2 buckets that exist today":  {Reach: iam.Reach{Any: true, By: "AdministratorAccess"}, Account: "1", Covered: 2, Existing: 2},
		"reach     not known: AWS refused": {Reach: iam.Reach{Unknown: "AWS refused"}, Account: "1"},
		"          a Bucket in a project can configure the S3 buckets of its own project only; the controller can": {Reach: ours, Confined: true},
		"          this cluster cannot keep a Bucket to the S3 buckets of its own project":                         {Reach: ours},
		"          wider than before: the pattern was a-*":                                                         {Reach: ours, Before: "a-*"},
		"          narrower than before: the pattern was *; 1 Bucket would stop syncing: demo/b (demo-bucket)":     {Reach: ours, Before: "*", Narrows: true, Stopping: []string{"demo/b (demo-bucket)"}},
		"          narrower than before: the pattern was *; which Buckets stop syncing is not known: no":           {Reach: ours, Before: "*", Narrows: true, Unseen: "no"},
		"          narrower than before: the pattern was *; no Bucket stops syncing":                               {Reach: ours, Before: "*", Narrows: true},
	} {
		run, talk := reachRun(ControllerRequest{})
		run.plan.Reach = r
		if run.announceReach(); !strings.Contains(talk.String(), want) {
			t.Errorf("no %q in\n%s", want, talk)
		}
	}
	run, talk := reachRun(ControllerRequest{})
	if run.announceReach(); talk.Len() > 0 || reachDocument(nil) != nil {
		t.Errorf("said of nothing: %s", talk)
	}
}

// TestF1KeptReach: a role that reaches every bucket is named also where nothing changes,
// unless you asked for it.
func TestF1KeptReach(t *testing.T) {
	for _, c := range []struct {
		given string
		any   bool
		warns bool
	}{{"", true, true}, {"*", true, false}, {"", false, false}} {
		run, _ := reachRun(ControllerRequest{Role: ControllerRoleRequest{BucketPattern: c.given}})
		run.plan.Role, run.plan.Reach = &iam.Plan{}, &controller.Reach{Reach: iam.Reach{Any: c.any, By: "ostoy-s3"}}
		warnings := run.warnings()
		if got := len(warnings) == 1 && strings.Contains(warnings[0].Next, "--bucket-pattern 'ostoy-*-bucket'"); got != c.warns {
			t.Errorf("%+v: %v", c, warnings)
		}
	}
}

// TestF1Drifted: a policy that somebody changed is named also where nothing changes.
func TestF1Drifted(t *testing.T) {
	run, _ := reachRun(ControllerRequest{})
	run.plan.Role, run.plan.Drift = &iam.Plan{}, "the policy has another pattern and is restored"
	var document controllerResult
	if run.say(&document); len(document.Warnings) != 1 || document.Warnings[0].Text != run.plan.Drift {
		t.Errorf("%+v", document.Warnings)
	}
}

// TestF1MustReach: the app is not installed with a controller that cannot make its
// bucket. The pattern is blamed only where it is the reason, and a role that is not
// managed by ostoy-s3 is not to be changed by a command that leaves it as it is.
func TestF1MustReach(t *testing.T) {
	ours, wide := []string{"ostoy-*-bucket"}, []string{"*-bucket"}
	for _, c := range []struct {
		given, bucket string
		used          bool
		reach         iam.Reach
		want          problem.Kind
		says, not     string
	}{
		{"", "demo-bucket", false, iam.Reach{Patterns: ours}, problem.Refused, "--bucket-pattern '*-bucket'", ""},
		{"ostoy-*-bucket", "demo-bucket", false, iam.Reach{Patterns: ours}, problem.Usage, "--bucket-pattern 'ostoy-*-bucket' does not match demo-bucket", ""},
		{"", "ostoy-1-bucket", false, iam.Reach{Patterns: ours}, 0, "", ""},
		{"", "", false, iam.Reach{Patterns: ours}, 0, "", ""},
		{"*-bucket", "demo-bucket", true, iam.Reach{Patterns: ours}, problem.Refused, "ask who manages the controller", "--bucket-pattern"},
		{"ostoy-*-bucket", "demo-bucket", true, iam.Reach{Patterns: ours}, problem.Refused, "ask who manages the controller", "--bucket-pattern"},
		{"", "demo-bucket", true, iam.Reach{Patterns: ours}, problem.Refused, "ask who manages the controller", "--bucket-pattern"},
		{"*-bucket", "demo-bucket", false, iam.Reach{Patterns: wide, Within: []string{"ostoy-*"}}, problem.Refused, "permissions boundary", "does not match"},
	} {
		run, _ := reachRun(ControllerRequest{Role: ControllerRoleRequest{BucketPattern: c.given}, bucket: c.bucket})
		run.plan.Reach = &controller.Reach{Reach: c.reach}
		if !c.used {
			run.plan.Role = &iam.Plan{}
		}
		var told *problem.Error
		err := run.mustReach()
		if errors.As(err, &told) != (c.want != 0) {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if told == nil {
			continue
		}
		if text := told.What + told.Next; told.Kind != c.want || !strings.Contains(text, c.says) || c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestF1MustReachOfANewRole: for a role that does not exist yet the one bucket is enough.
func TestF1MustReachOfANewRole(t *testing.T) {
	for pattern, steps := range map[string][]iam.Step{"demo-bucket": {{Kind: iam.CreateRole}}, "'*-bucket'": nil} {
		run, _ := reachRun(ControllerRequest{Role: ControllerRoleRequest{BucketPattern: "ostoy-*-bucket"}, bucket: "demo-bucket"})
		run.plan.Role, run.plan.Reach = &iam.Plan{Steps: steps}, &controller.Reach{Reach: iam.Reach{Patterns: []string{"ostoy-*-bucket"}}}
		var told *problem.Error
		if err := run.mustReach(); !errors.As(err, &told) || !strings.HasSuffix(told.Next, "--bucket-pattern "+pattern) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// TestKeptRole: iam plan keeps the pattern of a controller's role or its one managed
// policy, and otherwise says what the existing role lacks.
func TestKeptRole(t *testing.T) {
	const full, other = "arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::123456789012:policy/other"
	f := render.Facts{
		Namespace: render.Fact{Value: render.ControllerNamespace}, Issuer: render.Fact{Value: "https://oidc.example.com/1"},
		Account: render.Fact{Value: "123456789012"}, Partition: render.Fact{Value: "aws"},
	}
	for name, c := range map[string]struct {
		attached []string
		inline   string
		policy   string
		says     string
	}{
		"one managed policy": {[]string{full}, "", full, ""},
		"two":                {[]string{full, other}, "", "", "the role of the ACK S3 controller needs --bucket-pattern"},
		"none":               {nil, "", "", "the role of the ACK S3 controller needs --bucket-pattern"},
		"a pattern":          {nil, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*"}]}`, "", ""},
	} {
		actual := &iam.Actual{Exists: true, Path: render.ControllerRolePath, Tags: render.OwnershipTags(f), Attached: c.attached, Inline: c.inline}
		o, notes, err := keptRole(iam.ControllerOptions{}, actual, f)
		if noted := len(notes) == 1 && strings.Contains(notes[0], "the bucket pattern * is read from the policy ostoy-s3"); noted != (c.inline != "") {
			t.Errorf("%s: notes %q", name, notes)
		}
		if o.PolicyARN != c.policy || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

// TestF1ControllerRoleLookedAt: one of the controller's plan and the checks looks at its
// role before the first role of the app is made.
func TestF1ControllerRoleLookedAt(t *testing.T) {
	beside := func(r *controller.Reach) *controllerRun { return &controllerRun{plan: &controller.Plan{Reach: r}} }
	for _, c := range []struct {
		controller *controllerRun
		again      bool
		want       bool
	}{
		{nil, false, true},
		{beside(&controller.Reach{}), false, false},
		{beside(nil), false, true},
		{beside(nil), true, false},
	} {
		i := &install{controller: c.controller}
		i.inventory.Found = c.again
		if got := i.looksAtController(); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}

// TestF1PatternBeforeAnything: a pattern that can match no bucket is refused before
// the cluster is asked.
func TestF1PatternBeforeAnything(t *testing.T) {
	i := &install{request: InstallRequest{WithController: true, BucketPattern: "Not_A_Pattern"}}
	var input *render.InputError
	if err := i.mayInstallController(t.Context()); !errors.As(err, &input) {
		t.Error(err)
	}
}
