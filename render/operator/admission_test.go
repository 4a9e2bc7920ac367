package operator

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func ourController() string { return "system:serviceaccount:ack-system:ack-s3-controller" }

func TestAdmissionGolden(t *testing.T) {
	known := factsIn("us-east-2")
	known.ClusterID = render.Fact{Value: "6d5c1f0e-52a4-4c39-9d0b-0f6a7b1c2d3e"}
	for name, got := range map[string][]*unstructured.Unstructured{
		"admission":               AdmissionPolicy(known, []string{ourController()}),
		"admission-two":           AdmissionPolicy(known, []string{ourController(), "system:serviceaccount:ack:s3"}),
		"admission-no-cluster-id": AdmissionPolicy(factsIn("us-east-2"), nil),
	} {
		t.Run(name, func(t *testing.T) { golden(t, filepath.Join("testdata", "golden", name+".yaml"), got) })
	}
}

// TestF1Conditions: only the controllers that are named, and who has a cluster-scoped
// permission on the policy itself, are exempt; never anybody with a verb on Buckets.
func TestF1Conditions(t *testing.T) {
	policy := AdmissionPolicy(factsIn("us-east-2"), []string{ourController()})[0]
	conditions, _, _ := unstructured.NestedSlice(policy.Object, "spec", "matchConditions")
	want := []any{
		map[string]any{"name": "not-a-controller", "expression": `!(request.userInfo.username in ["` + ourController() + `"])`},
		map[string]any{"name": "may-not-bypass", "expression": `!authorizer.group("admissionregistration.k8s.io")` +
			`.resource('validatingadmissionpolicies').name("ostoy-s3-buckets").check('bypass').allowed()` +
			` || has(request.dryRun) && request.dryRun && has(object.metadata.name) && object.metadata.name == 'ostoy-s3-policy-probe'`},
	}
	if diff := cmp.Diff(want, conditions); diff != "" {
		t.Error(diff)
	}
	if spec := policy.Object["spec"].(map[string]any); spec["failurePolicy"] != "Fail" {
		t.Errorf("failurePolicy %v", spec["failurePolicy"])
	}
}

// TestF1Probe: the Bucket that shows whether the policy is in effect is one that it
// refuses in every project.
func TestF1Probe(t *testing.T) {
	if why := Refused(factsIn("us-east-2"), Probe()); why == nil || !strings.Contains(isProbe, "'"+Probe().GetName()+"'") {
		t.Errorf("admitted: %v", why)
	}
}

// TestF1AdmissionServed: what is not known is not taken for a cluster that checks
// Buckets, and a list of API versions without kinds says nothing about the policy.
func TestF1AdmissionServed(t *testing.T) {
	for _, c := range []struct {
		version string
		served  []string
		want    Serving
	}{
		{"", nil, ServingUnknown},
		{"v1.29.6", nil, ServesNot},
		{"v1.30.0", nil, Serves},
		{"", []string{"admissionregistration.k8s.io/v1"}, ServingUnknown},
		{"v1.33.0", []string{"admissionregistration.k8s.io/v1", "v1"}, Serves},
		{"v1.29.0", []string{"admissionregistration.k8s.io/v1", "v1"}, ServesNot},
		{"v1.33.0", []string{"admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration"}, ServesNot},
		{"v1.29.0", []string{"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"}, Serves},
	} {
		f := render.Facts{KubeVersion: render.Fact{Value: c.version}, APIVersions: render.ListFact{Values: c.served}}
		if got := AdmissionServed(f); got != c.want {
			t.Errorf("%q, %q: %d, want %d", c.version, c.served, got, c.want)
		}
	}
}

// TestPolicyTexts: what the expression compares a bucket policy with is what the
// chart writes, byte for byte, in every partition.
func TestPolicyTexts(t *testing.T) {
	const name = "demo-bucket"
	var allowed []string
	for text := range strings.SplitSeq(strings.Trim(policyTexts(), "[]"), ", ") {
		var whole strings.Builder
		for part := range strings.SplitSeq(text, " + ") {
			if part == "variables.name" {
				whole.WriteString(name)
				continue
			}
			literal, err := strconv.Unquote(part)
			if err != nil {
				t.Fatalf("%s: %v", part, err)
			}
			whole.WriteString(literal)
		}
		allowed = append(allowed, whole.String())
	}
	for region, partition := range map[string]string{"us-east-2": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc"} {
		bucket := chartBucket(t, region)
		text, _, _ := unstructured.NestedString(bucket.Object, "spec", "policy")
		if !slices.Contains(allowed, text) {
			t.Errorf("%s: the chart writes %s, allowed are:\n%s", partition, text, strings.Join(allowed, "\n"))
		}
		facts := factsIn(region)
		facts.ClusterID = render.Fact{Value: "6d5c1f0e-52a4-4c39-9d0b-0f6a7b1c2d3e"}
		if why := Refused(facts, bucket); why != nil {
			t.Errorf("the chart's Bucket in %s: %v", region, why)
		}
	}
	if len(allowed) != len(render.Partitions()) {
		t.Errorf("%d texts for %d partitions", len(allowed), len(render.Partitions()))
	}
}

// chartBucket is the Bucket that the chart of the app makes in project demo.
func chartBucket(t *testing.T, region string) *unstructured.Unstructured {
	t.Helper()
	facts := render.Facts{
		Platform: render.Fact{Value: render.PlatformROSAClassic}, ClusterID: render.Fact{Value: "6d5c1f0e-52a4-4c39-9d0b-0f6a7b1c2d3e"},
		Account: render.Fact{Value: "123456789012"}, Region: render.Fact{Value: region},
		Issuer: render.Fact{Value: "https://oidc.op1.openshiftapps.com/2abc"}, Namespace: render.Fact{Value: "demo"},
	}.Complete()
	renderer, err := render.New()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := renderer.Objects(facts, render.Options{RoleARN: render.RoleARN(facts.Partition.Value, "123456789012", render.RolePath, "demo")})
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Bucket" })
	if at < 0 {
		t.Fatal("the chart makes no Bucket")
	}
	return objects[at]
}
