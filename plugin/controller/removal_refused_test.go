package controller

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

func TestNothingToRemove(t *testing.T) {
	for _, withOLM := range []bool{true, false} {
		w := newWorld(t, withOLM, append(inCluster(t), bucketNamed(t, "wish"))...).withRole()
		w.role.there = false
		going, err := w.run(t.Context(), RemovalOptions{})
		if err != nil || !going.Empty() || going.NeedsRole() || len(w.writes) > 0 {
			t.Errorf("%v, %v", err, w.writes)
		}
	}
}

// TestRefused: before anything is touched.
func TestRefused(t *testing.T) {
	helm := named(t, deploymentOf, "theirs")
	helm.SetNamespace("else")
	helm.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})
	helm.SetAnnotations(map[string]string{"meta.helm.sh/release-name": "ack", "meta.helm.sh/release-namespace": "else"})
	manifests := named(t, deploymentOf, "theirs")
	byHand := named(t, deploymentOf, "theirs")
	byHand.SetLabels(map[string]string{"olm.owner": "ack-s3-controller.v1.0.9"})
	subscription := object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: mine, namespace: ack-system}, spec: {name: ack-s3-controller}}")
	stamped := bucketNamed(t, "app", ack.Finalizer)
	stamped.SetLabels(map[string]string{"app.kubernetes.io/part-of": "ostoy"})
	argo := by("argocd-controller", bucketNamed(t, "git"))
	for name, c := range map[string]struct {
		objects []*unstructured.Unstructured
		refuse  []string
		says    []string
	}{
		"Helm's":           {objects: append(inCluster(t), helm), says: []string{"theirs in else", "helm uninstall ack -n else"}},
		"manifests":        {objects: append(inCluster(t), manifests), says: []string{"oc delete deployment/theirs -n ack-system"}},
		"OLM's":            {objects: append(inCluster(t), byHand, subscription), says: []string{"oc delete subscriptions.operators.coreos.com mine -n ack-system", "ack-s3-controller.v1.0.9"}},
		"Buckets":          {objects: append(byOLM(t), stamped, bucketNamed(t, "wish"), argo), says: []string{"3 Buckets", "demo/app: managed, of an install of OSToy", "demo/wish: not managed by a controller yet", "applied by Argo CD", "oc ostoy-s3 uninstall -n demo", "oc annotate buckets.s3.services.k8s.aws NAME -n NAMESPACE --overwrite services.k8s.aws/deletion-policy=retain", "oc delete buckets.s3.services.k8s.aws NAME"}},
		"Buckets beside":   {objects: append(byOLM(t), helm, stamped), says: []string{"1 Bucket", "demo/app"}},
		"rights to look":   {objects: byOLM(t), refuse: []string{"list buckets", "delete clusterroles"}, says: []string{"list buckets.s3.services.k8s.aws", "delete clusterroles"}},
		"rights to remove": {objects: byOLM(t), refuse: []string{"delete subscriptions", "delete namespaces", "watch pods"}, says: []string{"delete subscriptions", "delete namespaces", "watch pods"}},
		"from Git": {objects: slices.Concat(slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool { return o.GetKind() == "Subscription" }), []*unstructured.Unstructured{
			func() *unstructured.Unstructured {
				s := ours(subscription)
				s.SetName(operator.SubscriptionName)
				s.SetManagedFields(append(s.GetManagedFields(), by("argocd-controller", s).GetManagedFields()...))
				return s
			}(),
		}), says: []string{"Argo CD", "--force-owner"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, true, c.objects...).withRole()
			for _, right := range c.refuse {
				w.refused[right] = true
			}
			_, err := w.run(t.Context(), RemovalOptions{})
			wantProblem(t, err, problem.Refused, c.says...)
			if len(w.writes) > 0 {
				t.Errorf("touched: %v", w.writes)
			}
		})
	}
}

func TestManyBucketsAreCounted(t *testing.T) {
	now := metav1.Now()
	one := &unstructured.Unstructured{Object: map[string]any{}}
	one.SetDeletionTimestamp(&now)
	var many []*unstructured.Unstructured
	for range 25 {
		many = append(many, one)
	}
	if text := listed(many); strings.Count(text, "\n") != 20 || !strings.HasSuffix(text, "and 5 more") || !strings.Contains(text, "being deleted") {
		t.Error(text)
	}
}
