package clustertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Store are the objects of a server that keeps them: what is applied is merged by the
// field managers of the real one, so that ownership and drift are real. Lists in objects
// have no schema, so each is owned as a whole.
type Store struct {
	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured // by path
	version int
	refuse  func(*http.Request) bool
	whole   bool
}

// Keep makes the server keep the objects of namespaces, whatever it was told to answer.
func (s *Server) Keep() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = &Store{objects: map[string]*unstructured.Unstructured{}, version: 1}
	return s.store
}

// Refuse has the requests refused for which it is true, as by RBAC; nil refuses none.
func (o *Store) Refuse(which func(*http.Request) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuse = which
}

// Object is the object at a path, nil if there is none.
func (o *Store) Object(path string) *unstructured.Unstructured {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.objects[path].DeepCopy()
}

// Specs are the specs and data of all objects, by path.
func (o *Store) Specs() map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	specs := map[string]any{}
	for path, object := range o.objects {
		specs[path] = []any{object.Object["spec"], object.Object["data"]}
	}
	return specs
}

// Edit changes an object as somebody does by hand.
func (o *Store) Edit(path string, change func(object map[string]any)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change(o.objects[path].Object)
	o.version++
	o.objects[path].SetResourceVersion(strconv.Itoa(o.version))
}

// KeepWhole makes the store keep the objects that are in no namespace as well, the
// namespaces themselves included, and list what is in all.
func (o *Store) KeepWhole() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.whole = true
}

// keeps reports whether a request is about objects that are kept.
func (o *Store) keeps(r *http.Request) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	words := placeOf(r.URL.Path)
	return len(words) > 2 || o.whole && len(words) > 0 && r.Method != http.MethodPost
}

// placeOf is the place of an object or a list, without the API: "namespaces", "demo",
// "pods", "one", or "clusterroles", "one".
func placeOf(path string) []string {
	words := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case words[0] == "api" && len(words) > 2:
		return words[2:]
	case words[0] == "apis" && len(words) > 3:
		return words[3:]
	}
	return nil
}

func (o *Store) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	object, err := o.answer(r)
	if err != nil {
		status, is := errors.AsType[*apierrors.StatusError](err)
		if !is {
			status = apierrors.NewInternalError(err)
		}
		answer := status.ErrStatus
		answer.Kind, answer.APIVersion = "Status", "v1"
		writeJSON(w, "application/json", int(answer.Code), answer)
		return
	}
	writeJSON(w, "application/json", http.StatusOK, object)
}

func (o *Store) answer(r *http.Request) (map[string]any, error) {
	path := r.URL.Path
	words := placeOf(path)
	if len(words) > 2 && words[0] == "namespaces" {
		words = words[2:]
	}
	live, found := o.objects[path]
	what := schema.GroupResource{Resource: words[0]}
	switch {
	case o.refuse != nil && o.refuse(r):
		return nil, apierrors.NewForbidden(what, words[len(words)-1], errors.New(fmt.Sprintf("User %q", User)+" cannot do this"))
	case r.Method == http.MethodGet && len(words) == 1:
		items := o.inAll(path)
		for _, key := range slices.Sorted(maps.Keys(o.objects)) {
			if strings.HasPrefix(key, path+"/") {
				items = append(items, o.objects[key].Object)
			}
		}
		return map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": items}, nil
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") != string(types.MergePatchType):
		return o.apply(r, live, found)
	case !found:
		return nil, apierrors.NewNotFound(what, words[len(words)-1])
	case r.Method == http.MethodDelete:
		delete(o.objects, path)
	case r.Method == http.MethodPatch:
		return o.merge(r, live)
	}
	return live.Object, nil
}

// merge merges a patch into an object (RFC 7386). Who owns a field that it sets is not
// noted: the tool patches metadata only.
func (o *Store) merge(r *http.Request, live *unstructured.Unstructured) (map[string]any, error) {
	patch, out := map[string]any{}, live.DeepCopy()
	if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
		return nil, err
	}
	if version, _, _ := unstructured.NestedString(patch, "metadata", "resourceVersion"); version != "" && version != live.GetResourceVersion() {
		return nil, apierrors.NewConflict(schema.GroupResource{}, live.GetName(), errors.New("the object has been modified"))
	}
	mergeInto(out.Object, patch)
	if r.URL.Query().Get("dryRun") == "" {
		o.version++
		out.SetResourceVersion(strconv.Itoa(o.version))
		o.objects[r.URL.Path] = out
	}
	return out.Object, nil
}

func mergeInto(object, patch map[string]any) {
	for key, value := range patch {
		inner, is := value.(map[string]any)
		live, both := object[key].(map[string]any)
		switch {
		case is && both:
			mergeInto(live, inner)
		case value == nil:
			delete(object, key)
		default:
			object[key] = value
		}
	}
}

// apply merges a server-side apply; one that is tied to a version holds for that alone.
func (o *Store) apply(r *http.Request, live *unstructured.Unstructured, found bool) (map[string]any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	patch := &unstructured.Unstructured{}
	if err := json.Unmarshal(body, &patch.Object); err != nil {
		return nil, err
	}
	if version := patch.GetResourceVersion(); found && version != "" && version != live.GetResourceVersion() {
		return nil, apierrors.NewConflict(schema.GroupResource{}, patch.GetName(), errors.New("the object has been modified"))
	}
	patch.SetResourceVersion("")
	patch.SetUID("")
	if !found {
		live = &unstructured.Unstructured{Object: map[string]any{"apiVersion": patch.GetAPIVersion(), "kind": patch.GetKind()}}
		live.SetName(patch.GetName())
		live.SetNamespace(patch.GetNamespace())
		live.SetUID(types.UID("uid-" + patch.GetName()))
		live.SetCreationTimestamp(metav1.Now())
	}
	query := r.URL.Query()
	manager := managedfieldstest.NewFakeFieldManager(managedfields.NewDeducedTypeConverter(), patch.GroupVersionKind())
	merged, err := manager.Apply(live.DeepCopy(), patch, query.Get("fieldManager"), query.Get("force") == "true")
	if err != nil {
		return nil, err
	}
	out, is := merged.(*unstructured.Unstructured)
	if !is {
		return nil, errors.New("not merged")
	}
	out.SetUID(live.GetUID())
	if err := unchangeable(live, out); found && err != nil {
		return nil, err
	}
	if query.Get("dryRun") == "" {
		o.version++
		out.SetResourceVersion(strconv.Itoa(o.version))
		o.objects[r.URL.Path] = out
	}
	return out.Object, nil
}

// unchangeable is the refusal of a Deployment with another selector
// (ValidateDeploymentUpdate in pkg/apis/apps/validation of Kubernetes).
func unchangeable(live, out *unstructured.Unstructured) error {
	was, _, _ := unstructured.NestedMap(live.Object, "spec", "selector")
	is, _, _ := unstructured.NestedMap(out.Object, "spec", "selector")
	if live.GetKind() != "Deployment" || was == nil || equality.Semantic.DeepEqual(was, is) {
		return nil
	}
	return apierrors.NewInvalid(live.GroupVersionKind().GroupKind(), live.GetName(), field.ErrorList{
		field.Invalid(field.NewPath("spec", "selector"), is, "field is immutable"),
	})
}

// All are the objects of a kind in all namespaces, by the path of their list:
// "/apis/apps/v1/deployments".
func (o *Store) All(list string) []any {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.inAll(list)
}

func (o *Store) inAll(list string) []any {
	cut := strings.LastIndex(list, "/")
	items := []any{}
	for _, path := range slices.Sorted(maps.Keys(o.objects)) {
		within, is := strings.CutPrefix(path, list[:cut]+"/namespaces/")
		if words := strings.Split(within, "/"); is && len(words) == 3 && words[1] == list[cut+1:] {
			items = append(items, o.objects[path].DeepCopy().Object)
		}
	}
	return items
}
