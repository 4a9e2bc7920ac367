package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func TestRandomProjectFitsItsBucket(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		name, err := randomProject()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "ostoy-") || len(name) != len("ostoy-")+8 || seen[name] {
			t.Fatalf("name %q", name)
		}
		if err := (render.Facts{Namespace: render.Fact{Value: name}}).Validate(); err != nil {
			t.Fatal(err)
		}
		seen[name] = true
	}
}

// TestMadeByUs fixes the mark on our projects for ever: a release with another
// one would take the projects of an earlier one for somebody else's.
func TestMadeByUs(t *testing.T) {
	if got := madeByUs("demo"); got != "made by oc ostoy-s3 (2a97516c)" {
		t.Errorf("mark %q", got)
	}
	if madeByUs("demo") == madeByUs("other") {
		t.Error("the mark can be copied from one project to another")
	}
	for project, want := range map[project]string{
		{}:                         apply.OriginCreated, // this run makes it
		{exists: true}:             apply.OriginExisting,
		{exists: true, ours: true}: apply.OriginCreated,
	} {
		if got := project.origin(); got != want {
			t.Errorf("%+v: origin %s, want %s", project, got, want)
		}
	}
}

func TestUnmarkedBuckets(t *testing.T) {
	tags := map[string]string{"team": "blue"}
	for _, c := range []struct {
		state bucket.State
		want  bool
	}{
		{bucket.State{Kind: bucket.Foreign}, true},
		{bucket.State{Kind: bucket.Foreign, Tags: tags}, false},
		{bucket.State{Kind: bucket.TagsUnreadable}, true},
		{bucket.State{Kind: bucket.OtherAccount, Sure: true}, false},
		{bucket.State{Kind: bucket.OtherAccount}, true},
		{bucket.State{Kind: bucket.OtherRegion}, false},
	} {
		if got := unmarked(c.state); got != c.want {
			t.Errorf("%+v: %t, want %t", c.state, got, c.want)
		}
	}
}

func TestRefusal(t *testing.T) {
	if err := refusal([]check.Outcome{{Finding: check.Pass()}, {Finding: check.Warn("w", "", "")}}); err != nil {
		t.Errorf("warnings refuse: %v", err)
	}
	err := refusal([]check.Outcome{
		{Check: check.Check{ID: "a"}, Finding: check.Finding{Status: check.Failed, What: "one"}},
		{Check: check.Check{ID: "b"}, Finding: check.Finding{Status: check.Failed, What: "two"}},
	})
	var several *problem.Several
	if !errors.As(err, &several) || len(several.Problems) != 2 || several.Kind() != problem.Refused || several.Note != "nothing was changed" {
		t.Errorf("%#v", err)
	}
	stopped := check.Outcome{Finding: check.Fail(fmt.Errorf("get: %w", context.Canceled))}
	if err := refusal([]check.Outcome{stopped}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt became %v", err)
	}
}

// TestCutOff: who stops a run is told what it did, and that another goes on.
func TestCutOff(t *testing.T) {
	i := &install{facts: render.Facts{Namespace: render.Fact{Value: "demo"}}}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	kind := func(err error) problem.Kind {
		var told *problem.Error
		if !errors.As(err, &told) {
			return 0
		}
		return told.Kind
	}
	if err := session.CutOff(stopped, fmt.Errorf("wait: %w", context.Canceled), time.Minute, i.doneSoFar); kind(err) != problem.Interrupted || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("interrupted before anything: %v", err)
	}
	i.madeProject = true
	i.done = map[apply.Action]int{apply.Create: 3, apply.Update: 1}
	i.role = &iam.Plan{Role: iam.Role{Name: "learner"}, Steps: make([]iam.Step, 2)}
	i.roleDone = &iam.Result{Done: make([]iam.Step, 1)}
	err := session.CutOff(t.Context(), fmt.Errorf("patch: %w", context.DeadlineExceeded), time.Minute, i.doneSoFar)
	for _, want := range []string{"--timeout 1m0s", "project demo created", "role learner: 1 of 2 steps", "3 created, 1 updated"} {
		if kind(err) != problem.Failed || !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q: %v", want, err)
		}
	}
	request := &url.Error{Op: "Get", URL: "https://api:6443/api/v1/namespaces/demo?limit=1", Err: context.DeadlineExceeded}
	for want, err := range map[string]error{
		"it was waiting for Secret x to be read":                   fmt.Errorf("plan: %w", problem.While("Secret x to be read", context.DeadlineExceeded)),
		"no answer in time to GET api:6443/api/v1/namespaces/demo": fmt.Errorf("look: %w", request),
		"AWS did not do iam:GetRole: no answer in time":            &problem.Error{Kind: problem.Failed, What: "AWS did not do iam:GetRole", Err: context.DeadlineExceeded},
	} {
		if err := session.CutOff(t.Context(), err, time.Minute, i.doneSoFar); kind(err) != problem.Failed || !strings.Contains(err.Error(), want+"\n") {
			t.Errorf("does not say %q: %v", want, err)
		}
	}
	refused := &problem.Error{Kind: problem.Refused, What: "no"}
	if err := session.CutOff(t.Context(), refused, time.Minute, i.doneSoFar); kind(err) != problem.Refused {
		t.Errorf("a refusal became %v", err)
	}
	verdict := &problem.Error{Kind: problem.NotReady, Err: context.DeadlineExceeded}
	if err := session.CutOff(t.Context(), verdict, time.Minute, i.doneSoFar); kind(err) != problem.NotReady {
		t.Errorf("a verdict became %v", err)
	}
	if session.CutOff(t.Context(), nil, time.Minute, i.doneSoFar) != nil {
		t.Error("a good end became an error")
	}
}

func TestRoleChanges(t *testing.T) {
	if got := roleChanges("arn", nil); got != nil {
		t.Errorf("no steps are no change: %v", got)
	}
	got := roleChanges("arn", []iam.Step{
		{Kind: iam.UpdateTrust, What: "trust policy", Before: "old", After: "new"},
		{Kind: iam.PutPolicy, What: "inline policy", After: "new"},
	})
	want := []change{{"Role arn", apply.Update, []apply.FieldChange{
		{Path: "trust policy", Before: "old", After: "new"},
		{Path: "inline policy", After: "new"},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if created := roleChanges("arn", []iam.Step{{Kind: iam.CreateRole}}); created[0].Action != apply.Create {
		t.Errorf("%+v", created)
	}
}

func TestProjectsIdentity(t *testing.T) {
	deployment := func(volume string) []*unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "metadata": map[string]any{"name": frontend}}}
		_ = unstructured.SetNestedSlice(object.Object, []any{map[string]any{"name": volume}}, "spec", "template", "spec", "volumes")
		return []*unstructured.Unstructured{object}
	}
	if !projectsIdentity(deployment("aws-iam-token")) || projectsIdentity(deployment("datavol")) || projectsIdentity(nil) {
		t.Error("the pod's own identity is not told from the webhook's")
	}
}

func TestWrap(t *testing.T) {
	names := []string{strings.Repeat("a", 40), strings.Repeat("b", 40), "c"}
	if got, want := wrap(names), names[0]+",\n"+names[1]+", c"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNamed(t *testing.T) {
	refs := []apply.Ref{{Kind: "Secret", Name: "a"}, {Kind: "Secret", Name: "b"}, {Kind: "Service", Name: "c"}}
	if diff := cmp.Diff([]string{"Secret a", "Secret b", "Service c"}, named(refs)); diff != "" {
		t.Error(diff)
	}
	refs = append(refs, apply.Ref{Kind: "Route"}, apply.Ref{Kind: "Secret"})
	if diff := cmp.Diff([]string{"3 Secrets", "Service", "Route"}, named(refs)); diff != "" {
		t.Error(diff)
	}
}
