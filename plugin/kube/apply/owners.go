package apply

import (
	"bytes"
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// owner is one entry of managedFields.
type owner struct {
	manager     string
	applied     bool // operation Apply, as opposed to Update
	subresource string
	when        time.Time
	set         *fieldpath.Set
}

// owners reads managedFields. An entry whose fields cannot be read owns
// nothing, but its name still counts.
func owners(obj *unstructured.Unstructured) []owner {
	var out []owner
	for _, e := range obj.GetManagedFields() {
		o := owner{manager: e.Manager, subresource: e.Subresource, set: fieldpath.NewSet()}
		o.applied = e.Operation == metav1.ManagedFieldsOperationApply
		if e.Time != nil {
			o.when = e.Time.Time
		}
		if e.FieldsV1 != nil {
			set := fieldpath.NewSet()
			if set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())) == nil {
				o.set = set
			}
		}
		out = append(out, o)
	}
	return out
}

func (o owner) isUs() bool { return o.manager == Manager && o.applied && o.subresource == "" }

// Ours reports whether an object is ours: its managedFields name our field
// manager with operation Apply. Labels do not count, anybody copies those.
func Ours(obj *unstructured.Unstructured) bool { return slices.ContainsFunc(owners(obj), owner.isUs) }

// ourSet are the fields we own.
func ourSet(obj *unstructured.Unstructured) *fieldpath.Set {
	set := fieldpath.NewSet()
	for _, o := range owners(obj) {
		if o.isUs() {
			set = set.Union(o.set)
		}
	}
	return set
}

// managerNames are those who own anything but status, without repetition.
func managerNames(obj *unstructured.Unstructured) []string {
	return managersWho(obj, func(o owner) bool { return o.manager != Releaser })
}

// managersWho are the managers of the entries that are not about a subresource and of
// which something is so, each once.
func managersWho(obj *unstructured.Unstructured, is func(owner) bool) []string {
	var names []string
	for _, o := range owners(obj) {
		if o.subresource == "" && is(o) && !slices.Contains(names, o.manager) {
			names = append(names, o.manager)
		}
	}
	return names
}

// managers are the same in words.
func managers(obj *unstructured.Unstructured) string {
	return cmp.Or(plain.Line(strings.Join(managerNames(obj), ", ")), "nobody on record")
}

// lastSetBy names who last set a field: the latest of the others who own it.
// Empty if none does.
func lastSetBy(list []owner, path []step) string {
	var last owner
	for _, o := range list {
		if !o.isUs() && o.manager != Releaser && covers(o.set, path) && (last.manager == "" || o.when.After(last.when)) {
			last = o
		}
	}
	return last.manager
}

// ByPerson reports whether a field manager is the tool of somebody at a terminal
// or in the web console: kubectl and oc name themselves by their subcommands
// ("kubectl-client-side-apply", "kubectl-patch"), an applier "kubectl"; a browser
// is named by the first word of its user agent.
func ByPerson(manager string) bool {
	return manager == "kubectl" || manager == "oc" || manager == "Mozilla" ||
		strings.HasPrefix(manager, "kubectl-") || strings.HasPrefix(manager, "oc-")
}

// Setters are the managers of an object that have set a field, or something below
// it, but through a subresource: "spec", "selector".
func Setters(obj *unstructured.Unstructured, place ...string) []string {
	return managersWho(obj, func(o owner) bool { return o.below(place) })
}

// below reports whether an owner has a field at a place, or below it.
func (o owner) below(place []string) (found bool) {
	o.set.Iterate(func(p fieldpath.Path) {
		if len(p) < len(place) {
			return
		}
		for n, name := range place {
			if p[n].FieldName == nil || *p[n].FieldName != name {
				return
			}
		}
		found = true
	})
	return found
}

// step is one step into a decoded object: a field of a map, or an element of
// a list. An element keeps its value, because managedFields name elements by
// their content.
type step struct {
	field   string
	element bool
	index   int
	label   string // how an element is shown
	value   any
}

// pathString writes a path as its reader would: a.b, a[name].b, and
// metadata.annotations[services.k8s.aws/region] where a dot would mislead.
func pathString(path []step) string {
	var b strings.Builder
	for _, s := range path {
		switch {
		case s.element:
			b.WriteString("[" + s.label + "]")
		case strings.ContainsAny(s.field, "./ "):
			b.WriteString("[" + s.field + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.field)
		}
	}
	return b.String()
}

// covers reports whether a field set has a path, something below it, or a
// value above it that is owned as a whole.
func covers(set *fieldpath.Set, path []step) bool {
	if len(path) == 0 {
		return true
	}
	for _, pe := range elements(set, path[0]) {
		child, hasChild := set.Children.Get(pe)
		if len(path) == 1 || !hasChild {
			return true
		}
		if covers(child, path[1:]) {
			return true
		}
	}
	return false
}

// elements are the members and children of a set that a step leads to.
func elements(set *fieldpath.Set, s step) []fieldpath.PathElement {
	var out []fieldpath.PathElement
	add := func(pe fieldpath.PathElement) {
		if s.matches(pe) {
			out = append(out, pe)
		}
	}
	set.Members.Iterate(add)
	set.Children.Iterate(add)
	return out
}

func (s step) matches(pe fieldpath.PathElement) bool {
	if !s.element {
		return pe.FieldName != nil && *pe.FieldName == s.field
	}
	switch {
	case pe.Index != nil:
		return *pe.Index == s.index
	case pe.Value != nil:
		return sameScalar((*pe.Value).Unstructured(), s.value)
	case pe.Key != nil:
		m, ok := s.value.(map[string]any)
		differs := func(f value.Field) bool { return !sameScalar(f.Value.Unstructured(), m[f.Name]) }
		return ok && !slices.ContainsFunc(*pe.Key, differs)
	}
	return false
}

// sameScalar compares decoded JSON, where one number may be an int64 or a
// float64 according to who decoded it.
func sameScalar(a, b any) bool {
	if reflect.DeepEqual(a, b) {
		return true
	}
	x, okX := number(a)
	y, okY := number(b)
	return okX && okY && x == y
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// setPaths are the members of a set, as a reader would write them.
func setPaths(set *fieldpath.Set) []string {
	var out []string
	set.Leaves().Iterate(func(p fieldpath.Path) {
		out = append(out, strings.TrimPrefix(p.String(), "."))
	})
	return out
}

// Releaser is the manager that an object keeps which nobody else manages. Without any
// entry in managedFields the next server-side apply would make BeforeFirstApply an
// owner of all fields beside the applier.
const Releaser = Manager + "-released"

// releasedEntry owns the map of an object's labels, and none of the labels: a field
// that the next manager applies and later leaves out is deleted.
func releasedEntry(live *unstructured.Unstructured, now metav1.Time) map[string]any {
	fields := map[string]any{"f:metadata": map[string]any{"f:labels": map[string]any{".": map[string]any{}}}}
	return entryOf(live, Releaser, metav1.ManagedFieldsOperationUpdate, fields, now)
}

// withoutUs is the patch that takes our name off an object.
func withoutUs(live *unstructured.Unstructured, now metav1.Time) map[string]any {
	all, _, _ := unstructured.NestedSlice(live.Object, "metadata", "managedFields")
	others := slices.DeleteFunc(all, func(entry any) bool {
		fields, ok := entry.(map[string]any)
		return ok && fields["manager"] == Manager
	})
	if len(others) == 0 {
		others = []any{releasedEntry(live, now)}
	}
	return managing(others)
}

// OtherManagers are those besides us who own anything but status of an object.
func OtherManagers(obj *unstructured.Unstructured) []string {
	return slices.DeleteFunc(managerNames(obj), func(name string) bool { return name == Manager })
}
