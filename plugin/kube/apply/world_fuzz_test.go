package apply

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// whose is who has written an object of the world.
type whose byte

const (
	nobodys   whose = iota // it is not there
	ourOwn                 // applied by us
	theirs                 // made by somebody else, with all our labels
	namesake               // updated, not applied, by somebody of our name
	ourStatus              // we wrote a subresource only
	delivered              // applied by us and by Argo CD
	owners6                // how many there are
)

func (w whose) ours() bool { return w == ourOwn || w == delivered }

// fields are the managedFields by which the API server knows an owner.
func (w whose) fields() []any {
	entry := func(manager, operation, subresource string) any {
		return map[string]any{
			"manager": manager, "operation": operation, "subresource": subresource, "apiVersion": "v1",
			"fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:data": map[string]any{}},
		}
	}
	switch w {
	case ourOwn:
		return []any{entry(Manager, "Apply", ""), entry("kubectl-edit", "Update", "")}
	case theirs:
		return []any{entry("kubectl-create", "Update", "")}
	case namesake:
		return []any{entry(Manager, "Update", "")}
	case ourStatus:
		return []any{entry(Manager, "Apply", "status")}
	}
	return []any{entry(Manager, "Apply", ""), entry("argocd-controller", "Apply", "")}
}

// smallWorld is a server with two objects of each kind the chart has in our
// namespace, and the same, all ours by their looks, in another one and outside
// of any.
type smallWorld struct {
	*server
	owner map[string]whose // by path, of what is in our namespace
	mu    sync.Mutex
	asked []string // paths
}

func newSmallWorld(t *testing.T, owners []byte) *smallWorld {
	w := &smallWorld{server: newServer(t), owner: map[string]whose{}}
	w.hook = func(_ http.ResponseWriter, r *http.Request) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.asked = append(w.asked, r.URL.Path)
		return false
	}
	n := 0
	for _, gvk := range App().Kinds {
		for _, name := range []string{"a", "b"} {
			who := ourOwn
			if n < len(owners) {
				who = whose(owners[n]) % owners6
			}
			n++
			ref := Ref{Group: gvk.Group, Version: gvk.Version, Kind: gvk.Kind, Name: name}
			w.place(path(ref), ref, who)
			far := strings.Replace(path(ref), "/namespaces/"+testNamespace+"/", "/namespaces/other/", 1)
			w.place(far, ref, ourOwn)
		}
	}
	for _, key := range []string{"/api/v1/nodes/a", "/api/v1/namespaces/demo", "/apis/rbac.authorization.k8s.io/v1/clusterroles/a"} {
		w.place(key, Ref{Version: "v1", Kind: "Node", Name: "a"}, ourOwn)
	}
	return w
}

func (w *smallWorld) place(key string, ref Ref, who whose) {
	if strings.Contains(key, "/namespaces/"+testNamespace+"/") {
		w.owner[key] = who
	}
	if who == nobodys {
		return
	}
	w.version++
	w.objects[key] = &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": ref.GVK().GroupVersion().String(), "kind": ref.Kind,
		"metadata": map[string]any{
			"name": ref.Name, "namespace": testNamespace, "uid": "uid of " + key, "resourceVersion": fmt.Sprint(w.version),
			"labels":        map[string]any{render.TagManagedBy: Manager, "app.kubernetes.io/part-of": "ostoy", "app.kubernetes.io/instance": testNamespace},
			"managedFields": who.fields(),
		},
	}}
}

// record puts the inventory there, as somebody may have left it.
func (w *smallWorld) record(who whose, data map[string]any) {
	w.place(path(App().inventoryRef()), App().inventoryRef(), who)
	if who != nobodys {
		w.objects[path(App().inventoryRef())].Object["data"] = data
	}
}

// now is a copy of everything.
func (w *smallWorld) now() map[string]*unstructured.Unstructured {
	w.server.mu.Lock()
	defer w.server.mu.Unlock()
	all := map[string]*unstructured.Unstructured{}
	for key, object := range w.objects {
		all[key] = object.DeepCopy()
	}
	return all
}

// gone are the paths of what was deleted; whatever else was touched is an error,
// but for the inventory, if it may be written.
func (w *smallWorld) gone(t *testing.T, before map[string]*unstructured.Unstructured, mayRecord bool) []string {
	t.Helper()
	after := w.now()
	var gone []string
	for key, was := range before {
		is, there := after[key]
		switch {
		case !there:
			gone = append(gone, key)
		case !reflect.DeepEqual(was.Object, is.Object) && (!mayRecord || key != path(App().inventoryRef())):
			t.Errorf("%s was changed", key)
		}
	}
	for key := range after {
		if before[key] == nil && (!mayRecord || key != path(App().inventoryRef())) {
			t.Errorf("%s was made", key)
		}
	}
	w.checkAsked(t)
	return gone
}

// checkAsked wants every request to stay in the one namespace and with the kinds
// of the chart.
func (w *smallWorld) checkAsked(t *testing.T) {
	t.Helper()
	var plurals []string
	for _, gvk := range App().Kinds {
		plurals = append(plurals, plural(gvk.Kind))
	}
	within := regexp.MustCompile(`^/apis?/[a-z0-9./]+/namespaces/` + testNamespace + `/(` + strings.Join(plurals, "|") + `)(/[^/%]+)?$`)
	for _, path := range w.asked {
		if !within.MatchString(path) {
			t.Errorf("asked for %q", path)
		}
	}
}

func addInventories(f *testing.F) {
	all := []string{}
	for _, gvk := range App().Kinds {
		all = append(all, gvk.GroupVersion().String()+" "+gvk.Kind+" a", gvk.GroupVersion().String()+" "+gvk.Kind+" b")
	}
	mixed := make([]byte, len(all)+1)
	for n := range mixed {
		mixed[n] = byte(n % int(owners6))
	}
	f.Add("", []byte{}, false)
	f.Add(strings.Join(all, "\n"), mixed, false)
	f.Add(strings.Join(all, "\n"), mixed, true)
	f.Add(strings.Join(all, "\r\n"), slices.Repeat([]byte{byte(theirs)}, len(all)+1), true)
	f.Add("v1 Secret ../../other/secrets/a\nv1 Secret other/a\nv1 Node a\nv1 Namespace demo\nv2 Secret b\n/ Secret a", []byte{1, 2, 3, 4, 5}, false)
	f.Add("v1 Secret %2e%2e\nv1 Secret a?x=y\nv1 Secret a#b\nrbac.authorization.k8s.io/v1 ClusterRole a", []byte{2, 1, 2, 1, 2, 1}, true)
	f.Add(strings.Repeat("v1 Secret a\n", 50)+"v1 secret b\nV1 Secret b\nv1  Secret\tb", []byte{0, 0, 0, 0, 1, 1}, false)
}

// FuzzRemoval: whatever is in the inventory and whoever made what, uninstall
// deletes what is ours in our namespace, all of it, and touches nothing else.
func FuzzRemoval(f *testing.F) {
	addInventories(f)
	f.Fuzz(func(t *testing.T, objects string, owners []byte, force bool) {
		w := newSmallWorld(t, owners)
		w.record(whose(len(owners))%owners6, map[string]any{"objects": objects, "bucket": objects, "roleARN": objects, "bucketOrigin": objects, "junk": objects})
		before := w.now()
		a := w.applier(Options{ForceOwner: force, ForceConflicts: force})
		inv, err := a.ReadInventory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.PlanRemoval(t.Context(), inv)
		if err != nil {
			wantRefusal(t, err)
			if slices.Contains(slices.Collect(maps.Values(w.owner)), delivered) == force || len(w.gone(t, before, false)) > 0 {
				t.Errorf("refused: %v", err)
			}
			return
		}
		items := slices.Concat(r.Objects, r.Volumes)
		if r.Bucket != nil {
			items = append(items, r.Bucket)
		}
		if err := a.Remove(t.Context(), items, nil); err != nil {
			t.Fatal(err)
		}
		if err := a.RemoveInventory(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		gone := w.gone(t, before, false)
		for key, who := range w.owner {
			// The chart has one Bucket: of several that are ours, one is taken.
			if was, is := slices.Contains(gone, key), who.ours(); was != is && !(is && strings.Contains(key, "/buckets/")) {
				t.Errorf("%s of %d: gone %t", key, who, was)
			}
		}
		for _, key := range gone {
			if !w.owner[key].ours() {
				t.Errorf("%s is gone", key)
			}
		}
	})
}

// FuzzPrune: whatever is in the inventory and whoever made what, an install that
// leaves everything out deletes only what is on record, ours and no data.
func FuzzPrune(f *testing.F) {
	addInventories(f)
	f.Fuzz(func(t *testing.T, objects string, owners []byte, force bool) {
		w := newSmallWorld(t, owners)
		w.record(whose(len(owners))%owners6, map[string]any{"objects": objects, "namespaceOrigin": objects})
		before := w.now()
		a := w.applier(Options{ForceOwner: force, ForceConflicts: force})
		old, err := a.ReadInventory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p, err := a.Plan(t.Context(), nil, old, Record{})
		if err != nil {
			wantRefusal(t, err)
			if len(w.gone(t, before, false)) > 0 {
				t.Error("refused, and something is gone")
			}
			return
		}
		if err := p.WriteInventory(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if err := p.Prune(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for _, key := range w.gone(t, before, true) {
			if !w.owner[key].ours() || strings.Contains(key, "/buckets/") || strings.Contains(key, "/persistentvolumeclaims/") ||
				!force && w.owner[key] == delivered || !strings.Contains(objects, key[strings.LastIndex(key, "/")+1:]) || key == path(App().inventoryRef()) {
				t.Errorf("%s is gone", key)
			}
		}
	})
}

// wantRefusal wants an error to be one in three parts.
func wantRefusal(t *testing.T, err error) {
	t.Helper()
	var several *problem.Several
	if errors.As(err, &several) {
		for _, one := range several.Problems {
			wantRefusal(t, one)
		}
		return
	}
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Refused || told.What == "" || told.Why == "" || told.Next == "" {
		t.Fatalf("not refused in three parts: %#v", err)
	}
}
