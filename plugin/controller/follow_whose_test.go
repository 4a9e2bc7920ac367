package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestReplacedSubscription: one of the same name that somebody else applied is not
// followed.
func TestReplacedSubscription(t *testing.T) {
	if _, is := replaced(subscribedBy(t, "ostoy-s3", "Manual")); is {
		t.Error("our own is called replaced")
	}
	if state, is := replaced(subscribedBy(t, "kubectl-create", "Manual")); !is || state.Text == "" || state.Hint == "" {
		t.Errorf("%+v", state)
	}
}

// TestPlanOfAnotherSubscription is not approved, whether it is also ours or not.
func TestPlanOfAnotherSubscription(t *testing.T) {
	mine, theirs := subscribedBy(t, "ostoy-s3", "Manual"), subscribedBy(t, "kubectl-create", "Manual")
	mine.SetUID("mine")
	theirs.SetUID("theirs")
	neighbour := object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: ack-iam-controller, namespace: ack-system, uid: neighbour}, spec: {name: ack-iam-controller}}")
	all := []*unstructured.Unstructured{mine, theirs, neighbour}
	for name, c := range map[string]struct {
		owners  []string
		refused string
	}{
		"ours": {[]string{"mine"}, ""}, "nobody's": {nil, ""},
		"another's": {[]string{"theirs"}, "Subscription of-theirs, which"}, "both": {[]string{"mine", "theirs"}, "of-theirs as well"},
		"ours, beside another operator's": {[]string{"mine", "neighbour"}, ""},
		"a deleted one's":                 {[]string{"gone"}, "Subscription of-gone, which"}, "ours, and a deleted one's": {[]string{"mine", "gone"}, ""},
	} {
		plan := object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: InstallPlan, metadata: {name: install-abcde, namespace: ack-system}, spec: {clusterServiceVersionNames: ["+csvName+"]}}")
		var owners []metav1.OwnerReference
		for _, uid := range c.owners {
			owners = append(owners, metav1.OwnerReference{Kind: "Subscription", Name: "of-" + uid, UID: types.UID(uid)})
		}
		plan.SetOwnerReferences(owners)
		err := refuseShared(olm.PlanOf(plan), mine, all)
		if c.refused == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		wantProblem(t, err, problem.Refused, c.refused, "oc patch installplans")
	}
}
