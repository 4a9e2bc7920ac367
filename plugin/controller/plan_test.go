package controller

import (
	"errors"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
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
	prepared := controllerBy(ack.Helm, here, "helm")
	prepared.Spec.Template.Spec.ServiceAccountName = operator.ServiceAccount
	another := controllerBy(ack.Helm, here, "helm")
	role := recordOf(t, "subscription", apply.Manager)
	role.RoleARN = "arn:aws:iam::123456789012:role/ostoy-s3-controller/x"
	copied := recordOf(t, "subscription", "kubectl-create")
	copied.RoleARN = role.RoleARN
	deployed := role
	deployed.Objects = []apply.Ref{{Group: "apps", Version: "v1", Kind: "Deployment", Name: "c"}}
	for _, tc := range []struct {
		name        string
		olm         bool
		deployments []ack.Controller
		subscribed  bool
		inventory   apply.Inventory
		want        Mode
		refused     problem.Kind
	}{
		{name: "nothing, with OLM", olm: true, want: ByOLM},
		{name: "nothing, without OLM", want: ByHand},
		{name: "not managed", olm: true, deployments: helms, want: Used},
		{name: "managed, by OLM", olm: true, deployments: byOLM, subscribed: true, want: ByOLM},
		{name: "managed, by OLM, beside another", olm: true, deployments: append(helms, byOLM...), subscribed: true, want: ByOLM},
		{name: "by the chart of an earlier version", deployments: byChart, inventory: deployed, want: Used},
		{name: "by the chart of an earlier version, with OLM", olm: true, deployments: byChart, inventory: deployed, want: Used},
		{name: "prepared", inventory: role, want: ByHand},
		{name: "prepared, installed with Helm", deployments: []ack.Controller{prepared}, inventory: role, want: ByHand},
		{name: "prepared, installed with Helm, OLM came later", olm: true, deployments: []ack.Controller{prepared}, inventory: role, want: ByHand},
		{name: "prepared, and another one installed", deployments: helms, inventory: role, want: Used},
		{name: "prepared, and another account", deployments: []ack.Controller{another}, inventory: role, want: Used},
		{name: "an inventory that this tool did not write", deployments: []ack.Controller{prepared}, inventory: copied, want: Used},
	} {
		t.Run(tc.name, func(t *testing.T) {
			found := &Found{Namespace: here, OLM: tc.olm, Controllers: provenOnes(tc.deployments...), Inventory: tc.inventory}
			if tc.subscribed {
				found.Subscriptions = []*unstructured.Unstructured{subscription}
			}
			p := &Plan{basis: basis{found: found}}
			got, err := p.mode()
			var told *problem.Error
			if got != tc.want || errors.As(err, &told) != (tc.refused != 0) || told != nil && (told.Kind != tc.refused || told.Why == "" || told.Next == "") {
				t.Errorf("%q, %v; want %q", got, err, tc.want)
			}
		})
	}
}
