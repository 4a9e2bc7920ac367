package access_test

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

// TestReviewAfterARestart: an API server that has just started has not loaded all
// bindings, and its review says no. One that did not fail means it.
func TestReviewAfterARestart(t *testing.T) {
	for name, c := range map[string]struct {
		failed bool
		asked  int64
	}{"a server that failed": {true, 3}, "any other": {false, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := clustertest.New(t, "v1.33.4", "authorization.k8s.io/v1/SelfSubjectAccessReview")
			var asked, failures atomic.Int64
			failures.Store(1)
			server.Handle("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", func(w http.ResponseWriter, _ *http.Request) {
				if c.failed && failures.Add(-1) >= 0 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				review := authorization.SelfSubjectAccessReview{}
				review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SelfSubjectAccessReview"
				review.Status.Allowed = asked.Add(1) == c.asked && c.failed
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(review)
			})
			conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
			if err != nil {
				t.Fatal(err)
			}
			denied, err := access.Denied(t.Context(), conn, []access.Right{{Verb: "create", Resource: "secrets", Namespace: "demo"}})
			if err != nil || asked.Load() != c.asked || (len(denied) == 0) != c.failed {
				t.Errorf("%v, %v after %d reviews", denied, err, asked.Load())
			}
		})
	}
}
