package live_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

func listOf(kind string, names ...string) map[string]any {
	items := []any{}
	for _, name := range names {
		items = append(items, map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": "a"}})
	}
	return map[string]any{"apiVersion": "v1", "kind": kind + "List", "items": items}
}

// partly is a server on which the user may read project a, of project b nothing,
// and of project c no Deployments.
func partly(t *testing.T) *clustertest.Server {
	server := clustertest.New(t, "v1.33.4")
	forbid := func(path string) {
		server.Forbid(http.MethodGet+" "+path, "list", "things", "", "at the cluster scope")
	}
	for _, path := range []string{
		"/api/v1/configmaps", "/apis/apps/v1/deployments", "/api/v1/namespaces/b/configmaps", "/apis/apps/v1/namespaces/b/deployments",
		"/apis/apps/v1/namespaces/c/deployments", "/api/v1/namespaces",
	} {
		forbid(path)
	}
	server.Answer("GET /apis/project.openshift.io/v1/projects", listOf("Project", "a", "b", "c"))
	server.Answer("GET /api/v1/namespaces/a/configmaps", listOf("ConfigMap", "ostoy-s3"))
	server.Answer("GET /api/v1/namespaces/c/configmaps", map[string]any{"apiVersion": "v1", "kind": "ConfigMapList", "items": []any{
		map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "ostoy-s3", "namespace": "c"}},
	}})
	server.Answer("GET /apis/apps/v1/namespaces/a/deployments", listOf("Deployment", "ostoy-frontend"))
	return server
}

func everywhere(t *testing.T, server *clustertest.Server, otherwise string) (live.Everywhere, error) {
	t.Helper()
	conn, err := cluster.Connect(server.Getter("a"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &live.World{Conn: conn}
	return live.Search(t.Context(), w, []live.Wanted{{Resource: kinds.ConfigMap.GVR(), Marks: true}, {Resource: kinds.Deployment.GVR()}}, otherwise)
}

// TestEverywhereInPart: what one project refuses does not hide the others.
func TestEverywhereInPart(t *testing.T) {
	seen, err := everywhere(t, partly(t), "a")
	if err != nil {
		t.Fatal(err)
	}
	if len(seen.Objects[kinds.ConfigMap.GVR()]) != 2 || len(seen.Objects[kinds.Deployment.GVR()]) != 1 || len(seen.Unseen) != 0 || seen.Alone {
		t.Errorf("%+v", seen)
	}
	if !slices.Equal(seen.Searched, []string{"a", "b", "c"}) || !slices.Equal(seen.Unreadable, []string{"b"}) {
		t.Errorf("searched %v, unreadable %v", seen.Searched, seen.Unreadable)
	}
	if seen.Refused["c"][kinds.Deployment.GVR()] == nil || seen.Refused["c"][kinds.ConfigMap.GVR()] != nil || seen.Refused["a"] != nil {
		t.Errorf("refused %v", seen.Refused)
	}
}

// TestEverywhereAlone: where not even projects may be listed, the current one is
// read, if that may be.
func TestEverywhereAlone(t *testing.T) {
	for otherwise, want := range map[string]int{"a": 1, "b": 0, "": 0} {
		server := partly(t)
		server.Forbid("GET /apis/project.openshift.io/v1/projects", "list", "projects", "project.openshift.io", "at the cluster scope")
		seen, err := everywhere(t, server, otherwise)
		if found := len(seen.Objects[kinds.ConfigMap.GVR()]); found != want || (err == nil) != (want > 0) || want > 0 && !seen.Alone {
			t.Errorf("%q: %d found, %v", otherwise, found, err)
		}
	}
}
