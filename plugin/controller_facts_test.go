package plugin

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestControllerNamespace is the one of the command line, or the usual one; the
// project of a facts file is the app's.
func TestControllerNamespace(t *testing.T) {
	given := func(name string) FactsRequest {
		request := FactsRequest{File: "facts-of-an-app.yaml"}
		if name != "" {
			request.Given.Namespace = render.Fact{Value: name, Source: "flag --namespace"}
		}
		return request
	}
	for name, want := range map[string]string{"": "ack-system", "openshift-operators": "openshift-operators"} {
		got, err := controllerNamespace(given(name))
		if err != nil || got.Value != want || got.Source == "" {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
	if _, err := controllerNamespace(given("Not A Name")); err == nil {
		t.Error("a name that no namespace can have was taken")
	}
}
