package cluster_test

import (
	"slices"
	"testing"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

// TestInNamespaces: a kind that the preferred version of its group has not is
// still somebody's, and one that several have is listed once.
func TestInNamespaces(t *testing.T) {
	kinds := func(version string, kinds ...string) apidiscovery.APIVersionDiscovery {
		v := apidiscovery.APIVersionDiscovery{Version: version, Freshness: apidiscovery.DiscoveryFreshnessCurrent}
		for _, kind := range kinds {
			v.Resources = append(v.Resources, apidiscovery.APIResourceDiscovery{
				Resource: kind, Scope: apidiscovery.ScopeNamespace, Verbs: []string{"list"},
				ResponseKind: &metav1.GroupVersionKind{Group: "operators.coreos.com", Version: version, Kind: kind},
			})
		}
		return v
	}
	s := clustertest.New(t, "v1.33.0")
	s.Discovery("GET /apis", &apidiscovery.APIGroupDiscoveryList{Items: []apidiscovery.APIGroupDiscovery{{
		ObjectMeta: metav1.ObjectMeta{Name: "operators.coreos.com"},
		Versions: []apidiscovery.APIVersionDiscovery{
			kinds("v2", "operatorconditions"), kinds("v1", "operatorgroups", "operatorconditions"), kinds("v1alpha1", "subscriptions"),
		},
	}}})
	conn, err := cluster.Connect(s.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	served, err := conn.Discovery(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	of := func(version, resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Group: "operators.coreos.com", Version: version, Resource: resource}
	}
	want := []schema.GroupVersionResource{of("v2", "operatorconditions"), of("v1", "operatorgroups"), of("v1alpha1", "subscriptions")}
	if got := served.InNamespaces(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}
