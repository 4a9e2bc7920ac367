package install

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

func reachRun(request Request) (*run, *bytes.Buffer) {
	var talk bytes.Buffer
	return &run{Session: &session.Session{UI: ui.New(&talk, ui.Style{}, time.Now)}, request: request, plan: &controller.Plan{}}, &talk
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
		request Request
		bucket  string
		want    string
		noted   bool
	}{
		"Enter":                     {Request{Ask: typed("\n")}, "", "ostoy-*-bucket", false},
		"another":                   {Request{Ask: typed("*-bucket\n")}, "", "*-bucket", false},
		"with a project":            {Request{Ask: typed("\n")}, "demo-bucket", "demo-bucket", false},
		"with a project of ours":    {Request{Ask: typed("\n")}, "ostoy-1-bucket", "ostoy-*-bucket", false},
		"dry run":                   {Request{DryRun: session.DryRunServer}, "", "ostoy-*-bucket", true},
		"dry run at the terminal":   {Request{DryRun: session.DryRunClient, Ask: typed("demo-*\n")}, "", "demo-*", false},
		"nobody is at the terminal": {Request{DryRun: session.DryRunNone}, "", "", false},
	} {
		run, _ := reachRun(c.request)
		run.bucket = c.bucket
		pattern, note, err := run.choosePattern(t.Context(), false)
		var input *problem.Error
		if pattern != c.want || (note != "") != c.noted || errors.As(err, &input) != (c.want == "") {
			t.Errorf("%s: %q, %q, %v", name, pattern, note, err)
		}
	}
}

// TestF1ChooseAnother: a role that exists and whose policy names no one pattern needs
// the flag as well, and the error says why.
func TestF1ChooseAnother(t *testing.T) {
	run, _ := reachRun(Request{DryRun: session.DryRunNone})
	_, _, err := run.choosePattern(t.Context(), true)
	var input *problem.Error
	if !problem.IsInput(err) || !errors.As(err, &input) || !strings.Contains(input.What, "does not name one pattern") || strings.Contains(input.What, "new role") {
		t.Error(err)
	}
}

// TestF1DocumentSaysAll: the document has the notes and warnings that a reader sees, and
// a pattern that nobody gave is marked.
func TestF1DocumentSaysAll(t *testing.T) {
	run, _ := reachRun(Request{DryRun: session.DryRunServer})
	pattern, note, err := run.choosePattern(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	run.plan = &controller.Plan{
		Mode: controller.ByHand, Notes: []string{note}, Role: &iam.Plan{Notes: []string{"the role is shared"}},
		Admission: controller.Admission{Warnings: []controller.Warning{{What: "Buckets are not listed", Next: "oc whoami"}}},
		Reach:     &controller.Reach{Reach: iam.Reach{Patterns: []string{pattern}}, Account: "1"},
	}
	var document result
	say(run, &document)
	want := []warning{{Text: "the role is shared"}, {"Buckets are not listed", "oc whoami"}}
	if !slices.Equal(document.Notes, []string{note, byHandNote("", false)}) || !slices.Equal(document.Warnings, want) {
		t.Errorf("notes %q, warnings %q", document.Notes, document.Warnings)
	}
	if document.Reach == nil || !document.Reach.Assumed {
		t.Errorf("%+v", document.Reach)
	}
	run, _ = reachRun(Request{DryRun: session.DryRunServer})
	run.plan.Reach = &controller.Reach{}
	if say(run, &document); document.Reach.Assumed || document.Notes != nil {
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
		run, talk := reachRun(Request{})
		run.plan.Reach = r
		if tellReach(run); !strings.Contains(talk.String(), want) {
			t.Errorf("no %q in\n%s", want, talk)
		}
	}
	run, talk := reachRun(Request{})
	if tellReach(run); talk.Len() > 0 || reachDocument(nil) != nil {
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
		run, _ := reachRun(Request{Role: iam.ControllerOptions{BucketPattern: c.given}})
		run.plan.Role, run.plan.Reach = &iam.Plan{}, &controller.Reach{Reach: iam.Reach{Any: c.any, By: "ostoy-s3"}}
		warnings := warnings(run)
		if got := len(warnings) == 1 && strings.Contains(warnings[0].Next, "--bucket-pattern 'ostoy-*-bucket'"); got != c.warns {
			t.Errorf("%+v: %v", c, warnings)
		}
	}
}

// TestF1Drifted: a policy that somebody changed is named also where nothing changes.
func TestF1Drifted(t *testing.T) {
	run, _ := reachRun(Request{})
	run.plan.Role, run.plan.Drift = &iam.Plan{}, "the policy has another pattern and is restored"
	var document result
	if say(run, &document); len(document.Warnings) != 1 || document.Warnings[0].Text != run.plan.Drift {
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
		run, _ := reachRun(Request{Role: iam.ControllerOptions{BucketPattern: c.given}})
		run.bucket = c.bucket
		run.plan.Reach = &controller.Reach{Reach: c.reach}
		if !c.used {
			run.plan.Role = &iam.Plan{}
		}
		var told *problem.Error
		err := mustReach(run)
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
		run, _ := reachRun(Request{Role: iam.ControllerOptions{BucketPattern: "ostoy-*-bucket"}})
		run.bucket = "demo-bucket"
		run.plan.Role, run.plan.Reach = &iam.Plan{Steps: steps}, &controller.Reach{Reach: iam.Reach{Patterns: []string{"ostoy-*-bucket"}}}
		var told *problem.Error
		if err := mustReach(run); !errors.As(err, &told) || !strings.HasSuffix(told.Next, "--bucket-pattern "+pattern) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// TestF1ControllerRoleLookedAt: one of the controller's plan and the checks looks at its
// role before the first role of the app is made.
func TestF1ControllerRoleLookedAt(t *testing.T) {
	for _, reach := range []*controller.Reach{nil, {}} {
		c := &Controller{&run{plan: &controller.Plan{Reach: reach}}}
		if got := c.LooksAtRole(); got != (reach != nil) {
			t.Errorf("%v: %t", reach, got)
		}
	}
}

// TestF1PatternBeforeAnything: a pattern that can match no bucket is refused before
// the cluster is asked.
func TestF1PatternBeforeAnything(t *testing.T) {
	r, _ := reachRun(Request{Role: iam.ControllerOptions{BucketPattern: "Not_A_Pattern"}})
	c := &Controller{r}
	var input *problem.Error
	if err := c.MayPlan(t.Context(), project.Project{}); !problem.IsInput(err) || !errors.As(err, &input) {
		t.Error(err)
	}
}
