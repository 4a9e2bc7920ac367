package controller

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
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

// TestLeftovers of OLM go with the operator, so that the namespace can go.
func TestLeftovers(t *testing.T) {
	w := newWorld(t, true, append(byOLM(t), bundleRolesOf(t)[1:]...)...).withRole()
	w.onWrite = func(write string) { // an InstallPlan that is still carried out
		if strings.HasPrefix(write, "delete subscriptions") {
			w.onWrite = nil
			w.put(bundleRolesOf(t)[0])
		}
	}
	removal, err := w.run(t.Context(), RemovalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.inOrder("delete clusterserviceversions ack-system/"+csvName, "delete roles ack-system/ack-s3-writer",
		"delete configmaps ack-system/ack-s3-user-config", "delete namespaces ack-system")
	w.sound()
	if got := w.everything(); got != definitionStays {
		t.Errorf("left:\n%s", got)
	}
	if got := parts(removal, Removed); !strings.Contains(got, "Role ack-s3-reader") || !strings.Contains(got, "Role of-a-later-bundle") {
		t.Errorf("it does not say so:\n%s", got)
	}

	w = newWorld(t, true, append(byOLM(t), bundleRolesOf(t)...)...).withRole()
	w.refused["delete roles"] = true
	_, err = w.run(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Refused, "delete roles.rbac.authorization.k8s.io")
	if len(w.writes) > 0 {
		t.Errorf("%v", w.writes)
	}
}

// TestNoLeftovers: what looks like one and belongs to others stays, and keeps the
// namespace.
func TestNoLeftovers(t *testing.T) {
	for name, other := range map[string]*unstructured.Unstructured{
		"of a person":             roleNamed(t, "ack-s3-reader", "a: b", ""),
		"of another operator":     roleNamed(t, "ack-iam-reader", "olm.managed: 'true'", ""),
		"labelled for another":    roleNamed(t, "ack-s3-reader", "olm.managed: 'true', operators.coreos.com/ack-iam-controller.ack-system: ''", ""),
		"labelled for another ns": roleNamed(t, "reader", "olm.managed: 'true', operators.coreos.com/ack-s3-controller.elsewhere: ''", ""),
	} {
		w := newWorld(t, true, append(byOLM(t), other)...).withRole()
		removal, err := w.run(t.Context(), RemovalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if w.get(namespacedRoles(), ackSystem, other.GetName()) == nil || w.get(live.Namespaces(), "", ackSystem) == nil || !strings.Contains(parts(removal, Kept), "namespace ack-system") {
			t.Errorf("%s: %v", name, w.writes)
		}
		w.sound()
	}
	// Owned by something, it goes with that.
	owned := roleNamed(t, "ack-s3-reader", "olm.managed: 'true'", "{kind: ClusterServiceVersion, name: other.v1, uid: x}")
	if isLeftover(owned) {
		t.Error("one with an owner is called a leftover")
	}
	// Those of a Subscription that is not ours are never looked for.
	w := newWorld(t, true, slices.Concat(notManaged(t, "Manual"), ourRights(), bundleRolesOf(t))...).withRole()
	if removal, err := w.run(t.Context(), RemovalOptions{Force: true}); err != nil || strings.Contains(parts(removal, Removed), "Role ack-s3") {
		t.Errorf("%v, %v", err, w.writes)
	}
	if len(w.all(namespacedRoles(), "Role", ackSystem)) != 3 {
		t.Errorf("%v", w.writes)
	}
}
