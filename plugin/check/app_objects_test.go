package check

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// TestObjectsExist: what does not exist fails by name, but for the kinds of which another
// check tells, and, if Argo CD delivers the app, for those that values leave out.
func TestObjectsExist(t *testing.T) {
	wanted := []*unstructured.Unstructured{
		fromYAML(t, "{apiVersion: v1, kind: Service, metadata: {name: ostoy-frontend-svc, namespace: demo}}"),
		fromYAML(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: ostoy-configmap-files, namespace: demo}}"),
		fromYAML(t, "{apiVersion: v1, kind: Secret, metadata: {name: ostoy-secret, namespace: demo}}"),
		fromYAML(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: ostoy-frontend, namespace: demo}}"),
	}
	const service, configMap, secret = "GET /api/v1/namespaces/demo/services/ostoy-frontend-svc", "GET /api/v1/namespaces/demo/configmaps/ostoy-configmap-files", "GET /api/v1/namespaces/demo/secrets/ostoy-secret"
	for name, c := range map[string]struct {
		play   func(*clustertest.Server)
		status Status
		says   string
	}{
		"none":  {func(*clustertest.Server) {}, Failed, "3 objects of the app not found: Service ostoy-frontend-svc, ConfigMap ostoy-configmap-files, Secret ostoy-secret"},
		"other": {func(s *clustertest.Server) { s.Answer(service, wanted[0]); s.Answer(configMap, wanted[1]) }, Failed, "1 object of the app not found: Secret ostoy-secret"},
		"all": {func(s *clustertest.Server) {
			s.Answer(service, wanted[0])
			s.Answer(configMap, wanted[1])
			s.Answer(secret, wanted[2])
		}, Passed, ""},
		"one hides": {func(s *clustertest.Server) {
			s.Answer(service, wanted[0])
			s.Answer(configMap, wanted[1])
			s.Forbid(secret, "get", "secrets", "", "")
		}, NotAllowed, "get Secret ostoy-secret"},
		"from Git": {func(s *clustertest.Server) {
			s.Answer(service, wanted[0])
			s.Answer(configMap, wanted[1])
			s.Answer("GET /api/v1/namespaces/demo/services", map[string]any{"apiVersion": "v1", "kind": "ServiceList", "items": []any{map[string]any{
				"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "ostoy-frontend-svc", "namespace": "demo", "managedFields": []any{map[string]any{
					"manager": "argocd-controller", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{},
				}}},
			}}})
		}, Passed, ""},
	} {
		server := clustertest.New(t, "v1.33.0", "v1/Service", "v1/ConfigMap", "v1/Secret", "apps/v1/Deployment")
		c.play(server)
		a := appLook{connected(t, server), wanted}
		wantSaid(t, name, objectsExist(t.Context(), a), c.status, c.says)
	}
	wantSaid(t, "unknown", objectsExist(t.Context(), appLook{}), Skipped, "not known")
	wantSaid(t, "no volume and nobody who mounts it", appLook{played(t), []*unstructured.Unstructured{
		fromYAML(t, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}}"),
	}}.volume(t.Context()), Failed, "there is no PersistentVolumeClaim ostoy-pvc")
}

// played is a project without anything.
func played(t *testing.T) *live.World {
	t.Helper()
	server := clustertest.New(t, "v1.33.0", "v1/PersistentVolumeClaim", "apps/v1/Deployment")
	for _, path := range []string{"/api/v1/namespaces/demo/persistentvolumeclaims", "/apis/apps/v1/namespaces/demo/deployments"} {
		server.Answer("GET "+path, map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
	}
	return connected(t, server)
}

func connected(t *testing.T, server *clustertest.Server) *live.World {
	t.Helper()
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &live.World{Conn: conn, Namespace: "demo"}
}
