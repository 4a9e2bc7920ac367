package controller

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

const csvName = "ack-s3-controller.v1.13.0"

// subscribedBy is a Subscription of the usual name that a field manager applied, as
// OLM leaves it once it has installed the version.
func subscribedBy(t *testing.T, manager, approval string) *unstructured.Unstructured {
	return by(manager, object(t, `{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: ack-s3-controller, namespace: ack-system, uid: theirs},
  spec: {name: ack-s3-controller, installPlanApproval: `+approval+`}, status: {installedCSV: `+csvName+`, currentCSV: `+csvName+`}}`))
}

// accountOfVersion is the ServiceAccount as OLM writes it: nothing in its
// managedFields tells whose Subscription it is for.
func accountOfVersion(t *testing.T) *unstructured.Unstructured {
	account := by("catalog", object(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: ack-s3-controller, namespace: ack-system, labels: {olm.managed: 'true'}}}"))
	account.SetOwnerReferences([]metav1.OwnerReference{{Kind: "ClusterServiceVersion", Name: csvName, UID: "csv"}})
	return account
}

// notManaged is a cluster in which somebody else had OLM install the operator.
func notManaged(t *testing.T, approval string) []*unstructured.Unstructured {
	t.Helper()
	deployment := named(t, deploymentOf, "ack-s3-controller")
	deployment.SetLabels(map[string]string{"olm.owner": csvName})
	return append(inCluster(t), object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: ack-system}}"),
		subscribedBy(t, "kubectl-create", approval), version(t), accountOfVersion(t), deployment, named(t, podOf, "ack-s3-controller"),
		object(t, "{apiVersion: operators.coreos.com/v1, kind: OperatorGroup, metadata: {name: theirs, namespace: ack-system}}"),
		object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: ack-s3-user-config, namespace: ack-system}}"),
		object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: InstallPlan, metadata: {name: install-abcde, namespace: ack-system, ownerReferences: [{kind: Subscription, name: ack-s3-controller, uid: theirs}]}, spec: {approved: true, clusterServiceVersionNames: ["+csvName+"]}}"))
}

// rightsAndPolicy are the parts of ourRights.
const rightsAndPolicy = "ClusterRole ostoy-s3-buckets-edit\nClusterRole ostoy-s3-buckets-view\n" +
	"ValidatingAdmissionPolicy ostoy-s3-buckets\nValidatingAdmissionPolicyBinding ostoy-s3-buckets"

// sorted are lines in alphabetical order.
func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func ourRights() (rights []*unstructured.Unstructured) {
	for _, o := range accessObjects() {
		rights = append(rights, ours(o))
	}
	return rights
}

// TestSubscriptionNotManaged: nothing of an operator that somebody else subscribed to
// is removed or announced, whatever leave is given.
func TestSubscriptionNotManaged(t *testing.T) {
	for _, approval := range []string{"Automatic", "Manual"} {
		for name, options := range map[string]RemovalOptions{
			"plain": {}, "all": {ForceOwner: true, AdoptRole: true},
		} {
			objects := notManaged(t, approval)
			w := newWorld(t, true, append(objects, bucketNamed(t, "good", ack.Finalizer))...).withRole()
			before := w.everything()
			_, err := w.run(t.Context(), options)
			wantProblem(t, err, problem.Refused, "deployment ack-s3-controller in ack-system", "not managed by ostoy-s3")
			if len(w.writes) > 0 || w.everything() != before {
				t.Errorf("%s, %s: %v", approval, name, w.writes)
			}

			// Permissions that this tool added beside it go, and nothing else.
			w = newWorld(t, true, objects...).withRole()
			before = w.everything()
			w = newWorld(t, true, append(objects, ourRights()...)...).withRole()
			going, err := w.run(t.Context(), options)
			if err != nil {
				t.Fatal(err)
			}
			if got := parts(going, removal.Removed); sorted(got) != rightsAndPolicy {
				t.Errorf("%s, %s: removes\n%s", approval, name, got)
			}
			if w.everything() != before {
				t.Errorf("%s, %s: left\n%s\nwas\n%s", approval, name, w.everything(), before)
			}
			w.sound()
		}
	}
}

// TestSubscriptionNotManagedWithoutController: it waits for its InstallPlan.
func TestSubscriptionNotManagedWithoutController(t *testing.T) {
	waits := subscribedBy(t, "kubectl-create", "Manual")
	delete(waits.Object, "status")
	w := newWorld(t, true, append(inCluster(t), waits)...)
	going, err := w.run(t.Context(), RemovalOptions{})
	if err != nil || len(w.writes) > 0 || len(going.Lines()) > 0 {
		t.Errorf("%v, %v", err, w.writes)
	}
}

// TestSubscriptionTakenOver: somebody replaced our Subscription by one of the same
// name. Everything stays: the operator works with what
// ostoy-s3 applied.
func TestSubscriptionTakenOver(t *testing.T) {
	objects := slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool {
		return o.GetKind() == "Subscription" || o.GetKind() == "ServiceAccount" && o.GetName() == operator.ServiceAccount
	})
	account := accountOfVersion(t)
	account.SetManagedFields(append(account.GetManagedFields(), appliedBy("ostoy-s3")...))
	w := newWorld(t, true, append(objects, account, subscribedBy(t, "kubectl-create", "Automatic"))...).withRole()
	before := w.everything()
	_, err := w.run(t.Context(), RemovalOptions{ForceOwner: true, AdoptRole: true})
	wantProblem(t, err, problem.Refused, "another installation", "Subscription ack-s3-controller", "oc delete subscriptions.operators.coreos.com ack-s3-controller -n ack-system")
	if len(w.writes) > 0 || w.everything() != before {
		t.Errorf("%v", w.writes)
	}
}

// TestSubscribedMeanwhile: the version that comes for a Subscription which somebody
// created after ours was deleted stays.
func TestSubscribedMeanwhile(t *testing.T) {
	w := newWorld(t, true, byOLM(t)...).withRole()
	other := subscribedBy(t, "kubectl-create", "Automatic")
	other.SetName("theirs")
	w.onWrite = func(write string) {
		if write == "delete subscriptions ack-system/ack-s3-controller" {
			w.onWrite = nil
			w.put(other)
			next := version(t)
			next.SetName("ack-s3-controller.v1.14.0")
			w.put(next)
		}
	}
	if _, err := w.run(t.Context(), RemovalOptions{}); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(w.writes, "delete clusterserviceversions ack-system/ack-s3-controller.v1.14.0") {
		t.Errorf("%v", w.writes)
	}
}

// TestVersionWithoutMark: a version whose Subscription is gone is ours by the
// inventory's managedFields, not by its label or its list of objects alone.
func TestVersionWithoutMark(t *testing.T) {
	gone := slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool { return o.GetKind() == "Subscription" })
	w := newWorld(t, true, gone...).withRole()
	if going, err := w.plan(t.Context(), RemovalOptions{}); err != nil || !strings.Contains(parts(going, removal.Removed), csvName) {
		t.Errorf("%v", err)
	}
	copied := slices.DeleteFunc(gone, func(o *unstructured.Unstructured) bool { return o.GetName() == operator.UserConfig })
	for _, o := range copied {
		if o.GetName() == "ostoy-s3-controller" {
			o.SetManagedFields(nil)
			o.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "ostoy-s3"})
		}
	}
	w = newWorld(t, true, copied...).withRole()
	_, err := w.plan(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Refused, "ClusterServiceVersion "+csvName)
}
