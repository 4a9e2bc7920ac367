package controller

import (
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1StatusPolicy: what can become of the policy is told apart, and what cannot
// be read is never enforced.
func TestF1StatusPolicy(t *testing.T) {
	const ours = "system:serviceaccount:ack-system:ack-s3-controller"
	rendered := func(exempt ...string) []*unstructured.Unstructured {
		return operator.AdmissionPolicy(render.Facts{Issuer: render.Fact{Value: "https://issuer.example.com"}}, exempt)
	}
	for name, c := range map[string]struct {
		change func(p *played)
		state  operator.PolicyState
		mark   report.Mark
		says   string
	}{
		"enforced": {func(p *played) { p.policy(rendered(ours)...) }, operator.PolicyEnforced, report.OK, "exempt: ack-system/ack-s3-controller"},
		"missing":  {func(p *played) { p.missing(policyPath) }, operator.PolicyMissing, report.Warning, "does not exist"},
		"unbound":  {func(p *played) { p.missing(bindingPath) }, operator.PolicyUnbound, report.Warning, "its binding"},
		"audits only": {func(p *played) {
			both := rendered(ours)
			both[1].Object["spec"].(map[string]any)["validationActions"] = []any{"Audit"}
			p.policy(both...)
		}, operator.PolicyUnbound, report.Warning, "is not enforced: its binding"},
		"bound in some projects": {func(p *played) {
			both := rendered(ours)
			both[1].Object["spec"].(map[string]any)["matchResources"] = map[string]any{
				"namespaceSelector": map[string]any{"matchLabels": map[string]any{"team": "a"}},
			}
			p.policy(both...)
		}, operator.PolicyUnbound, report.Warning, "is not enforced: its binding"},
		"not served": {func(p *played) {
			p.Serve("v1/Pod", "v1/ConfigMap", "v1/ServiceAccount", "apps/v1/Deployment", "coordination.k8s.io/v1/Lease",
				"s3.services.k8s.aws/v1alpha1/Bucket", "apiextensions.k8s.io/v1/CustomResourceDefinition",
				"authorization.k8s.io/v1/SubjectAccessReview")
		}, operator.PolicyNotServed, report.Warning, "does not serve ValidatingAdmissionPolicies"},
		"changed": {func(p *played) {
			both := rendered(ours)
			both[0].Object["spec"].(map[string]any)["failurePolicy"] = "Ignore"
			p.policy(both...)
		}, operator.PolicyChanged, report.Warning, "failurePolicy"},
		"warned of": {func(p *played) {
			both := rendered(ours)
			both[0].Object["status"] = map[string]any{"typeChecking": map[string]any{"expressionWarnings": []any{
				map[string]any{"fieldRef": "spec.validations[0].expression", "warning": "ERROR:\n\x1b[31mundefined field 'x'"},
			}}}
			p.policy(both...)
		}, operator.PolicyWarned, report.Warning, "spec.validations[0].expression: ERROR: [31mundefined field 'x'; an expression"},
		"exempts somebody":  {func(p *played) { p.policy(rendered(ours, "system:serviceaccount:gone:s3")...) }, operator.PolicyEnforced, report.Warning, "gone:s3, which no controller uses"},
		"exempts mallory's": {func(p *played) { p.policy(rendered(ours)...); p.prove(false) }, operator.PolicyEnforced, report.Warning, ours + ", which no controller uses"},
		"nothing is proven": {func(p *played) {
			p.policy(rendered(ours)...)
			p.Forbid("POST "+reviewsPath, "create", "subjectaccessreviews", "authorization.k8s.io", "")
		}, operator.PolicyEnforced, report.Unknown, "not allowed to create subjectaccessreviews"},
		"not allowed": {func(p *played) {
			p.Forbid("GET "+policyPath, "get", "validatingadmissionpolicies", operator.AdmissionGroup, "")
		}, operator.PolicyUnknown, report.Unknown, "not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := good(t)
			c.change(p)
			got := p.look().Policy
			if got.State != c.state || got.Mark != c.mark || !strings.Contains(got.Text, c.says) {
				t.Errorf("%+v", got)
			}
			if got.Mark == report.Warning && got.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

// TestF1StatusReach: Buckets whose S3 bucket is not their project's are listed.
func TestF1StatusReach(t *testing.T) {
	p, _ := good(t)
	p.put("buckets", `{apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: b, namespace: mallory}, spec: {name: finance-reports-bucket}}`)
	r := p.look()
	if len(r.Buckets.OfOtherProjects) != 1 || r.Buckets.OfOtherProjects[0] != "mallory/b (S3 bucket finance-reports-bucket)" || r.Mark == report.OK {
		t.Errorf("%s %+v", r.Mark, r.Buckets)
	}
}

// missing answers that there is no such object.
func (p *played) missing(path string) {
	p.Refuse("GET "+path, http.StatusNotFound, metav1.StatusReasonNotFound, "not found")
}
