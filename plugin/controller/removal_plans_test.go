package controller

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
)

// onItsWay is a cluster in which OLM is still carrying out the InstallPlan that an
// install has approved: neither definition nor version is there yet.
func onItsWay(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	all := slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool {
		return slices.Contains([]string{"CustomResourceDefinition", "ClusterServiceVersion", "Deployment", "Pod"}, o.GetKind())
	})
	return append(all, object(t, `{apiVersion: operators.coreos.com/v1alpha1, kind: InstallPlan, metadata: {name: install-abcde, namespace: ack-system,
  ownerReferences: [{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, name: ack-s3-controller, uid: s}]},
  spec: {approved: true, clusterServiceVersionNames: [ack-s3-controller.v1.13.0]}, status: {phase: Installing}}`))
}

// TestWhatIsStillBeingInstalled goes, too: the plan is waited for, and what it has
// brought is removed.
func TestWhatIsStillBeingInstalled(t *testing.T) {
	w := newWorld(t, true, onItsWay(t)...).withRole()
	if _, err := w.run(t.Context(), RemovalOptions{}); err != nil {
		t.Fatal(err)
	}
	w.inOrder("delete subscriptions ack-system/ack-s3-controller", "delete clusterserviceversions ack-system/ack-s3-controller.v1.13.0",
		"delete namespaces ack-system")
	w.sound()
	if got := w.everything(); got != definitionStays {
		t.Errorf("left:\n%s", got)
	}
}

// TestVersionThatComesWhilePlanning is no reason to keep the namespace: it is
// somebody else's only if a Subscription is.
func TestVersionThatComesWhilePlanning(t *testing.T) {
	theirs := object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, metadata: {name: other.v1.0.0, namespace: ack-system}}")
	for fate, came := range map[removal.Fate]*unstructured.Unstructured{removal.Removed: version(t), removal.Kept: theirs} {
		w := newWorld(t, true, onItsWay(t)...).withRole()
		w.connect()
		found, err := Look(t.Context(), &live.World{Conn: w.conn, Namespace: ackSystem})
		if err != nil {
			t.Fatal(err)
		}
		w.put(came)
		going, err := PlanRemoval(t.Context(), found, RemovalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		parts := going.Lines()
		if at := slices.IndexFunc(parts, func(p *removal.Line) bool { return p.Subject == removal.Project }); at < 0 || parts[at].Fate != fate {
			t.Errorf("%s came, and the namespace is not %s", came.GetName(), fate)
		}
	}
}

// TestPlansOfOthers do not go with our Subscription, and are not waited for; what OLM
// carries out is, whoever else owns it.
func TestPlansOfOthers(t *testing.T) {
	mine := onItsWay(t)
	mine = mine[len(mine)-1:]
	for name, change := range map[string]func(*unstructured.Unstructured){
		"not approved": func(o *unstructured.Unstructured) { o.Object["spec"].(map[string]any)["approved"] = false },
		"over":         func(o *unstructured.Unstructured) { o.Object["status"].(map[string]any)["phase"] = "Complete" },
		"nobody's":     func(o *unstructured.Unstructured) { o.SetOwnerReferences(nil) },
		"others' as well, lost": func(o *unstructured.Unstructured) {
			o.SetOwnerReferences(append(o.GetOwnerReferences(), metav1.OwnerReference{Kind: "Subscription", Name: "other"}))
			o.Object["status"].(map[string]any)["phase"] = ""
		},
		"another operator's": func(o *unstructured.Unstructured) {
			o.Object["spec"].(map[string]any)["clusterServiceVersionNames"] = []any{"other.v1.0.0"}
		},
	} {
		plan := mine[0].DeepCopy()
		if !underWay(plan) {
			t.Fatal("our own is not waited for")
		}
		if change(plan); underWay(plan) {
			t.Errorf("%s: waited for", name)
		}
	}
	both := mine[0].DeepCopy()
	both.SetOwnerReferences(append(both.GetOwnerReferences(), metav1.OwnerReference{Kind: "Subscription", Name: "other"}))
	both.Object["status"].(map[string]any)["phase"] = "Installing"
	if !underWay(both) {
		t.Error("one that OLM carries out, and others own as well, is not waited for")
	}
}
