package status

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// routeWith is the Route of the chart.
func routeWith(spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route"}, "spec": spec,
	}}
}

// readsSecret is a Deployment with the Secret that OSToy's pages show.
func readsSecret() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "spec": map[string]any{"template": map[string]any{
		"spec": map[string]any{"volumes": []any{map[string]any{"secret": map[string]any{"secretName": "ostoy-secret"}}}},
	}}}}
}

// TestF4StatusAccess: status says of the objects that exist what install says of those
// that it applies: the address, its encryption, and the Secrets that the app shows.
func TestF4StatusAccess(t *testing.T) {
	ours := func(object *unstructured.Unstructured) *apply.Item {
		object.Object["metadata"] = map[string]any{"name": object.GetName(), "managedFields": []any{map[string]any{
			"manager": apply.Manager, "operation": "Apply", "apiVersion": object.GetAPIVersion(), "fieldsType": "FieldsV1",
			"fieldsV1": map[string]any{"f:spec": map[string]any{}},
		}}}
		return &apply.Item{Ref: apply.RefOf(object), Live: object}
	}
	edge := map[string]any{"host": "r.example.com", "tls": map[string]any{"termination": "edge"}}
	route := ours(routeWith(edge))
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "ostoy-secret"}}}
	deployment := &apply.Item{Ref: apply.Ref{Kind: "Deployment", Name: "ostoy-frontend"}, Live: readsSecret()}
	foreign := routeWith(edge)
	demo := func(left exposure.By, items ...*apply.Item) string {
		f := found(t)
		f.Left, f.Plan = left, &apply.Plan{Items: items}
		return Of(f).Access
	}
	for name, c := range map[string]struct {
		items []*apply.Item
		left  exposure.By
		same  exposure.Exposure // what install says
	}{
		"https":            {[]*apply.Item{route}, exposure.By{}, exposure.Of("demo", nil, exposure.By{Object: route.Live, Managed: true})},
		"samples":          {[]*apply.Item{route, deployment, ours(secret.DeepCopy())}, exposure.By{}, exposure.Of("demo", nil, exposure.By{Object: route.Live, Managed: true})},
		"Secrets":          {[]*apply.Item{route, deployment}, exposure.By{}, exposure.Of("demo", []*unstructured.Unstructured{readsSecret()}, exposure.By{Object: route.Live, Managed: true})},
		"Secrets of users": {[]*apply.Item{route, deployment, {Live: secret}}, exposure.By{}, exposure.Of("demo", []*unstructured.Unstructured{readsSecret()}, exposure.By{Object: route.Live, Managed: true})},
		"none":             {nil, exposure.By{}, exposure.Of("demo", nil, exposure.By{})},
		"deleted":          {[]*apply.Item{{Ref: route.Ref}}, exposure.By{}, exposure.Of("demo", nil, exposure.By{})},
		"not rendered":     {nil, exposure.By{Object: foreign}, exposure.Of("demo", nil, exposure.By{Object: foreign})},
		"of others":        {[]*apply.Item{{Ref: route.Ref, Live: foreign, Err: errors.New("x")}}, exposure.By{}, exposure.Of("demo", nil, exposure.By{Object: foreign})},
	} {
		got := demo(c.left, c.items...)
		if got != c.same.Words() {
			t.Errorf("%s: status says\n%s\ninstall says\n%s", name, got, c.same.Words())
		}
	}
	got := demo(exposure.By{}, &apply.Item{Ref: route.Ref, Err: errors.New("forbidden")})
	if !strings.Contains(got, "not known") {
		t.Errorf("a Route that cannot be read: %s", got)
	}
}
