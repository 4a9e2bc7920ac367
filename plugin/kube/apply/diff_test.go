package apply

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	fieldvalidation "k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDiff(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after string
		want          []string
	}{
		"scalar":        {"{spec: {a: 1}}", "{spec: {a: 2}}", []string{"spec.a"}},
		"number kinds":  {"{spec: {a: 1}}", "{spec: {a: 1.0}}", nil},
		"bookkeeping":   {"{metadata: {uid: a, generation: 1}, status: {x: 1}}", "{metadata: {uid: b, generation: 2}}", nil},
		"annotation":    {"{metadata: {annotations: {services.k8s.aws/region: a}}}", "{metadata: {annotations: {services.k8s.aws/region: b}}}", []string{"metadata.annotations[services.k8s.aws/region]"}},
		"by name":       {"{spec: {c: [{name: a, i: 1}, {name: b, i: 1}]}}", "{spec: {c: [{name: a, i: 1}, {name: b, i: 2}]}}", []string{"spec.c[b].i"}},
		"one more":      {"{spec: {c: [{name: a}]}}", "{spec: {c: [{name: a}, {name: b}]}}", []string{"spec.c[b]"}},
		"one less":      {"{spec: {c: [{name: a}, {name: b}]}}", "{spec: {c: [{name: b}]}}", []string{"spec.c[a]"}},
		"other order":   {"{spec: {c: [{name: a}, {name: b}]}}", "{spec: {c: [{name: b}, {name: a}]}}", []string{"spec.c"}},
		"tags by key":   {"{spec: {t: [{key: a, value: x}]}}", "{spec: {t: [{key: a, value: y}]}}", []string{"spec.t[a].value"}},
		"scalars":       {"{spec: {t: [a, b]}}", "{spec: {t: [a]}}", []string{"spec.t"}},
		"by position":   {"{spec: {t: [{x: 1}, {x: 1}]}}", "{spec: {t: [{x: 1}, {x: 2}]}}", []string{"spec.t[1].x"}},
		"other kind":    {"{spec: {t: {a: 1}}}", "{spec: {t: text}}", []string{"spec.t"}},
		"gone and come": {"{spec: {a: 1}}", "{spec: {b: 1}}", []string{"spec.a", "spec.b"}},
	} {
		var got []string
		for _, d := range diff(decode(t, tt.before), decode(t, tt.after)) {
			got = append(got, pathString(d.path))
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Field sets as a real API server writes them for typed kinds: list elements
// by key, with "." for the element itself.
const ownedDeployment = `
metadata:
  name: x
  managedFields:
  - manager: ostoy-s3
    operation: Apply
    apiVersion: apps/v1
    fieldsType: FieldsV1
    fieldsV1: {"f:spec":{"f:template":{"f:spec":{"f:containers":{'k:{"name":"app"}':{".":{},"f:name":{},"f:env":{'k:{"name":"A"}':{".":{},"f:name":{},"f:value":{}}},"f:ports":{'k:{"containerPort":8080,"protocol":"TCP"}':{".":{},"f:containerPort":{}}}}}}}}}
  - manager: kubectl-edit
    operation: Update
    time: "2026-01-02T00:00:00Z"
    fieldsV1: {"f:spec":{"f:template":{"f:spec":{"f:containers":{'k:{"name":"app"}':{"f:image":{}}}}}}}
  - manager: kubectl-patch
    operation: Update
    time: "2026-01-03T00:00:00Z"
    fieldsV1: {"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:containers":{'k:{"name":"app"}':{"f:image":{}}}}}}}
  - manager: kube-controller-manager
    operation: Update
    subresource: status
    fieldsV1: {"f:status":{"f:replicas":{}}}
  - manager: broken
    operation: Update
    fieldsV1: {"nonsense": 1}
`

func TestOwners(t *testing.T) {
	obj := &unstructured.Unstructured{Object: decode(t, ownedDeployment)}
	if !Ours(obj) {
		t.Error("not ours")
	}
	if d := cmp.Diff([]string{"ostoy-s3", "kubectl-edit", "kubectl-patch", "broken"}, managerNames(obj)); d != "" {
		t.Error(d)
	}
	app := step{element: true, label: "app", value: map[string]any{"name": "app"}}
	path := func(tail ...step) []step {
		return append([]step{{field: "spec"}, {field: "template"}, {field: "spec"}, {field: "containers"}, app}, tail...)
	}
	if got := lastSetBy(owners(obj), path(step{field: "image"})); got != "kubectl-patch" {
		t.Errorf("image: %q", got)
	}
	ours := ourSet(obj)
	port := step{element: true, value: map[string]any{"containerPort": float64(8080), "protocol": "TCP"}}
	for _, p := range [][]step{path(), path(step{field: "env"}), path(step{field: "ports"}, port)} {
		if !covers(ours, p) {
			t.Errorf("%s is not ours", pathString(p))
		}
	}
	other := step{element: true, value: map[string]any{"name": "sidecar"}}
	for _, p := range [][]step{path(step{field: "image"}), {{field: "spec"}, {field: "replicas"}}, append(path()[:4:4], other)} {
		if covers(ours, p) {
			t.Errorf("%s is ours", pathString(p))
		}
	}
}

func TestConflictTexts(t *testing.T) {
	for text, want := range map[string]struct {
		manager, sub string
		byHand       bool
	}{
		`conflict with "kubectl-edit" using apps/v1`:               {"kubectl-edit", "", true},
		`conflict with "Mozilla" using v1 at 2026-01-01T00:00:00Z`: {"Mozilla", "", true},
		`conflict with "kubectl"`:                                  {"kubectl", "", false},
		`conflict with "kube-controller-manager" with subresource "scale" using apps/v1 at 2026-01-01T00:00:00Z`: {"kube-controller-manager", "scale", false},
		`conflict with "argocd-controller" using apps/v1`:                                                        {"argocd-controller", "", false},
		`conflict with "a \" using b"`:                                                                           {`a " using b`, "", false},
		`conflict with "kubectl" with subresource "scale" using apps/v1`:                                         {"kubectl", "scale", true},
		`something new`:                   {"something new", "", false},
		`conflict with unquoted using v1`: {"conflict with unquoted using v1", "", false},
	} {
		err := apierrors.NewApplyConflict([]metav1.StatusCause{{Type: metav1.CauseTypeFieldManagerConflict, Message: text, Field: ".spec.x"}}, "x")
		list := conflictsOf(errors.Join(err))
		if len(list) != 1 {
			t.Fatalf("%s: %v", text, list)
		}
		c := list[0]
		if c.manager != want.manager || c.subresource != want.sub || c.byHand() != want.byHand || c.field != "spec.x" {
			t.Errorf("%s: %+v", text, c)
		}
	}
	if list := conflictsOf(apierrors.NewConflict(schema.GroupResource{}, "x", errors.New("modified"))); list != nil {
		t.Errorf("%v", list)
	}
}

func TestRefusalsOfTheServer(t *testing.T) {
	gr := schema.GroupResource{Group: "apps", Resource: "deployments"}
	deployment, bucket, secret := RefOf(testDeployment()), RefOf(testBucket()), RefOf(testSecret())
	immutableField := func(kind, path, msg string) error {
		return apierrors.NewInvalid(schema.GroupKind{Kind: kind}, "x", fieldvalidation.ErrorList{fieldvalidation.Invalid(fieldvalidation.NewPath(path), "aHVzaA==", msg)})
	}
	terminating := apierrors.NewForbidden(gr, "x", errors.New("unable to create new content in namespace demo because it is being terminated"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: "NamespaceTerminating"}}
	for name, tt := range map[string]struct {
		ref   Ref
		err   error
		kind  problem.Kind
		parts []string
	}{
		"quota":        {deployment, apierrors.NewForbidden(gr, "x", errors.New("exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2")), problem.Failed, []string{"used up: exceeded quota: q", "oc describe quota -n demo"}},
		"limit range":  {deployment, apierrors.NewForbidden(gr, "x", errors.New("maximum memory usage per Container is 1Gi")), problem.Failed, []string{"limits forbid it", "oc describe limitrange"}},
		"pod security": {deployment, apierrors.NewForbidden(gr, "x", errors.New(`violates PodSecurity "restricted:latest": runAsNonRoot`)), problem.Failed, []string{"Pod Security"}},
		"webhook":      {deployment, apierrors.NewForbidden(gr, "x", errors.New(`admission webhook "policy.example.com" denied the request: no`)), problem.Failed, []string{"a rule of this cluster", "policy.example.com"}},
		"webhook down": {deployment, apierrors.NewInternalError(errors.New(`failed calling webhook "x": refused`)), problem.Failed, []string{"does not answer"}},
		"terminating":  {deployment, terminating, problem.Failed, []string{"the project demo is being deleted"}},
		"selector":     {deployment, immutableField("Deployment", "spec.selector", "field is immutable"), problem.Failed, []string{"cannot be changed", "spec.selector", "oc delete deployment/ostoy-frontend -n demo"}},
		"bucket name":  {bucket, immutableField("Bucket", "spec.name", "Value is immutable once set"), problem.Failed, []string{"spec.name", "never recreated", "bucket.s3.services.k8s.aws/demo-bucket"}},
		"value":        {deployment, immutableField("Deployment", "spec.replicas", "must be positive"), problem.Failed, []string{"spec.replicas", "--set"}},
		"secret":       {secret, immutableField("Secret", "data", "field is immutable when `immutable` is set"), problem.Failed, []string{"Secret ostoy-secret", "data"}},
		"login":        {deployment, apierrors.NewUnauthorized("expired"), problem.Failed, []string{"oc login"}},
		"network":      {deployment, errors.New("dial tcp: refused"), problem.Failed, []string{"did not answer: dial tcp"}},
		"project gone": {deployment, apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "demo"), problem.Failed, []string{`namespaces "demo" not found`}},
	} {
		t.Run(name, func(t *testing.T) {
			a := New(nil, Options{Namespace: testNamespace})
			err := failure(a, "applied", tt.ref, tt.err)
			wantProblem(t, err, tt.kind, tt.parts...)
			var p *problem.Error
			if errors.As(err, &p) && tt.ref.Kind == "Secret" && strings.Contains(p.Error()+p.Next+p.Err.Error(), "aHVz") {
				t.Errorf("a value of a Secret is shown: %+v", p)
			}
		})
	}
}
