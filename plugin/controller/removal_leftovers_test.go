package controller

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
)

// roleNamed is a Role of the controller's namespace; labels and owners are YAML.
func roleNamed(t *testing.T, name, labels, owners string) *unstructured.Unstructured {
	return object(t, "{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: "+name+", namespace: ack-system, labels: {"+labels+"}, ownerReferences: ["+owners+"]}}")
}

func bundleRolesOf(t *testing.T) []*unstructured.Unstructured {
	return []*unstructured.Unstructured{
		roleNamed(t, "ack-s3-reader", "olm.managed: 'true'", ""), roleNamed(t, "ack-s3-writer", "olm.managed: 'true'", ""),
		roleNamed(t, "of-a-later-bundle", "olm.managed: 'true', operators.coreos.com/ack-s3-controller.ack-system: ''", ""),
	}
}

// TestBundleRoles do not keep the namespace; if it is kept, the plan says how to delete them.
func TestBundleRoles(t *testing.T) {
	w := newWorld(t, true, append(byOLM(t), bundleRolesOf(t)...)...).withRole()
	if _, err := w.run(t.Context(), RemovalOptions{}); err != nil || w.get(kinds.Namespace.GVR(), "", ackSystem) != nil {
		t.Errorf("%v, left:\n%s", err, w.everything())
	}
	w.sound()

	other := object(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: ack-system}}")
	w = newWorld(t, true, append(append(byOLM(t), other), bundleRolesOf(t)...)...).withRole()
	going, err := w.run(t.Context(), RemovalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	parts := going.Lines()
	if last := parts[len(parts)-1]; last.Next != "oc delete roles.rbac.authorization.k8s.io ack-s3-reader ack-s3-writer --ignore-not-found -n ack-system" {
		t.Errorf("%+v", last)
	}
	if len(w.all(namespacedRoles(), "Role", ackSystem)) != 3 {
		t.Errorf("%v", w.writes)
	}
}

func namespacedRoles() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: rbacGroup, Version: "v1", Resource: "roles"}
}

// TestNoBundleRoles: what looks like one and belongs to others keeps the namespace.
func TestNoBundleRoles(t *testing.T) {
	for name, other := range map[string]*unstructured.Unstructured{
		"of a person":             roleNamed(t, "ack-s3-reader", "a: b", ""),
		"of another operator":     roleNamed(t, "ack-iam-reader", "olm.managed: 'true'", ""),
		"labelled for another":    roleNamed(t, "ack-s3-reader", "olm.managed: 'true', operators.coreos.com/ack-iam-controller.ack-system: ''", ""),
		"labelled for another ns": roleNamed(t, "reader", "olm.managed: 'true', operators.coreos.com/ack-s3-controller.elsewhere: ''", ""),
	} {
		w := newWorld(t, true, append(byOLM(t), other)...).withRole()
		going, err := w.run(t.Context(), RemovalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if w.get(kinds.Role.GVR(), ackSystem, other.GetName()) == nil || w.get(kinds.Namespace.GVR(), "", ackSystem) == nil || !strings.Contains(parts(going, removal.Kept), "namespace ack-system") {
			t.Errorf("%s: %v", name, w.writes)
		}
		w.sound()
	}
	// Owned by something, it goes with that.
	owned := roleNamed(t, "ack-s3-reader", "olm.managed: 'true'", "{kind: ClusterServiceVersion, name: other.v1, uid: x}")
	if ofBundle(owned) {
		t.Error("one with an owner is called one of the bundle")
	}
}
