package apply

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func object(apiVersion, kind, name string, wave string, content map[string]any) *unstructured.Unstructured {
	o := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{
		"name": name, "namespace": testNamespace,
	}}
	if wave != "" {
		o["metadata"].(map[string]any)["annotations"] = map[string]any{render.WaveAnnotation: wave}
	}
	for k, v := range content {
		o[k] = v
	}
	return &unstructured.Unstructured{Object: o}
}

func testBucket() *unstructured.Unstructured {
	return object("s3.services.k8s.aws/v1alpha1", "Bucket", "demo-bucket", "0", map[string]any{"spec": map[string]any{
		"name":              "demo-bucket",
		"publicAccessBlock": map[string]any{"blockPublicPolicy": true, "blockPublicACLs": true},
	}})
}

func testDeployment() *unstructured.Unstructured {
	return object("apps/v1", "Deployment", "ostoy-frontend", "2", map[string]any{"spec": map[string]any{
		"replicas": int64(1),
		"template": map[string]any{"spec": map[string]any{"containers": []any{
			map[string]any{"name": "ostoy-frontend", "image": "ostoy:1"},
		}}},
	}})
}

func testSecret() *unstructured.Unstructured {
	return object("v1", "Secret", "ostoy-secret", "0", map[string]any{"data": map[string]any{"secret.txt": "aHVzaA=="}})
}

func testRoute() *unstructured.Unstructured {
	return object("route.openshift.io/v1", "Route", "ostoy-route", "0", map[string]any{"spec": map[string]any{"to": map[string]any{"name": "ostoy"}}})
}

func testPVC() *unstructured.Unstructured {
	return object("v1", "PersistentVolumeClaim", "ostoy-pvc", "2", map[string]any{"spec": map[string]any{"accessModes": []any{"ReadWriteOnce"}}})
}

func testSet() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{testBucket(), testSecret(), testRoute(), testPVC(), testDeployment()}
}

// global is an object in no namespace.
func global(apiVersion, kind, name string, content map[string]any) *unstructured.Unstructured {
	obj := object(apiVersion, kind, name, "0", content)
	obj.SetNamespace("")
	return obj
}

func testClusterRole() *unstructured.Unstructured {
	return global("rbac.authorization.k8s.io/v1", "ClusterRole", "ack-s3-buckets", map[string]any{
		"aggregationRule": map[string]any{"verb": "get"},
	})
}

func testDefinition() *unstructured.Unstructured {
	return global("apiextensions.k8s.io/v1", "CustomResourceDefinition", "buckets.s3.services.k8s.aws", map[string]any{
		"spec": map[string]any{"group": "s3.services.k8s.aws"},
	})
}

func testAccount() *unstructured.Unstructured {
	account := object("v1", "ServiceAccount", "ack-s3-controller", "0", nil)
	account.SetAnnotations(map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/x"})
	return account
}

func testSubscription() *unstructured.Unstructured {
	return object("operators.coreos.com/v1alpha1", "Subscription", "ack-s3-controller", "1", map[string]any{
		"spec": map[string]any{"channel": "alpha"},
	})
}

func testController() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{testClusterRole(), testDefinition(), testAccount(), testSubscription()}
}

func refsOf(objects []*unstructured.Unstructured) []Ref {
	var refs []Ref
	for _, obj := range objects {
		refs = append(refs, RefOf(obj))
	}
	return refs
}

// run plans and executes, as install does.
func run(t *testing.T, a *Applier, objects []*unstructured.Unstructured, record Record) *Plan {
	t.Helper()
	p, err := plan(t, a, objects, record)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, p)
	return p
}

// execute carries out a plan.
func execute(t *testing.T, p *Plan) {
	t.Helper()
	if err := p.WriteInventory(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	for i := range p.Waves() {
		if err := p.ApplyWave(t.Context(), i, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Prune(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func plan(t *testing.T, a *Applier, objects []*unstructured.Unstructured, record Record) (*Plan, error) {
	t.Helper()
	old, err := a.ReadInventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a.Plan(t.Context(), objects, old, record)
}
