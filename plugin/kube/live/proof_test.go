package live_test

import (
	"encoding/json"
	"net/http"
	"testing"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

const mayURL = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"

// deploymentIn is a Deployment with the image of the controller.
func deploymentIn(namespace string, labels map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "s3", "namespace": namespace, "labels": labels},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"serviceAccountName": "ack", "containers": []any{map[string]any{"name": "controller", "image": "example.com/s3-controller:1.13.0"}},
		}}},
	}
}

// deploymentsByLabel lists both, and with a selector only the one that has labels.
func deploymentsByLabel(server *clustertest.Server, without, with map[string]any) {
	server.Handle("GET /apis/apps/v1/deployments", func(w http.ResponseWriter, r *http.Request) {
		items := []any{with, without}
		if r.URL.Query().Get("labelSelector") != "" {
			items = items[:1]
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": map[string]any{}, "items": items})
	})
}

// TestF6Labels: a Deployment that only has the labels of the controller does not hide one
// without them, and nobody is asked about twice.
func TestF6Labels(t *testing.T) {
	server, world := worldOf(t)
	fake := deploymentIn("mallory", map[string]any{"app.kubernetes.io/name": "s3-chart"})
	deploymentsByLabel(server, deploymentIn("real", nil), fake)
	server.Handle(mayURL, func(w http.ResponseWriter, r *http.Request) {
		review := authorization.SubjectAccessReview{}
		_ = json.NewDecoder(r.Body).Decode(&review)
		review.Status.Allowed = review.Spec.User == "system:serviceaccount:real:ack"
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
	for range 2 {
		found, err := world.Controllers(t.Context())
		if err != nil || len(found.Proven) != 1 || found.Proven[0].Namespace != "real" || len(found.Unproven) != 1 || found.Unproven[0].Namespace != "mallory" {
			t.Fatalf("%+v, %v", found, err)
		}
	}
	const asked = 1 + 2
	if n := server.Requests()[mayURL]; n != asked {
		t.Errorf("%d reviews", n)
	}
}

// TestF6LabelsUnverified: if you are not allowed to ask, a Deployment that has the labels
// hides no other, and the question is asked once.
func TestF6LabelsUnverified(t *testing.T) {
	server, world := worldOf(t)
	deploymentsByLabel(server, deploymentIn("real", nil), deploymentIn("mallory", map[string]any{"app.kubernetes.io/name": "s3-chart"}))
	server.Forbid(mayURL, "create", "subjectaccessreviews", "authorization.k8s.io", "")
	found, err := world.Controllers(t.Context())
	if err != nil || len(found.Unverified) != 2 || len(found.All) != 2 || len(found.Proven) > 0 || len(found.Unproven) > 0 {
		t.Fatalf("%+v, %v", found, err)
	}
	if found = found.With([]string{"system:serviceaccount:real:ack"}); len(found.Proven) != 1 || found.Proven[0].Namespace != "real" {
		t.Errorf("%+v", found)
	}
	if n := server.Requests()[mayURL]; n != 1 {
		t.Errorf("%d reviews", n)
	}
}

// TestF6Runs: a pod that looks like the controller's is none unless its service account
// is proven; if you are not allowed to ask, it may be.
func TestF6Runs(t *testing.T) {
	pods := map[string]any{"apiVersion": "v1", "kind": "PodList", "metadata": map[string]any{}, "items": []any{map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "p", "namespace": "mallory", "labels": map[string]any{"app.kubernetes.io/name": "s3-chart"}},
		"spec":   map[string]any{"containers": []any{map[string]any{"name": "c", "image": "example.com/s3-controller:1.13.0"}}},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
	}}}
	for name, c := range map[string]struct {
		allowed, refused, want bool
	}{"proven": {allowed: true, want: true}, "not proven": {}, "not known": {refused: true, want: true}} {
		server, world := worldOf(t)
		server.Answer("GET /api/v1/pods", pods)
		server.Answer(mayURL, map[string]any{"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "status": map[string]any{"allowed": c.allowed}})
		if c.refused {
			server.Forbid(mayURL, "create", "subjectaccessreviews", "authorization.k8s.io", "")
		}
		if runs, err := world.Runs(t.Context()); err != nil || runs != c.want {
			t.Errorf("%s: %t, %v", name, runs, err)
		}
	}
}
