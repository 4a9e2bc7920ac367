package live_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func controllerIn(t *testing.T, namespace, container string) ack.Controller {
	t.Helper()
	c, is := ack.ControllerOf(object(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: s3, namespace: `+namespace+`}, spec: {selector: {matchLabels: {a: b}},
  template: {spec: {serviceAccountName: ack, containers: [{name: controller, image: "x/s3-controller:1.13.0"`+container+`}]}}}}`))
	if !is {
		t.Fatal("it is no controller")
	}
	return c
}

func worldOf(t *testing.T) (*clustertest.Server, *live.World) {
	t.Helper()
	server := clustertest.New(t, "v1.33.0", "v1/Pod", "v1/Secret", "v1/ConfigMap", "v1/ServiceAccount", "authorization.k8s.io/v1/SubjectAccessReview")
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return server, &live.World{Conn: conn, Namespace: "demo"}
}

const (
	annotatedRole = "arn:aws:iam::123456789012:role/annotated"
	podRole       = "arn:aws:iam::123456789012:role/pod"
)

// TestF1ControllerRoles: a role is believed only where nothing else gives the
// controller AWS credentials.
func TestF1ControllerRoles(t *testing.T) {
	const withSecret = `, envFrom: [{secretRef: {name: keys, optional: true}}]`
	for name, c := range map[string]struct {
		container, pod string
		secret         string // "" does not exist, "-" cannot be read, else its key
		roles          []string
		unsure         string
	}{
		"by its annotation":     {roles: []string{annotatedRole}},
		"a pod is older":        {pod: `[{name: AWS_ROLE_ARN, value: "` + podRole + `"}]`, roles: []string{annotatedRole, podRole}},
		"in the Deployment":     {container: `, env: [{name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}, {name: AWS_ROLE_ARN, value: "` + podRole + `"}]`, roles: []string{podRole}},
		"keys beside it":        {container: `, env: [{name: AWS_ACCESS_KEY_ID, value: AKIA}]`, unsure: "AWS_ACCESS_KEY_ID"},
		"keys before the token": {container: `, env: [{name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}, {name: AWS_ROLE_ARN, value: "` + podRole + `"}, {name: AWS_ACCESS_KEY_ID, value: AKIA}]`, roles: nil, unsure: "AWS_ACCESS_KEY_ID"},
		"a profile before both": {container: `, env: [{name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}, {name: AWS_ROLE_ARN, value: "` + podRole + `"}, {name: AWS_PROFILE, value: admin}]`, roles: []string{podRole}, unsure: "AWS_PROFILE"},
		"keys of a Secret":      {container: withSecret, secret: "AWS_ACCESS_KEY_ID", unsure: "AWS_ACCESS_KEY_ID"},
		"a Secret without keys": {container: withSecret, secret: "OTHER", roles: []string{annotatedRole}},
		"no Secret":             {container: withSecret, roles: []string{annotatedRole}},
		"a Secret that is shut": {container: withSecret, secret: "-", roles: []string{annotatedRole}, unsure: "the Secret keys"},
		"a role of a Secret":    {container: `, env: [{name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}, {name: AWS_ROLE_ARN, valueFrom: {secretKeyRef: {name: keys, key: x}}}]`, unsure: "its role is in a Secret"},
		"EKS Pod Identity":      {pod: `[{name: AWS_CONTAINER_CREDENTIALS_FULL_URI, value: "http://x"}]`, unsure: "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
		"keys in a pod":         {pod: `[{name: AWS_ACCESS_KEY_ID, value: AKIA}]`, roles: []string{annotatedRole}, unsure: "AWS_ACCESS_KEY_ID"},
		"an empty key in a pod": {pod: `[{name: AWS_ACCESS_KEY_ID, value: ""}]`, roles: []string{annotatedRole}},
		"nothing names it":      {container: `, env: [{name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}]`, unsure: "neither its pods nor its service account"},
	} {
		t.Run(name, func(t *testing.T) {
			server, world := worldOf(t)
			const in = "/api/v1/namespaces/ack-system/"
			server.Answer("GET "+in+"serviceaccounts/ack", object(t, `{apiVersion: v1, kind: ServiceAccount, metadata: {name: ack, namespace: ack-system, annotations: {eks.amazonaws.com/role-arn: "`+annotatedRole+`"}}}`).Object)
			pods := map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{}}
			if c.pod != "" {
				pods["items"] = []any{object(t, `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ack-system}, spec: {containers: [{name: controller, env: `+c.pod+`}]}}`).Object}
			}
			server.Answer("GET "+in+"pods", pods)
			switch c.secret {
			case "":
				server.Refuse("GET "+in+"secrets/keys", http.StatusNotFound, "NotFound", "not found")
			case "-":
				server.Forbid("GET "+in+"secrets/keys", "get", "secrets", "", "ack-system")
			default:
				server.Answer("GET "+in+"secrets/keys", object(t, `{apiVersion: v1, kind: Secret, metadata: {name: keys, namespace: ack-system}, data: {`+c.secret+`: eA==}}`).Object)
			}
			got, err := live.RolesOf(t.Context(), world, controllerIn(t, "ack-system", c.container))
			if err != nil || !slices.Equal(got.ARNs, c.roles) || !strings.Contains(got.Unsure, c.unsure) || (got.Unsure == "") != (c.unsure == "") {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// TestF1Proven: a controller is what may list and update all Buckets, not what looks
// like one, and nobody is asked twice.
func TestF1Proven(t *testing.T) {
	server, world := worldOf(t)
	const reviews = "POST /apis/authorization.k8s.io/v1/subjectaccessreviews"
	real, half := "system:serviceaccount:real:ack", "system:serviceaccount:half:ack"
	server.Handle(reviews, func(w http.ResponseWriter, r *http.Request) {
		review := authorization.SubjectAccessReview{}
		_ = json.NewDecoder(r.Body).Decode(&review)
		a := review.Spec.ResourceAttributes
		review.Status.Allowed = a.Namespace == "" && (review.Spec.User == real || review.Spec.User == half && a.Verb == "list")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
	all := []ack.Controller{controllerIn(t, "mallory", ""), controllerIn(t, "real", ""), controllerIn(t, "half", "")}
	for range 2 {
		found, err := world.Prove(t.Context(), all)
		if err != nil || len(found.Proven) != 1 || found.Proven[0].Namespace != "real" || len(found.Unproven) != 2 || len(found.Unverified) != 0 {
			t.Errorf("%+v, %v", found, err)
		}
	}
	const asked = 1 + 2 + 2
	if n := server.Requests()[reviews]; n != asked {
		t.Errorf("%d reviews", n)
	}
	mallorys, gone := "system:serviceaccount:mallory:ack", "system:serviceaccount:gone:ack"
	unused, err := world.UnusedAccounts(t.Context(), []string{gone, mallorys, real}, all)
	if err != nil || !slices.Equal(unused, []string{gone, mallorys}) {
		t.Errorf("%v, %v", unused, err)
	}

	server, world = worldOf(t)
	server.Forbid(reviews, "create", "subjectaccessreviews", "authorization.k8s.io", "")
	if found, err := world.Prove(t.Context(), all); err != nil || len(found.Unverified) != len(all) || len(found.Proven)+len(found.Unproven) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
	unused, err = world.UnusedAccounts(t.Context(), []string{gone, real}, all)
	if !apierrors.IsForbidden(err) || unused != nil { // mallory's Deployment does not turn it into a verdict
		t.Errorf("%v, %v", unused, err)
	}
}

// TestRestore: what is advised ends what it is advised for: an apply is refused an object
// that others applied, and leaves what others have added to one.
func TestRestore(t *testing.T) {
	by := func(manager string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationApply, FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1("{}")}})
		return object
	}
	const (
		deleteBinding = "oc delete validatingadmissionpolicybindings.admissionregistration.k8s.io ostoy-s3-buckets; "
		deletePolicy  = "oc delete validatingadmissionpolicies.admissionregistration.k8s.io ostoy-s3-buckets; "
		install       = "oc ostoy-s3 controller install"
	)
	for name, c := range map[string]struct {
		policy, binding *unstructured.Unstructured
		state           operator.PolicyState
		want            string
	}{
		"missing":                    {nil, nil, operator.PolicyMissing, install},
		"no binding":                 {by("ostoy-s3"), nil, operator.PolicyUnbound, install},
		"a binding that only warns":  {by("ostoy-s3"), by("ostoy-s3"), operator.PolicyUnbound, deleteBinding + install},
		"a binding of others":        {by("ostoy-s3"), by("kubectl"), operator.PolicyUnbound, deleteBinding + install},
		"both of others, not bound":  {by("kubectl"), by("kubectl"), operator.PolicyUnbound, deleteBinding + install + " --force-conflicts"},
		"a changed policy":           {by("ostoy-s3"), by("ostoy-s3"), operator.PolicyChanged, install + "\nif others have added to the policy, which that leaves, recreate it: " + deletePolicy + install},
		"a policy of others, unused": {by("kubectl"), by("ostoy-s3"), operator.PolicyEnforced, install + " --force-conflicts"},
	} {
		if got := (live.Admission{Policy: c.policy, Binding: c.binding}).Restore(c.state); got != c.want {
			t.Errorf("%s: %s\nwant %s", name, got, c.want)
		}
	}
}
