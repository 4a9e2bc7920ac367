package cluster_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

// slow answers the head of a watch at once and goes on for long.
func slow(lines int, gap time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for range lines {
			_, _ = w.Write([]byte(`{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}}` + "\n"))
			w.(http.Flusher).Flush()
			select {
			case <-time.After(gap):
			case <-r.Context().Done():
				return
			}
		}
	}
}

func TestRequestTimeoutCutsRequestsAndNoWatches(t *testing.T) {
	pods := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	server := httptest.NewServer(slow(4, 100*time.Millisecond))
	t.Cleanup(server.Close)
	getter := clustertest.Getter(t, server.URL, "demo")
	*getter.Timeout = "150ms"
	conn, err := cluster.Connect(getter, cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := conn.Dynamic.Resource(pods).Namespace("demo").Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	events := 0
	for range watcher.ResultChan() {
		events++
	}
	if events != 4 {
		t.Errorf("the watch was cut after %d events", events)
	}
	_, err = conn.Dynamic.Resource(pods).Namespace("demo").List(t.Context(), metav1.ListOptions{})
	wantProblem(t, conn.Translate(err), "cannot reach the API server "+server.URL, "150ms, the limit set by --request-timeout")
}
