package install

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

func newRun(request Request) *run {
	return &run{Session: &session.Session{UI: ui.New(&strings.Builder{}, ui.Style{}, time.Now), Now: time.Now}, request: request, done: &Done{}}
}

// showing is the plan of an install whose first Route shows a Secret of others.
func showing(secrets bool) plan.Plan {
	route := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route"}, "spec": map[string]any{},
	}}
	objects := []*unstructured.Unstructured{route}
	if secrets {
		objects = append(objects, &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "spec": map[string]any{"template": map[string]any{
			"spec": map[string]any{"volumes": []any{map[string]any{"secret": map[string]any{"secretName": "ostoy-secret"}}}},
		}}}})
	}
	p := plan.Plan{
		Desired: plan.Desired{Project: project.Project{State: project.State{Exists: true}}, Objects: objects},
		Objects: &apply.Plan{Items: []*apply.Item{{Ref: apply.RefOf(route), Action: apply.Create, Would: route}}},
		Role:    &iam.Plan{},
	}
	p.Desired.Project.Facts.Namespace.Value = "demo"
	return p
}

// TestF4F7ConfirmExposure: what existed before becomes readable only after a yes; a run
// that changes nothing about that asks nothing.
func TestF4F7ConfirmExposure(t *testing.T) {
	answers := func(text string) session.Ask {
		return func(context.Context, string) (string, error) { return text, nil }
	}
	for name, c := range map[string]struct {
		request Request
		plan    plan.Plan
		refused bool
	}{
		"nothing to show": {Request{}, showing(false), false},
		"nobody there":    {Request{}, showing(true), true},
		"yes":             {Request{Ask: answers("yes\n")}, showing(true), false},
		"another word":    {Request{Ask: answers("y")}, showing(true), true},
		"--yes":           {Request{Yes: true}, showing(true), false},
		"dry run":         {Request{DryRun: session.DryRunServer}, showing(true), false},
		"script":          {Request{DryRun: session.DryRunNone, Mode: ModeManual}, showing(true), false},
	} {
		if c.request.DryRun == "" {
			c.request.DryRun = session.DryRunNone
		}
		err := confirmExposure(t.Context(), newRun(c.request), c.plan)
		var told *problem.Error
		if (err != nil) != c.refused || c.refused && (!errors.As(err, &told) || told.Kind != problem.Usage || !strings.Contains(told.Next, "--yes")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unchanged := showing(true)
	unchanged.Objects.Items[0].Action = apply.Unchanged
	if err := confirmExposure(t.Context(), newRun(Request{DryRun: session.DryRunNone}), unchanged); err != nil {
		t.Errorf("a run that changes nothing asks: %v", err)
	}
}

// TestMayTighten: rights are taken from a role of others only after a yes.
func TestMayTighten(t *testing.T) {
	p := showing(false)
	p.Desired.Request.Tighten = true
	p.Role = &iam.Plan{Role: iam.Role{Name: "theirs"}, Steps: []iam.Step{{Kind: iam.UpdateTrust}}}
	if err := mayTighten(t.Context(), newRun(Request{}), p); err == nil || !strings.Contains(err.Error(), "theirs") {
		t.Errorf("nobody was asked: %v", err)
	}
	if err := mayTighten(t.Context(), newRun(Request{Yes: true}), p); err != nil {
		t.Error(err)
	}
	p.Desired.Request.Tighten = false
	if err := mayTighten(t.Context(), newRun(Request{}), p); err != nil {
		t.Errorf("nothing is taken: %v", err)
	}
}
