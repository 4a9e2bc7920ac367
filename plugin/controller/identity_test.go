package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// recordOf is an inventory with an identity mode, written by a field manager.
func recordOf(t *testing.T, identity, manager string) apply.Inventory {
	config := by(manager, object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: ostoy-s3-controller, namespace: ack-system, labels: {app.kubernetes.io/managed-by: ostoy-s3}}, data: {identity: '"+identity+"'}}"))
	return apply.Controller().InventoryOf(config)
}

// ownsConfig are managedFields of ours that hold a part of spec.config.
func ownsConfig(o *unstructured.Unstructured) {
	o.SetManagedFields([]metav1.ManagedFieldsEntry{{
		Manager: apply.Manager, Operation: metav1.ManagedFieldsOperationApply, FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:config":{"f:volumes":{}}}}`),
	}})
}

// TestIdentityStays: what was chosen once stays, whatever somebody removes from the
// Subscription.
func TestIdentityStays(t *testing.T) {
	const env, volumes = "env: [{name: AWS_ROLE_ARN, value: x}]", "volumes: [{name: aws-iam-token}]"
	for name, c := range map[string]struct {
		config   string
		owned    bool
		recorded apply.Inventory
		asked    operator.Identity
		want     operator.Identity
	}{
		"on record, config removed":            {"", false, recordOf(t, "subscription", apply.Manager), "", operator.Subscription},
		"on record, somebody added variables":  {env, false, recordOf(t, "annotation", apply.Manager), "", operator.Annotation},
		"no record, whole":                     {env + ", " + volumes, true, apply.Inventory{}, "", operator.Subscription},
		"no record, the variables are removed": {volumes, false, apply.Inventory{}, "", operator.Subscription},
		"no record, one variable left":         {"env: [{name: AWS_WEB_IDENTITY_TOKEN_FILE}]", false, apply.Inventory{}, "", operator.Subscription},
		"no record, by managedFields":          {"env: []", true, apply.Inventory{}, "", operator.Subscription},
		"no record, never had any":             {"", false, apply.Inventory{}, "", operator.Annotation},
		"no record, variables of a person":     {"env: [{name: HTTP_PROXY}]", false, apply.Inventory{}, "", operator.Annotation},
		"a record that is not ours":            {"", false, recordOf(t, "subscription", "kubectl-create"), "", operator.Annotation},
		"a record that says nothing":           {env, false, recordOf(t, "whatever", apply.Manager), "", operator.Subscription},
		"the user decides":                     {env, true, recordOf(t, "subscription", apply.Manager), operator.Annotation, operator.Annotation},
	} {
		subscription := object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: ack-s3-controller, namespace: ack-system}, spec: {config: {"+c.config+"}}, status: {installedCSV: "+csvName+"}}")
		if c.owned {
			ownsConfig(subscription)
		}
		found := &Found{Namespace: ackSystem, Inventory: c.recorded}
		if got := found.subscribedIdentity(c.asked, subscription); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestChosenIdentity: without OLM, too, what was chosen once stays.
func TestChosenIdentity(t *testing.T) {
	for name, c := range map[string]struct {
		recorded    string
		asked, want operator.Identity
	}{
		"nothing is known": {"", "", operator.Subscription},
		"on record":        {"annotation", "", operator.Annotation},
		"the user decides": {"annotation", operator.Subscription, operator.Subscription},
	} {
		p := &Plan{basis: basis{found: &Found{Namespace: ackSystem, Inventory: recordOf(t, c.recorded, apply.Manager)}, options: Options{Identity: c.asked}}}
		if got := chosenIdentity(p); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
