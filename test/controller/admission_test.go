package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const (
	policyName    = "ostoy-s3-buckets"
	policyPlanned = "+ policy    ValidatingAdmissionPolicy ostoy-s3-buckets,"
	ourAccount    = "system:serviceaccount:ack-system:ack-s3-controller"
)

func admissionKinds() []schema.GroupVersionResource {
	const group = "admissionregistration.k8s.io"
	return []schema.GroupVersionResource{
		resource(group, "v1", "validatingadmissionpolicies"), resource(group, "v1", "validatingadmissionpolicybindings"),
	}
}

// admission is the admission policy, or its binding; nil if there is none.
func (s *scene) admission(t *testing.T, kind schema.GroupVersionResource) *unstructured.Unstructured {
	t.Helper()
	object, err := s.Dynamic.Resource(kind).Get(t.Context(), policyName, metav1.GetOptions{})
	must(t, ignoreAbsent(err))
	if err != nil {
		return nil
	}
	return object
}

// exempt is the match condition that names the controllers.
func (s *scene) exempt(t *testing.T) string {
	t.Helper()
	policy := s.admission(t, admissionKinds()[0])
	if policy == nil {
		return ""
	}
	conditions, _, _ := unstructured.NestedSlice(policy.Object, "spec", "matchConditions")
	text, _ := conditions[0].(map[string]any)["expression"].(string)
	return text
}

// TestF1PolicyIsInstalled with the controller: named in the plan, unchanged by the
// next run, restored when somebody changes or deletes it, and removed in the end.
func TestF1PolicyIsInstalled(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t).WantTalk(t, policyPlanned, "ValidatingAdmissionPolicyBinding ostoy-s3-buckets", "exempt  "+ourAccount)
	if exempt := s.exempt(t); !strings.Contains(exempt, `in ["`+ourAccount+`"]`) {
		t.Errorf("exempt: %s", exempt)
	}
	s.install(t).WantTalk(t, "nothing to change")
	policies, bindings := admissionKinds()[0], admissionKinds()[1]
	s.Admin.Kubectl(t, "patch", policies.Resource, policyName, "--type=merge", "-p", `{"spec":{"failurePolicy":"Ignore"}}`).WantCode(t, 0)
	must(t, s.Dynamic.Resource(bindings).Delete(t.Context(), policyName, metav1.DeleteOptions{}))
	if state := s.status(t).BucketPolicy.PolicyState; state != "unbound" {
		t.Errorf("controller status: the policy is %s", state)
	}
	var told struct {
		Changes []struct{ Object, Action string }
	}
	s.install(t, "--dry-run=server", "-o", "json").JSON(t, &told)
	if len(told.Changes) != 2 {
		t.Errorf("changes: %v", told.Changes)
	}
	s.install(t).WantTalk(t, "~ object    ValidatingAdmissionPolicy ostoy-s3-buckets", "failurePolicy: Ignore → Fail", "+ policy    ValidatingAdmissionPolicyBinding ostoy-s3-buckets", "in effect")
	s.install(t).WantTalk(t, "nothing to change")
	if s.admission(t, bindings) == nil {
		t.Error("the binding was not restored")
	}
	if policy := s.status(t).BucketPolicy; policy.PolicyState != "enforced" || !slices.Equal(policy.Exempt, []string{ourAccount}) {
		t.Errorf("controller status: the policy is %+v", policy)
	}
	s.uninstall(t).WantTalk(t, "ValidatingAdmissionPolicyBinding", "✔ policy      removed")
	s.wantLeft(t)
}

// TestPolicyOfAnother with the same name is not replaced.
func TestPolicyOfAnother(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.Apply(t.Context(), `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: ostoy-s3-buckets}
spec: {policyName: ostoy-s3-buckets, validationActions: [Audit]}
`))
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantTalk(t, "ValidatingAdmissionPolicyBinding ostoy-s3-buckets")
	s.install(t, "--force-conflicts").WantTalk(t, "~ object    ValidatingAdmissionPolicyBinding ostoy-s3-buckets")
}

// mallorysController is a Deployment as every project editor can create one.
const mallorysController = `apiVersion: apps/v1
kind: Deployment
metadata: {name: s3, namespace: second, labels: {app.kubernetes.io/name: s3-chart}}
spec:
  replicas: 0
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {serviceAccountName: mallory, containers: [{name: controller, image: "example.com/mallory/s3-controller:1.13.0"}]}
`

// TestF1DeploymentExemptsNobody: a Deployment with the image of the controller is not
// exempt and does not change the policy. A service account that is allowed to list and
// update the Buckets of all projects is.
func TestF1DeploymentExemptsNobody(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	before := s.exempt(t)
	must(t, s.NewNamespace(t.Context(), "second"))
	must(t, s.Apply(t.Context(), mallorysController))
	s.install(t).WantTalk(t, "deployment/s3 -n second is not exempt from the admission policy", "nothing to change")
	if after := s.exempt(t); after != before {
		t.Errorf("the policy exempts %s", after)
	}
	must(t, s.Apply(t.Context(), `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ack-s3-controller-s3-chart}
rules: [{apiGroups: [s3.services.k8s.aws], resources: [buckets], verbs: [list, update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ack-s3-controller-s3-chart}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ack-s3-controller-s3-chart}
subjects: [{kind: ServiceAccount, name: mallory, namespace: second}]
`))
	s.install(t).WantTalk(t, "~ object    ValidatingAdmissionPolicy ostoy-s3-buckets").WantNoTalk(t, "is not exempt")
	if after := s.exempt(t); !strings.Contains(after, `"`+ourAccount+`", "system:serviceaccount:second:mallory"`) {
		t.Errorf("the policy exempts %s", after)
	}
}

// triedBuckets are Buckets by what they are, with the fields of their spec.
func triedBuckets() map[string]string {
	return map[string]string{
		"own":         `{"name":"second-bucket"}`,
		"another":     `{"name":"second--more-bucket","tagging":{"tagSet":[{"key":"team","value":"x"}]}}`,
		"foreign":     `{"name":"finance-reports-bucket"}`,
		"of-longer":   `{"name":"second-one-bucket"}`,
		"hyphens":     `{"name":"second---bucket"}`,
		"lifecycle":   `{"name":"second-bucket","lifecycle":{"rules":[{"id":"all","status":"Enabled","expiration":{"days":1}}]}}`,
		"open":        `{"name":"second-bucket","publicAccessBlock":{"blockPublicACLs":false,"blockPublicPolicy":true,"ignorePublicACLs":true,"restrictPublicBuckets":true}}`,
		"halfblocked": `{"name":"second-bucket","publicAccessBlock":{"blockPublicACLs":true}}`,
		"writer":      `{"name":"second-bucket","ownershipControls":{"rules":[{"objectOwnership":"ObjectWriter"}]}}`,
		"policy":      `{"name":"second-bucket","policy":"{\"Version\":\"2012-10-17\",\"Statement\":[]}"}`,
		"rendered":    `{"name":"second-bucket","policy":` + renderedPolicy("second-bucket") + `}`,
		"escaped":     `{"name":"second-bucket","policy":` + strings.Replace(renderedPolicy("second-bucket"), "Deny", `\\u0044eny`, 1) + `}`,
		"tags":        `{"name":"second-bucket","tagging":{"tagSet":[{"key":"ostoy-s3/namespace","value":"demo"}]}}`,
		"capitals":    `{"name":"second-bucket","tagging":{"tagSet":[{"key":"OSTOY-S3/namespace","value":"second"}]}}`,
		"several":     `{"name":"finance-reports-bucket","acl":"public-read","policy":"x"}`,
	}
}

// renderedPolicy is the policy that the chart writes, as a string in JSON.
func renderedPolicy(bucket string) string {
	const arn = `arn:aws:s3:::`
	text, _ := json.Marshal(`{"Version":"2012-10-17","Statement":[{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` +
		arn + bucket + `","` + arn + bucket + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`)
	return string(text)
}

func bucketText(name, spec string) string {
	return `{"apiVersion":"s3.services.k8s.aws/v1alpha1","kind":"Bucket","metadata":{"name":"` + name + `","namespace":"second"},"spec":` + spec + `}`
}

// TestF1Refused: the plan lists exactly the existing Buckets that the API server
// refuses to create for a project admin, with the API server's reason.
func TestF1Refused(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	for _, kind := range admissionKinds() {
		must(t, s.Dynamic.Resource(kind).Delete(t.Context(), policyName, metav1.DeleteOptions{}))
	}
	must(t, s.NewNamespace(t.Context(), "second"))
	for name, spec := range triedBuckets() {
		must(t, s.Apply(t.Context(), bucketText(name, spec)))
	}
	var told struct {
		RefusedBuckets []struct {
			Namespace, Name string
			Why             []string
		}
	}
	s.install(t, "--dry-run=server", "-o", "json").JSON(t, &told)
	planned := map[string][]string{}
	for _, one := range told.RefusedBuckets {
		planned[one.Name] = one.Why
	}
	s.install(t).WantTalk(t, "The admission policy refuses 12 existing Buckets from now on", "Bucket second/foreign: spec.name must be second-bucket or second--NAME-bucket")
	mallory := run.ProjectAdmin(t, s.Bed, "mallory")
	s.Admin.Kubectl(t, "create", "rolebinding", "mallory", "-n", "second", "--clusterrole=admin", "--user=mallory").WantCode(t, 0)
	s.refusesWithPolicy(t, mallory)
	for name, spec := range triedBuckets() {
		tried := mallory.Typing(bucketText(name+"-tried", spec)).Kubectl(t, "create", "--dry-run=server", "-f", "-")
		why := planned[name]
		switch {
		case why == nil && tried.Code != 0:
			t.Errorf("%s: the plan does not name it, the API server says %s", name, tried.Stderr)
		case why != nil && (tried.Code == 0 || !strings.Contains(tried.Stderr, why[0])):
			t.Errorf("%s: the plan says %q, the API server %d: %s", name, why, tried.Code, tried.Stderr)
		}
	}
}

// refusesWithPolicy waits until the permission and the policy are in effect: the API
// server learns of both a moment after they are written.
func (s *scene) refusesWithPolicy(t *testing.T, user run.User) {
	t.Helper()
	foreign := user.Typing(bucketText("probe", `{"name":"finance-reports-bucket"}`))
	eventually(t, "the policy is in effect", func(context.Context) error {
		if tried := foreign.Kubectl(t, "create", "--dry-run=server", "-f", "-"); !strings.Contains(tried.Stderr, "ValidatingAdmissionPolicy") {
			return errors.New(tried.Stderr)
		}
		return nil
	})
}

// TestF1WithoutTheAPI: a cluster that cannot check Buckets gives project admins read
// access, and OLM, which gives them more, needs the user's word.
func TestF1WithoutTheAPI(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.ROSAClassic, NoController: true, NoAdmissionPolicies: true})
	t.Run("by OLM", func(t *testing.T) { beginOn(t, bed).withoutAPIByOLM(t) })
	t.Run("with Helm", func(t *testing.T) {
		beginOn(t, run.BedOfItsOwn(t, testbed.Options{Platform: testbed.EKS, NoController: true, NoAdmissionPolicies: true})).withoutAPIWithHelm(t)
	})
}

func (s *scene) withoutAPIByOLM(t *testing.T) {
	s.Admin.Run(t, "controller", "install").WantCode(t, refused).
		WantTalk(t, "Buckets cannot be kept to the S3 buckets of their own project on this cluster", "OLM gives the admins and editors of every project all verbs on Buckets", "--allow-any-bucket")
	s.Admin.Run(t, "install", "--new-project=demo", "--with-controller").WantCode(t, refused).WantTalk(t, "--allow-any-bucket")
	s.wantNothingWritten(t)
	s.install(t, "--allow-any-bucket").WantTalk(t, "each of them can change or delete any S3 bucket that the controller's role covers").WantNoTalk(t, policyPlanned)
	s.install(t, "--allow-any-bucket").WantTalk(t, "nothing to change")
	rendered := s.Admin.Run(t, "controller", "render", "--version", "1.13.0").WantCode(t, done).Stdout
	if strings.Contains(rendered, "kind: ValidatingAdmissionPolicy") || strings.Contains(rendered, "ostoy-s3-buckets-edit") {
		t.Errorf("rendered:\n%s", rendered)
	}
	s.uninstall(t)
	s.wantLeft(t)
}

func (s *scene) withoutAPIWithHelm(t *testing.T) {
	s.install(t, "--wait=false").WantTalk(t, "so project admins and editors can read Buckets and not create them", "oc ostoy-s3 install -n PROJECT")
	s.helmInstalls(t)
	s.install(t).WantTalk(t, "nothing to change")
	must(t, s.NewNamespace(t.Context(), "second"))
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	s.Admin.Kubectl(t, "create", "rolebinding", "learner", "-n", "second", "--clusterrole=admin", "--user=learner").WantCode(t, 0)
	eventually(t, "the learner may see Buckets", func(context.Context) error {
		if may := learner.Kubectl(t, "auth", "can-i", "list", "buckets.s3.services.k8s.aws", "-n", "second"); may.Code != 0 {
			return errors.New(may.Stdout)
		}
		return nil
	})
	learner.Kubectl(t, "auth", "can-i", "create", "buckets.s3.services.k8s.aws", "-n", "second").WantCode(t, 1)
	learner.Run(t, "install", "-n", "second", "--dry-run=server", "--oidc-issuer", s.Issuer).WantCode(t, refused).
		WantTalk(t, "create buckets.s3.services.k8s.aws", "ask a cluster admin to run: oc ostoy-s3 install -n second")
	// One that an earlier version installed is taken away, and not what is not ours.
	s.Admin.Typing(`{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"ostoy-s3-buckets-edit","labels":{"rbac.authorization.k8s.io/aggregate-to-edit":"true"}},"rules":[]}`).
		Kubectl(t, "apply", "--server-side", "--field-manager=ostoy-s3", "-f", "-").WantCode(t, 0)
	s.install(t).WantTalk(t, "object    ClusterRole ostoy-s3-buckets-edit   no longer wanted")
	s.install(t).WantTalk(t, "nothing to change")
	s.helm(t, "uninstall", "ack-s3-controller", "-n", namespace, "--wait")
	s.uninstall(t)
	s.wantLeft(t)
}
