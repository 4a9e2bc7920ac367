package exposure

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func TestExpectedSecrets(t *testing.T) {
	facts := render.Facts{
		Namespace: render.Fact{Value: "demo"}, Account: render.Fact{Value: "123456789012"}, Region: render.Fact{Value: "us-east-2"},
		Issuer: render.Fact{Value: "https://oidc.example.com"}, Platform: render.Fact{Value: render.PlatformEKS},
	}.Complete()
	for set, want := range map[string]map[string][]string{
		"secrets.existing=false": {},
		"secrets.existing=true":  {"ostoy-secret": nil, "ostoy-secret-env": {"ENV_TOY_SECRET"}},
	} {
		renderer, err := render.New()
		if err != nil {
			t.Fatal(err)
		}
		objects, err := renderer.Objects(facts, render.Options{RoleARN: "arn:aws:iam::123456789012:role/x", Set: []string{set}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ExpectedSecrets(objects)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", set, diff)
		}
	}
	optional := map[string]any{"secret": map[string]any{"secretName": "x", "optional": true}, "envFrom": []any{map[string]any{"secretRef": map[string]any{"name": "y"}}}}
	found := map[string][]string{}
	secretsIn(found, optional)
	if diff := cmp.Diff(map[string][]string{"y": nil}, found); diff != "" {
		t.Error(diff)
	}
}

func TestSecretFlaw(t *testing.T) {
	resource := schema.GroupResource{Resource: "secrets"}
	secret := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"a": "x"}}}
	for want, c := range map[string]struct {
		err  error
		keys []string
	}{
		"is not there":    {apierrors.NewNotFound(resource, "x"), nil},
		"has no key b, c": {nil, []string{"b", "a", "c"}},
		"":                {nil, []string{"a"}},
	} {
		if got := secretFlaw(secret, c.err, c.keys); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := secretFlaw(nil, apierrors.NewForbidden(resource, "x", errors.New("no")), []string{"a"}); got != "" {
		t.Errorf("who may not look is told %q", got)
	}
}
