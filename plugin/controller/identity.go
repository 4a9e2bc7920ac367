package controller

import (
	"slices"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// The identity mode is what the user chose once, and it stays until they choose again.
// It is on record in the inventory: a Subscription or a Deployment from which somebody
// removed the variables looks like one that never had them. The inventory is in the
// controller's namespace, which only cluster admins write to, and it chooses between
// two ways to the same role.

// recordedIdentity is the mode on record, "" where none is. Only an inventory counts
// that this tool wrote.
func (f *Found) recordedIdentity() operator.Identity {
	switch identity := operator.Identity(f.Inventory.Identity); {
	case !f.Inventory.Found || !f.Inventory.Applied():
	case identity == operator.Subscription, identity == operator.Annotation:
		return identity
	}
	return ""
}

// subscribedIdentity is the mode that you asked for, or else that of the Subscription,
// which this tool applied: the one on record, or without the
// record, which earlier versions did not write: any part of what the mode adds shows
// it, and so do the fields that managedFields say this tool has set there.
func (f *Found) subscribedIdentity(asked operator.Identity, subscription *unstructured.Unstructured) operator.Identity {
	if asked != "" {
		return asked
	}
	if recorded := f.recordedIdentity(); recorded != "" {
		return recorded
	}
	names := func(field string) (all []string) {
		for _, one := range health.Maps(subscription.Object, "spec", "config", field) {
			all = append(all, health.Text(one, "name"))
		}
		return all
	}
	if slices.ContainsFunc(names("env"), identityVariable) ||
		slices.Contains(slices.Concat(names("volumes"), names("volumeMounts")), operator.TokenVolume) ||
		slices.Contains(apply.Setters(subscription, "spec", "config"), apply.Manager) {
		return operator.Subscription
	}
	return operator.Annotation
}

// deployedIdentity is the same for a Deployment from ACK's chart.
func (f *Found) deployedIdentity(c ack.Controller) operator.Identity {
	if recorded := f.recordedIdentity(); recorded != "" {
		return recorded
	}
	pod := c.Spec.Template.Spec
	for _, container := range pod.Containers {
		if slices.ContainsFunc(container.Env, func(v core.EnvVar) bool { return identityVariable(v.Name) }) {
			return operator.Subscription
		}
	}
	if slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == operator.TokenVolume }) {
		return operator.Subscription
	}
	return operator.Annotation
}

func identityVariable(name string) bool {
	return name == "AWS_ROLE_ARN" || name == "AWS_WEB_IDENTITY_TOKEN_FILE"
}

// namesRole reports whether a Subscription gives the controller its role as it is now.
func namesRole(subscription *unstructured.Unstructured) bool {
	return slices.ContainsFunc(health.Maps(subscription.Object, "spec", "config", "env"), func(v map[string]any) bool { return v["name"] == "AWS_ROLE_ARN" })
}
