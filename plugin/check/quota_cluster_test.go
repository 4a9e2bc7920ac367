package check

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// TestQuotaOfTheCluster: a quota of the cluster is read where it applies to the project.
func TestQuotaOfTheCluster(t *testing.T) {
	server, target := openshift(t, "v1/ResourceQuota", "quota.openshift.io/v1/AppliedClusterResourceQuota")
	server.Answer("GET /apis/quota.openshift.io/v1/namespaces/demo/appliedclusterresourcequotas", map[string]any{
		"apiVersion": "quota.openshift.io/v1", "kind": "AppliedClusterResourceQuotaList", "items": []any{map[string]any{
			"apiVersion": "quota.openshift.io/v1", "kind": "AppliedClusterResourceQuota", "metadata": map[string]any{"name": "team", "namespace": "demo"},
			"spec":   map[string]any{"quota": map[string]any{"hard": map[string]any{"secrets": "1"}}},
			"status": map[string]any{"total": map[string]any{"hard": map[string]any{"secrets": "1"}, "used": map[string]any{"secrets": "1"}}},
		}},
	})
	c := clusterLook{World: &live.World{Conn: target.Conn, Namespace: "demo"}, objects: target.Objects}
	wants(t, "no room", quota(t.Context(), c), Failed, "ClusterResourceQuota team allows 1 of secrets, 1 is used by others")
	server.Forbid("GET /apis/quota.openshift.io/v1/namespaces/demo/appliedclusterresourcequotas", "list", "appliedclusterresourcequotas", "quota.openshift.io", `in the namespace "demo"`)
	c.World = &live.World{Conn: target.Conn, Namespace: "demo"}
	wants(t, "may not be read", quota(t.Context(), c), NotAllowed, "list appliedclusterresourcequotas in demo")
}
