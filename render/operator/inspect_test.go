package operator

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// asServed is what an API server makes of the policy and its binding.
func asServed(t *testing.T, f render.Facts, controllers ...string) (policy, binding *unstructured.Unstructured) {
	t.Helper()
	both := AdmissionPolicy(f, controllers)
	set := func(value any, path ...string) {
		if err := unstructured.SetNestedField(both[0].Object, value, path...); err != nil {
			t.Fatal(err)
		}
	}
	both[0].Object = asJSON(both[0].Object).(map[string]any)
	both[1].Object = asJSON(both[1].Object).(map[string]any)
	set(map[string]any{}, "spec", "matchConstraints", "namespaceSelector")
	set(map[string]any{}, "spec", "matchConstraints", "objectSelector")
	rules, _, _ := unstructured.NestedSlice(both[0].Object, "spec", "matchConstraints", "resourceRules")
	rules[0].(map[string]any)["scope"] = "*"
	set(rules, "spec", "matchConstraints", "resourceRules")
	return both[0], both[1]
}

// TestF1Inspect: each way to take force from the policy is seen, and what the API
// server fills in is none.
func TestF1Inspect(t *testing.T) {
	known := factsIn("us-east-2")
	known.ClusterID = render.Fact{Value: "6d5c"}
	type object = unstructured.Unstructured
	for name, c := range map[string]struct {
		change    func(policy, binding *object)
		unbound   bool
		unchanged bool
	}{
		"as rendered": {unchanged: true},
		"another cluster's": {change: func(p, _ *object) {
			other := factsIn("us-east-2")
			other.Issuer.Value = "https://other.example.com"
			p.Object = asJSON(AdmissionPolicy(other, []string{ourController(), "system:serviceaccount:ack:s3"})[0].Object).(map[string]any)
		}, unchanged: true},
		"any issuer": {change: func(p, _ *object) {
			rules, _, _ := unstructured.NestedSlice(p.Object, "spec", "validations")
			for _, one := range rules {
				rule := one.(map[string]any)
				rule["expression"] = strings.ReplaceAll(rule["expression"].(string), celString(known.Issuer.Value), tagValue)
			}
			set(p, rules, "validations")
		}},
		"audits, too":       {change: func(_, b *object) { set(b, []any{"Deny", "Audit"}, "validationActions") }, unchanged: true},
		"only warns":        {change: func(_, b *object) { set(b, []any{"Warn"}, "validationActions") }, unbound: true},
		"of another policy": {change: func(_, b *object) { set(b, "x", "policyName") }, unbound: true},
		"bound to some namespace": {change: func(_, b *object) {
			set(b, map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"a": "b"}}}, "matchResources")
		}, unbound: true},
		"bound to all": {change: func(_, b *object) {
			set(b, map[string]any{"matchPolicy": "Equivalent", "namespaceSelector": map[string]any{}, "objectSelector": map[string]any{}}, "matchResources")
		}, unchanged: true},
		"ignores failures": {change: func(p, _ *object) { set(p, "Ignore", "failurePolicy") }},
		"no conditions":    {change: func(p, _ *object) { set(p, []any{}, "matchConditions") }},
		"one condition more": {change: func(p, _ *object) {
			conditions, _, _ := unstructured.NestedSlice(p.Object, "spec", "matchConditions")
			set(p, append(conditions, map[string]any{"name": "never", "expression": "false"}), "matchConditions")
		}},
		"other exemption": {change: func(p, _ *object) {
			conditions, _, _ := unstructured.NestedSlice(p.Object, "spec", "matchConditions")
			conditions[0].(map[string]any)["expression"] = `!(request.userInfo.username in ["a"]) && false`
			set(p, conditions, "matchConditions")
		}},
		"a rule fewer": {change: func(p, _ *object) {
			rules, _, _ := unstructured.NestedSlice(p.Object, "spec", "validations")
			set(p, rules[1:], "validations")
		}},
		"only on create": {change: func(p, _ *object) {
			rules, _, _ := unstructured.NestedSlice(p.Object, "spec", "matchConstraints", "resourceRules")
			rules[0].(map[string]any)["operations"] = []any{"CREATE"}
			set(p, map[string]any{"resourceRules": rules, "matchPolicy": "Equivalent"}, "matchConstraints")
		}},
		"not in some namespaces": {change: func(p, _ *object) {
			set(p, map[string]any{"matchLabels": map[string]any{"a": "b"}}, "matchConstraints", "namespaceSelector")
		}},
		"a parameter": {change: func(p, _ *object) { set(p, map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}, "paramKind") }},
	} {
		t.Run(name, func(t *testing.T) {
			policy, binding := asServed(t, known, ourController(), "system:serviceaccount:ack:s3")
			if c.change != nil {
				c.change(policy, binding)
			}
			got := Inspect(policy, binding)
			if got.Bound == c.unbound || got.Unchanged() != c.unchanged {
				t.Errorf("%+v", got)
			}
			if c.unchanged && !slices.Equal(got.Exempt, []string{ourController(), "system:serviceaccount:ack:s3"}) {
				t.Errorf("exempt: %v", got.Exempt)
			}
		})
	}
	policy, _ := asServed(t, known)
	if got := Inspect(policy, nil); got.Unchanged() || !got.Found || got.Bound {
		t.Errorf("without a binding: %+v", got)
	}
	if got := Inspect(nil, nil); got.Unchanged() || got.Found {
		t.Errorf("without a policy: %+v", got)
	}
}

func set(object *unstructured.Unstructured, value any, path ...string) {
	if err := unstructured.SetNestedField(object.Object, value, append([]string{"spec"}, path...)...); err != nil {
		panic(err)
	}
}

// TestF1OfOtherProjects: a name of the project's own, a second one, and those that
// are not, of which an illegal one is not repeated.
func TestF1OfOtherProjects(t *testing.T) {
	var buckets []*unstructured.Unstructured
	for _, one := range [][2]string{{"demo", "demo-bucket"}, {"demo", "demo--x-bucket"}, {"demo", "finance-bucket"}, {"a--b", "a--b-bucket"}, {"demo", "x\x1b[31m"}, {"demo", ""}} {
		bucket := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"name": one[1]}}}
		bucket.SetNamespace(one[0])
		bucket.SetName("b")
		buckets = append(buckets, bucket)
	}
	want := []string{
		"a--b/b (S3 bucket a--b-bucket)", "demo/b (S3 bucket finance-bucket)",
		"demo/b (not a valid name of an S3 bucket)", "demo/b (not a valid name of an S3 bucket)",
	}
	if got := OfOtherProjects(buckets); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
