package apply

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// body is the object that a request sends.
func body(t *testing.T, r *http.Request) *unstructured.Unstructured {
	one, two, err := twice(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = two
	object := &unstructured.Unstructured{}
	if err := yaml.NewYAMLOrJSONDecoder(one, 4096).Decode(&object.Object); err != nil {
		t.Error(err)
	}
	return object
}

// refuseWithout has the server refuse, by a policy, what does not have a label.
func refuseWithout(t *testing.T, label string, pods bool) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || strings.Contains(r.URL.Path, "/pods/") != pods {
			return false
		}
		object := body(t, r)
		if object.GetLabels()[label] != "" {
			return false
		}
		answerError(w, apierrors.NewForbidden(schema.GroupResource{Resource: "things"}, object.GetName(),
			errors.New("ValidatingAdmissionPolicy 'require-team' with binding 'everywhere' denied request: the secret is hunter2, label team is required")))
		return true
	}
}

// TestRefusals: everything that a rule refuses is found at once, the inventory included,
// and apart from what is refused for other reasons. A Secret's refusal names the rule and
// nothing that the rule repeats.
func TestRefusals(t *testing.T) {
	s := newServer(t)
	theirs := testRoute()
	theirs.SetLabels(map[string]string{"team": "x"})
	s.put(theirs, "somebody", false)
	s.hook = refuseWithout(t, "team", false)
	p, err := plan(t, s.applier(Options{How: TryCreates}), testSet(), Record{})
	refused, rest := Refusals(p, err)
	if p == nil || rest != nil && !strings.Contains(rest.Error(), "Route") {
		t.Errorf("%v, %v", p, rest)
	}
	names := map[string]bool{}
	for _, one := range refused {
		names[one.Ref.Kind] = true
		if one.Ref.Kind == "Secret" && (strings.Contains(one.Error(), "hunter2") || !strings.Contains(one.Error(), "'require-team'")) {
			t.Errorf("of a Secret: %s", one.Error())
		}
	}
	for _, want := range []string{"ConfigMap", "Secret", "Bucket", "Deployment", "PersistentVolumeClaim"} {
		if !names[want] {
			t.Errorf("no refusal of the %s among %v", want, names)
		}
	}
	if refused, rest := Refusals(nil, errors.New("away")); refused != nil || rest == nil {
		t.Errorf("%v, %v", refused, rest)
	}
	if refused, rest := Refusals(p, nil); refused != nil || rest != nil {
		t.Errorf("%v, %v", refused, rest)
	}
}

// TestExtraOfTheInventory: what the values add to all objects is on the inventory, too,
// from the first write on, and still while it is removed.
func TestExtraOfTheInventory(t *testing.T) {
	s := newServer(t)
	set := App()
	set.Extra = render.Extra{Labels: map[string]string{"team": "x", render.TagManagedBy: "never"}, Annotations: map[string]string{"note": "y"}}
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/configmaps/"+InventoryName) {
			return false
		}
		object := body(t, r)
		if object.GetLabels()["team"] != "x" || object.GetLabels()[render.TagManagedBy] != Manager || object.GetAnnotations()["note"] != "y" {
			t.Errorf("the inventory is sent with %v and %v", object.GetLabels(), object.GetAnnotations())
		}
		return false
	}
	a := s.applier(Options{Set: set, How: TryCreates})
	p, err := plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, p)
	r := planRemoval(t, s.applier(Options{}))
	if err := s.applier(Options{}).MarkRemoval(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if count(s.seen(), "PATCH demo/configmaps/"+InventoryName, "") < 3 {
		t.Error("the inventory was not written")
	}
}

// TestTryPods: a pod is tried as a ReplicaSet would create it, without its service account
// while that one does not exist, and nothing is persisted.
func TestTryPods(t *testing.T) {
	deployment := testDeployment()
	set := func(value any, path ...string) { _ = unstructured.SetNestedField(deployment.Object, value, path...) }
	set(map[string]any{"labels": map[string]any{"app": "ostoy-frontend"}, "annotations": map[string]any{"note": "x"}}, "spec", "template", "metadata")
	set("ostoy-sa", "spec", "template", "spec", "serviceAccountName")
	account := object("v1", "ServiceAccount", "ostoy-sa", "0", nil)
	s := newServer(t)
	var tried *unstructured.Unstructured
	s.hook = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/pods/") {
			tried = body(t, r)
		}
		return false
	}
	try := func(objects ...*unstructured.Unstructured) []Pod {
		p, err := plan(t, s.applier(Options{How: TryCreates}), objects, Record{})
		if err != nil {
			t.Fatal(err)
		}
		return TryPods(t.Context(), p)
	}
	pods := try(deployment, account)
	if len(pods) != 1 || pods[0].Err != nil || pods[0].Would == nil || !pods[0].Account || !pods[0].New || pods[0].Of.Name != deployment.GetName() {
		t.Fatalf("%+v", pods)
	}
	owners := tried.GetOwnerReferences()
	named, _, _ := unstructured.NestedString(tried.Object, "spec", "serviceAccountName")
	if len(owners) != 1 || owners[0].Kind != "ReplicaSet" || !*owners[0].Controller || tried.GetLabels()["app"] != "ostoy-frontend" || tried.GetAnnotations()["note"] != "x" || named != "" {
		t.Errorf("%v", tried)
	}
	if requests := s.seen(); count(requests, "PATCH", "") != count(requests, "PATCH", "dry") {
		t.Errorf("something was persisted: %v", requests)
	}

	s.put(account, Manager, true)
	if pods := try(deployment, account); len(pods) != 1 || pods[0].Account {
		t.Errorf("with its account: %+v", pods)
	}
	if named, _, _ := unstructured.NestedString(tried.Object, "spec", "serviceAccountName"); named != "ostoy-sa" {
		t.Errorf("with the account %q", named)
	}

	s.hook = refuseWithout(t, "team", true)
	pods = try(deployment, account)
	if _, is := errors.AsType[*Rejection](pods[0].Err); !is {
		t.Errorf("%v", pods[0].Err)
	}
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "/pods/") {
			answerError(w, apierrors.NewBadRequest("admission webhook x does not support dry run"))
		}
		return strings.Contains(r.URL.Path, "/pods/")
	}
	if pods := try(deployment, account); pods[0].Err != nil || pods[0].Would != nil {
		t.Errorf("where dry runs are not possible: %+v", pods[0])
	}

	s.put(deployment, Manager, true)
	if pods := try(deployment, account); len(pods) != 0 {
		t.Errorf("no pod is created, and tried is %v", pods)
	}
	changed := deployment.DeepCopy()
	_ = unstructured.SetNestedField(changed.Object, "other", "spec", "template", "spec", "serviceAccountName")
	if pods := try(changed, account); len(pods) != 1 || pods[0].New {
		t.Errorf("another template: %v", pods)
	}
	set(int64(0), "spec", "replicas")
	if pods := try(deployment, account); len(pods) != 0 {
		t.Errorf("without replicas: %v", pods)
	}
}
