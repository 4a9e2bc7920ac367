package controller

import (
	"errors"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// appliedBy are managedFields that say so.
func appliedBy(manager string) []metav1.ManagedFieldsEntry {
	return []metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationApply}}
}

func controllerBy(installer ack.Installer, namespace, manager string, env ...string) ack.Controller {
	c := ack.Controller{Installer: installer, Deployment: apps.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: namespace, ManagedFields: appliedBy(manager)},
	}}
	container := core.Container{Name: "controller"}
	for _, name := range env {
		container.Env = append(container.Env, core.EnvVar{Name: name})
	}
	c.Spec.Template.Spec.Containers = []core.Container{container}
	return c
}

// TestMode: there is never a second controller, whatever the cluster has and
// whatever is asked for.
func TestMode(t *testing.T) {
	const here = "ack-system"
	subscription := &unstructured.Unstructured{Object: map[string]any{}}
	subscription.SetNamespace(here)
	subscription.SetManagedFields(appliedBy(apply.Manager))
	byChart := []ack.Controller{controllerBy(ack.Manifests, here, apply.Manager)}
	byOLM := []ack.Controller{controllerBy(ack.OLM, here, "olm")}
	helms := []ack.Controller{controllerBy(ack.Helm, "elsewhere", "helm")}
	for _, tc := range []struct {
		name        string
		olm         bool
		deployments []ack.Controller
		subscribed  bool
		chart, asIs bool
		want        Mode
		refused     problem.Kind
	}{
		{name: "nothing, with OLM", olm: true, want: ByOLM},
		{name: "nothing, without OLM", want: ByHand},
		{name: "a chart", chart: true, want: ByChart},
		{name: "a chart, with OLM", olm: true, chart: true, want: ByChart},
		{name: "somebody else's", olm: true, deployments: helms, want: Used},
		{name: "somebody else's, and a chart", deployments: helms, chart: true, want: Used},
		{name: "ours by OLM", olm: true, deployments: byOLM, subscribed: true, want: ByOLM},
		{name: "ours by OLM, and a chart", olm: true, deployments: byOLM, subscribed: true, chart: true, refused: problem.Refused},
		{name: "ours on its way, and a chart", olm: true, subscribed: true, chart: true, refused: problem.Refused},
		{name: "ours by a chart", deployments: byChart, chart: true, want: ByChart},
		{name: "ours by a chart, without it", deployments: byChart, refused: problem.Usage},
		{name: "ours by a chart, without it, with OLM", olm: true, deployments: byChart, refused: problem.Usage},
		{name: "ours by a chart, for the app", deployments: byChart, asIs: true, want: Used},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found := &Found{Namespace: here, OLM: tc.olm, Controllers: provenOnes(tc.deployments...)}
			if tc.subscribed {
				found.Subscriptions = []*unstructured.Unstructured{subscription}
			}
			p := &Plan{found: found, options: Options{AsItIs: tc.asIs}}
			if tc.chart {
				p.options.Chart = &render.Foreign{}
			}
			got, err := p.mode()
			var told *problem.Error
			if got != tc.want || errors.As(err, &told) != (tc.refused != 0) || told != nil && (told.Kind != tc.refused || told.Why == "" || told.Next == "") {
				t.Errorf("%q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

// TestChartIdentity: what was chosen once stays.
func TestChartIdentity(t *testing.T) {
	const here = "ack-system"
	for _, tc := range []struct {
		name  string
		mine  []ack.Controller
		given operator.Identity
		want  operator.Identity
	}{
		{"nothing there", nil, "", operator.Subscription},
		{"in the pod", []ack.Controller{controllerBy(ack.Manifests, here, apply.Manager, "AWS_REGION", "AWS_ROLE_ARN")}, "", operator.Subscription},
		{"by annotation", []ack.Controller{controllerBy(ack.Manifests, here, apply.Manager, "AWS_REGION")}, "", operator.Annotation},
		{"the user decides", []ack.Controller{controllerBy(ack.Manifests, here, apply.Manager)}, operator.Subscription, operator.Subscription},
	} {
		p := &Plan{found: &Found{Namespace: here, Controllers: live.Controllers{All: tc.mine}}, options: Options{Identity: tc.given}}
		if got := p.chartIdentity(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}
