package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

const testNamespace = "demo"

// server is a small API server: it stores objects and merges applies with the
// field managers of the real one, so that ownership and conflicts are real.
// Its lists have no schema, so each is owned as a whole.
type server struct {
	t *testing.T
	*httptest.Server

	mu       sync.Mutex
	objects  map[string]*unstructured.Unstructured // by URL path
	requests []string                              // "GET /api/...", "PATCH ... dry"
	version  int
	// hook may answer a request instead of the server; it runs unlocked.
	hook     func(w http.ResponseWriter, r *http.Request) bool
	unserved map[string]bool // kinds
}

func newServer(t *testing.T) *server {
	// etcd begins with revision 1: no object has it.
	s := &server{t: t, objects: map[string]*unstructured.Unstructured{}, unserved: map[string]bool{}, version: 1}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func plural(kind string) string {
	if kind == "Ingress" {
		return "ingresses"
	}
	return strings.ToLower(kind) + "s"
}

// Resource makes the server the Resources of an Applier.
func (s *server) Resource(_ context.Context, gvk schema.GroupVersionKind, ns string) (dynamic.ResourceInterface, error) {
	if s.unserved[gvk.Kind] {
		return nil, fmt.Errorf("looking up: %w", &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}})
	}
	client, err := dynamic.NewForConfig(&rest.Config{Host: s.URL, QPS: -1})
	if err != nil {
		return nil, err
	}
	if want := (map[bool]string{false: testNamespace})[clusterWide(gvk.Kind)]; ns != want {
		s.t.Errorf("%s was asked for in the namespace %q", gvk.Kind, ns)
	}
	return client.Resource(gvk.GroupVersion().WithResource(plural(gvk.Kind))).Namespace(ns), nil
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	line := r.Method + " " + short(r.URL.Path)
	dry := r.URL.Query().Get("dryRun") == "All"
	if dry {
		line += " dry"
	}
	s.requests = append(s.requests, line)
	hook := s.hook
	s.mu.Unlock()
	if hook != nil && hook(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out *unstructured.Unstructured
	var err error
	switch r.Method {
	case http.MethodGet:
		if strings.Count(short(r.URL.Path), "/") == 1 {
			answer(w, http.StatusOK, s.list(r.URL.Path, r.URL.Query().Get("continue")))
			return
		}
		out, err = s.get(r.URL.Path)
	case http.MethodPatch:
		out, err = s.apply(r, dry)
	case http.MethodDelete:
		out, err = s.remove(r)
	default:
		err = fmt.Errorf("unexpected %s", r.Method)
	}
	if err != nil {
		answerError(w, err)
		return
	}
	answer(w, http.StatusOK, out.Object)
}

// short is a path as tests name it: "demo/secrets/x", "-/clusterroles/x".
func short(path string) string {
	if _, rest, ok := strings.Cut(path, "/namespaces/"); ok {
		return rest
	}
	words := strings.Split(strings.TrimPrefix(path, "/apis/"), "/")
	return strings.Join(append([]string{"-"}, words[2:]...), "/")
}

// clusterWide reports whether a kind is in no namespace, as the server knows it.
func clusterWide(kind string) bool {
	return slices.Contains([]string{"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}, kind)
}

func (s *server) get(path string) (*unstructured.Unstructured, error) {
	obj, ok := s.objects[path]
	if !ok {
		return nil, apierrors.NewNotFound(schema.GroupResource{}, path[strings.LastIndex(path, "/")+1:])
	}
	return obj, nil
}

// list is a collection, one object a page, so that paging is always at work.
func (s *server) list(path string, after string) map[string]any {
	items, rest := []any{}, ""
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if !strings.HasPrefix(key, path+"/") || key <= after {
			continue
		}
		if len(items) == 1 {
			rest = after
			break
		}
		items, after = append(items, s.objects[key].Object), key
	}
	return map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"continue": rest}, "items": items}
}

func (s *server) apply(r *http.Request, dry bool) (*unstructured.Unstructured, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	patch := &unstructured.Unstructured{}
	if err := json.Unmarshal(body, &patch.Object); err != nil {
		return nil, err
	}
	live, ok := s.objects[r.URL.Path]
	if r.Header.Get("Content-Type") == string(types.MergePatchType) {
		return s.merge(r.URL.Path, live, patch, r.URL.Query().Get("fieldManager"), dry)
	}
	if r.Header.Get("Content-Type") != string(types.ApplyYAMLPatchType) {
		s.t.Errorf("content type %q", r.Header.Get("Content-Type"))
	}
	if err := tiedTo(patch, live, ok); err != nil {
		return nil, err
	}
	if !ok {
		live = skeleton(patch, fmt.Sprint("uid-", patch.GetKind(), "-", patch.GetName()))
	}
	q := r.URL.Query()
	out, err := merge(live, patch, q.Get("fieldManager"), q.Get("force") == "true")
	if err != nil || dry {
		return out, err
	}
	s.version++
	out.SetResourceVersion(fmt.Sprint(s.version))
	s.objects[r.URL.Path] = out
	return out, nil
}

// tiedTo refuses an apply that is for another version than the one there is, as the
// API server does (endpoints/handlers/patch.go, registry/generic/registry/store.go),
// and takes off what tied it.
func tiedTo(patch, live *unstructured.Unstructured, found bool) error {
	uid, version := patch.GetUID(), patch.GetResourceVersion()
	patch.SetUID("")
	patch.SetResourceVersion("")
	switch {
	case !found && uid != "":
		return apierrors.NewConflict(schema.GroupResource{}, patch.GetName(), errors.New("uid mismatch: no existing object was found"))
	case found && (uid != "" && uid != live.GetUID() || version != "" && version != live.GetResourceVersion()):
		return apierrors.NewConflict(schema.GroupResource{}, patch.GetName(), errors.New("the object has been modified"))
	}
	return nil
}

// merge plays a merge patch of annotations, labels, managedFields or spec, held to the
// version it was made for, unless it is a dry run.
func (s *server) merge(path string, live, patch *unstructured.Unstructured, manager string, dry bool) (*unstructured.Unstructured, error) {
	if dry {
		return updated(live, patch, manager)
	}
	if patch.GetUID() != live.GetUID() || patch.GetResourceVersion() != live.GetResourceVersion() {
		return nil, apierrors.NewConflict(schema.GroupResource{}, live.GetName(), errors.New("it was changed"))
	}
	out := live.DeepCopy()
	out.SetAnnotations(merged(out.GetAnnotations(), patch, "annotations"))
	out.SetLabels(merged(out.GetLabels(), patch, "labels"))
	if managers := patch.GetManagedFields(); len(managers) > 0 {
		out.SetManagedFields(slices.DeleteFunc(managers, func(m metav1.ManagedFieldsEntry) bool { return m.Manager == "" }))
	}
	if _, is := patch.Object["spec"]; is {
		var err error
		if out, err = updated(out, patch, manager); err != nil {
			return nil, err
		}
	}
	s.version++
	out.SetResourceVersion(fmt.Sprint(s.version))
	s.objects[path] = out
	return out, nil
}

func merged(have map[string]string, patch *unstructured.Unstructured, part string) map[string]string {
	said, _, _ := unstructured.NestedMap(patch.Object, "metadata", part)
	for key, value := range said {
		if text, ok := value.(string); ok {
			if have == nil {
				have = map[string]string{}
			}
			have[key] = text
		} else {
			delete(have, key)
		}
	}
	return have
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func answerError(w http.ResponseWriter, err error) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		status = apierrors.NewInternalError(err)
	}
	st := status.Status()
	st.Kind, st.APIVersion = "Status", "v1"
	answer(w, int(st.Code), st)
}

// path is where an object is.
func path(ref Ref) string {
	prefix := "/apis/" + ref.Group + "/" + ref.Version
	if ref.Group == "" {
		prefix = "/api/" + ref.Version
	}
	if clusterWide(ref.Kind) {
		return prefix + "/" + plural(ref.Kind) + "/" + ref.Name
	}
	return prefix + "/namespaces/" + testNamespace + "/" + plural(ref.Kind) + "/" + ref.Name
}

func (s *server) live(ref Ref) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[path(ref)]
}

// seen gives the requests since the last call.
func (s *server) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

func count(requests []string, prefix, suffix string) int {
	n := 0
	for _, r := range requests {
		if strings.HasPrefix(r, prefix) && strings.HasSuffix(r, suffix) {
			n++
		}
	}
	return n
}

// applier never really sleeps between retries.
func (s *server) applier(opts Options) *Applier {
	opts.Namespace = testNamespace
	a := New(s, opts)
	a.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return a
}
