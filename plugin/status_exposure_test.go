package plugin

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
)

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
	route := ours(exposingObject("Route", edge))
	secret := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "ostoy-secret"}}}
	deployment := &apply.Item{Ref: apply.Ref{Kind: "Deployment", Name: "ostoy-frontend"}, Live: readsSecrets()}
	foreign := exposingObject("Route", edge)
	for name, c := range map[string]struct {
		items []*apply.Item
		left  exposedBy
		same  exposure // what install says
	}{
		"https":            {[]*apply.Item{route}, exposedBy{}, exposureOf("demo", nil, exposedBy{object: route.Live, managed: true})},
		"samples":          {[]*apply.Item{route, deployment, ours(secret.DeepCopy())}, exposedBy{}, exposureOf("demo", nil, exposedBy{object: route.Live, managed: true})},
		"Secrets":          {[]*apply.Item{route, deployment}, exposedBy{}, exposureOf("demo", []*unstructured.Unstructured{readsSecrets()}, exposedBy{object: route.Live, managed: true})},
		"Secrets of users": {[]*apply.Item{route, deployment, {Live: secret}}, exposedBy{}, exposureOf("demo", []*unstructured.Unstructured{readsSecrets()}, exposedBy{object: route.Live, managed: true})},
		"none":             {nil, exposedBy{}, exposureOf("demo", nil, exposedBy{})},
		"deleted":          {[]*apply.Item{{Ref: route.Ref}}, exposedBy{}, exposureOf("demo", nil, exposedBy{})},
		"not rendered":     {nil, exposedBy{object: foreign}, exposureOf("demo", nil, exposedBy{object: foreign})},
		"of others":        {[]*apply.Item{{Ref: route.Ref, Live: foreign, Err: errors.New("x")}}, exposedBy{}, exposureOf("demo", nil, exposedBy{object: foreign})},
	} {
		got := exposureFound("demo", &apply.Plan{Items: c.items}, c.left).words()
		if got != c.same.words() {
			t.Errorf("%s: status says\n%s\ninstall says\n%s", name, got, c.same.words())
		}
	}
	got := exposureFound("demo", &apply.Plan{Items: []*apply.Item{{Ref: route.Ref, Err: errors.New("forbidden")}}}, exposedBy{}).words()
	if !strings.Contains(got, "not known") {
		t.Errorf("a Route that cannot be read: %s", got)
	}
}
