package diff

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// told is what is said of a plan of an app in the project demo.
func told(change func(*plan.Plan)) string {
	p := plan.Plan{Objects: &apply.Plan{}}
	p.Desired.Project.State.Exists = true
	p.Desired.Project.Facts.Namespace.Value = "demo"
	change(&p)
	var talk strings.Builder
	tell(ui.New(&talk, ui.Style{}, time.Now), p)
	return talk.String()
}

// TestTell: what a diff cannot show is said, and nothing else.
func TestTell(t *testing.T) {
	with := func(item apply.Item) func(*plan.Plan) {
		item.Ref = apply.Ref{Version: "v1", Kind: "Service", Name: "s"}
		return func(p *plan.Plan) { p.Objects.Items = []*apply.Item{&item} }
	}
	changed := func(manager string) []apply.FieldChange {
		return []apply.FieldChange{{Path: "spec.a", Manager: manager}}
	}
	warning := check.Outcome{Finding: check.Warn("it is odd", "because", "mend it")}
	for name, c := range map[string]struct {
		change func(*plan.Plan)
		want   string // "": nothing is said
	}{
		"nothing":   {func(*plan.Plan) {}, ""},
		"a warning": {func(p *plan.Plan) { p.Outcomes = []check.Outcome{warning} }, "it is odd: because"},
		"a bucket with settings": {func(p *plan.Plan) {
			p.Before.Bucket = &plan.GivenBucket{Name: "demo-bucket", Keeps: []string{"cors", "tag team"}, Becomes: []string{"object ownership: A → B"}}
		}, "keeps    cors, tag team (field manager ostoy-s3-adopted)"},
		"a bucket without":   {func(p *plan.Plan) { p.Before.Bucket = &plan.GivenBucket{Name: "demo-bucket"} }, ""},
		"created":            {with(apply.Item{Action: apply.Create, Why: "x"}), ""},
		"as it is":           {with(apply.Item{Action: apply.Unchanged}), ""},
		"kept":               {with(apply.Item{Action: apply.Keep, Why: "it is data"}), "Service s is no longer needed and is kept: it is data\n"},
		"forgotten":          {with(apply.Item{Action: apply.Gone, Why: "not served"}), "Service s is forgotten: not served\n"},
		"changed":            {with(apply.Item{Action: apply.Update, Changes: changed("")}), ""},
		"changed by others":  {with(apply.Item{Action: apply.Update, Changes: changed("kubectl")}), "Service s: spec.a was changed by kubectl\n"},
		"not known before":   {with(apply.Item{Action: apply.Update, Why: "a webhook forbids it"}), "Service s: a webhook forbids it"},
		"only taken":         {with(apply.Item{Action: apply.Update, Why: apply.TakenAsItIs}), "1 object would only be taken into the inventory, as it is\n"},
		"changes hands only": {with(apply.Item{Action: apply.Update, Owned: []string{"spec.a"}}), "1 object would only be taken into the inventory, as it is\n"},
	} {
		got := told(c.change)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) || strings.HasSuffix(c.want, "\n") && got != c.want {
			t.Errorf("%s: says %q, want %q", name, got, c.want)
		}
	}
}

// TestRunWithAProgram: the user's program says whether anything changes; that nothing does
// is said only if nothing would be refused either.
func TestRunWithAProgram(t *testing.T) {
	for name, c := range map[string]struct {
		program         string
		refused         bool
		changed, nobody bool
	}{
		"nothing":              {"true", false, false, true},
		"nothing, but refused": {"true", true, false, false},
		"something":            {"false", false, true, false},
	} {
		server, account := sessiontest.Empty(t)
		if c.refused {
			account.Refuse("GetOpenIDConnectProvider", 404, "NoSuchEntity", "none")
		}
		s, stdout, stderr := sessiontest.New(t, server, account)
		r := request()
		r.ExternalDiff = c.program
		changed, err := Run(t.Context(), s, r)
		if changed != c.changed || (err != nil) != c.refused || stdout.Len() > 0 || strings.Contains(stderr.String(), "nothing to change") != c.nobody {
			t.Errorf("%s: %t, %v, %q\n%s", name, changed, err, stdout, stderr)
		}
	}
	server, account := sessiontest.Empty(t)
	s, _, _ := sessiontest.New(t, server, account)
	r := request()
	r.ExternalDiff = "/nope/program"
	if _, err := Run(t.Context(), s, r); err == nil || !strings.Contains(err.Error(), "/nope/program") {
		t.Errorf("a program that is not there: %v", err)
	}
}

// TestRunAsAsked: what the flags allow is not refused, and what they name is compared.
func TestRunAsAsked(t *testing.T) {
	managedBy := func(manager string) func(*clustertest.Server, *awstest.Server) {
		object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service"}}
		object.SetName("ostoy-frontend-svc")
		object.SetNamespace("demo")
		object.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationApply}})
		return func(s *clustertest.Server, _ *awstest.Server) {
			s.Answer("GET /api/v1/namespaces/demo/services/ostoy-frontend-svc", object.Object)
		}
	}
	for name, c := range map[string]struct {
		play    func(*clustertest.Server, *awstest.Server)
		change  func(*Request)
		without problem.Kind // without the change; 0: no refusal
		prints  string
	}{
		"--force-owner": {managedBy("argocd-controller"), func(r *Request) { r.ForceOwner = true }, problem.Refused, "kind: Service"},
		"--role-name":   {func(*clustertest.Server, *awstest.Server) {}, func(r *Request) { r.Role.Name = "mine" }, 0, "iam.role.mine"},
		"--set":         {func(*clustertest.Server, *awstest.Server) {}, func(r *Request) { r.Chart.Set = []string{"secrets.existing=true"} }, 0, "kind: Bucket"},
	} {
		server, account := sessiontest.Empty(t)
		c.play(server, account)
		s, stdout, stderr := sessiontest.New(t, server, account)
		var several *problem.Several
		if _, err := Run(t.Context(), s, request()); (err != nil) != (c.without != 0) || err != nil && (!errors.As(err, &several) || several.Kind() != c.without) {
			t.Errorf("%s, without it: %v", name, err)
		}
		stdout.Reset()
		r := request()
		c.change(&r)
		if changed, err := Run(t.Context(), s, r); err != nil || !changed || !strings.Contains(stdout.String(), c.prints) {
			t.Errorf("%s: %t, %v\n%s", name, changed, err, stderr)
		}
		if without := len(r.Chart.Set) > 0; strings.Contains(stdout.String(), "kind: Secret") == without {
			t.Errorf("%s: Secrets are there or not", name)
		}
	}
}

// TestRunIsCutOff: the end of a run that compares already is one, too, and what cannot be
// compared with is said before anything is asked.
func TestRunIsCutOff(t *testing.T) {
	server, account := sessiontest.Empty(t)
	s, stdout, _ := sessiontest.New(t, server, account)
	late := request()
	late.Timeout = 0
	var told *problem.Error
	if _, err := Run(t.Context(), s, late); !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.What, "--timeout 0s") {
		t.Errorf("late: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, s, request()); !errors.Is(err, context.Canceled) || stdout.Len() > 0 {
		t.Errorf("interrupted: %v, %q", err, stdout)
	}
	nowhere := request()
	nowhere.Facts.Given.Region = render.Fact{}
	if _, err := Run(t.Context(), s, nowhere); !problem.IsInput(err) || !strings.Contains(err.Error(), "region") {
		t.Errorf("no region: %v", err)
	}
}
