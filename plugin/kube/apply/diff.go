package apply

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// delta is one difference between two decoded objects. Both paths lead to the
// same place; they differ in the list elements they pass.
type delta struct {
	path          []step
	before, after any // nil: absent
}

// diff lists the differences of two objects, in the order of their paths,
// leaving out what the API server and controllers keep for themselves.
func diff(before, after map[string]any) []delta {
	var out []delta
	diffMaps(before, after, nil, &out)
	return slices.DeleteFunc(out, func(d delta) bool { return bookkeeping(d.path) })
}

func bookkeeping(path []step) bool {
	if path[0].field == "metadata" && len(path) > 1 {
		return slices.Contains([]string{"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"}, path[1].field)
	}
	return slices.Contains([]string{"status", "apiVersion", "kind"}, path[0].field)
}

func diffValues(before, after any, path []step, out *[]delta) {
	if same(before, after) {
		return
	}
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			diffMaps(b, a, path, out)
			return
		}
	case []any:
		if a, ok := after.([]any); ok && diffLists(b, a, path, out) {
			return
		}
	}
	*out = append(*out, delta{slices.Clone(path), before, after})
}

// same compares deeply, taking 1 and 1.0 for the same number.
func same(a, b any) bool { return reflect.DeepEqual(a, b) || sameScalar(a, b) }

func diffMaps(before, after map[string]any, path []step, out *[]delta) {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(after))
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		diffValues(before[k], after[k], append(path, step{field: k}), out)
	}
}

// diffLists compares element by element: by a key where the elements have
// one, else by position in lists of one length. It reports false where
// neither fits and the list is best shown whole.
func diffLists(before, after []any, path []step, out *[]delta) bool {
	key := listKey(before, after)
	if key == "" {
		if len(before) != len(after) || !allMaps(before) || !allMaps(after) {
			return false
		}
		for i := range before {
			s := step{element: true, index: i, label: strconv.Itoa(i), value: after[i]}
			diffValues(before[i], after[i], append(path, s), out)
		}
		return true
	}
	old, now := keyed(before, key), keyed(after, key)
	if !sameOrder(before, after, key, old, now) {
		return false
	}
	for i, e := range before {
		k := keyOf(e, key)
		diffValues(e, now[k], append(path, step{element: true, index: i, label: k, value: e}), out)
	}
	for i, e := range after {
		k := keyOf(e, key)
		if _, ok := old[k]; !ok {
			diffValues(nil, e, append(path, step{element: true, index: i, label: k, value: e}), out)
		}
	}
	return true
}

// listKey is the field that tells the elements of both lists apart, of those
// that Kubernetes and ACK use so.
func listKey(lists ...[]any) string {
	for _, key := range []string{"name", "key", "mountPath", "containerPort", "port", "type", "ip"} {
		if !slices.ContainsFunc(lists, func(l []any) bool { return !distinct(l, key) }) {
			return key
		}
	}
	return ""
}

func distinct(list []any, key string) bool {
	seen := map[string]bool{}
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok || m[key] == nil {
			return false
		}
		k := fmt.Sprint(m[key])
		if seen[k] {
			return false
		}
		seen[k] = true
	}
	return true
}

// keyOf is what tells an element of a list apart.
func keyOf(element any, key string) string { return fmt.Sprint(element.(map[string]any)[key]) }

func keyed(list []any, key string) map[string]any {
	out := map[string]any{}
	for _, e := range list {
		out[keyOf(e, key)] = e
	}
	return out
}

// sameOrder reports whether the elements that both lists have stand in the
// same order: in some lists (containers, env) order has a meaning.
func sameOrder(before, after []any, key string, old, now map[string]any) bool {
	shared := func(list []any, other map[string]any) []string {
		var ks []string
		for _, e := range list {
			if k := keyOf(e, key); other[k] != nil {
				ks = append(ks, k)
			}
		}
		return ks
	}
	return slices.Equal(shared(before, now), shared(after, old))
}

func allMaps(list []any) bool {
	return !slices.ContainsFunc(list, func(e any) bool { _, ok := e.(map[string]any); return !ok })
}

// secretValue stands in for every value of a Secret.
const secretValue = "(secret)"

// compare says what an apply did, or would do, to an object: the fields that
// change, and if none does, those that only change hands. Only fields that we
// state now or stated before count: what controllers did between the two
// readings is not ours to report.
func compare(before, after *unstructured.Unstructured) (changes []FieldChange, owned []string) {
	was, is := ourSet(before), ourSet(after)
	changes = changed(before, after, func(path []step) bool { return covers(was, path) || covers(is, path) })
	if len(changes) > 0 || was.Equals(is) {
		return changes, nil
	}
	owned = append(setPaths(is.Difference(was)), setPaths(was.Difference(is))...)
	if len(owned) == 0 { // the sets differ in inner nodes only
		owned = []string{"metadata"}
	}
	return nil, owned
}

// changed are the differences of two states of an object, of the fields that count.
func changed(before, after *unstructured.Unstructured, counts func([]step) bool) (changes []FieldChange) {
	setters := owners(before)
	for _, d := range diff(before.Object, after.Object) {
		if counts(d.path) {
			c := FieldChange{Path: pathString(d.path), Before: d.before, After: d.after, Manager: lastSetBy(setters, d.path)}
			changes = append(changes, redact(before.GetKind(), d.path, c))
		}
	}
	return changes
}

// redact takes the values out of a change of a Secret. kubectl's annotation
// repeats the data, so it is taken out, too.
func redact(kind string, path []step, c FieldChange) FieldChange {
	part := path[0].field
	noted := part == "metadata" && len(path) > 1 && path[1].field == "annotations"
	if kind != "Secret" || part != "data" && part != "stringData" && !noted {
		return c
	}
	if c.Before != nil {
		c.Before = secretValue
	}
	if c.After != nil {
		c.After = secretValue
	}
	return c
}

// imagine is what an apply would make of an object, worked out here and not by
// the server: what we state takes the place of what is there, all else stays. It
// cannot know what admission or another manager would have to say.
func imagine(live, want *unstructured.Unstructured) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: overlay(live.Object, want.Object).(map[string]any)}
}

// overlay lays want over live, which it leaves as it is.
func overlay(live, want any) any {
	switch w := want.(type) {
	case map[string]any:
		if l, ok := live.(map[string]any); ok {
			out := maps.Clone(l)
			for k, v := range w {
				out[k] = overlay(l[k], v)
			}
			return out
		}
	case []any:
		if l, ok := live.([]any); ok {
			return overlayList(l, w)
		}
	}
	return want
}

// overlayList joins elements as diffLists tells them apart: by a key where
// they have one, else by position in lists of one length.
func overlayList(live, want []any) []any {
	key := listKey(live, want)
	out := make([]any, 0, len(want))
	switch {
	case key != "":
		old, now := keyed(live, key), keyed(want, key)
		for _, e := range live {
			if wanted := now[keyOf(e, key)]; wanted != nil {
				e = overlay(e, wanted)
			}
			out = append(out, e)
		}
		for _, e := range want {
			if old[keyOf(e, key)] == nil {
				out = append(out, e)
			}
		}
	case len(live) == len(want):
		for i := range want {
			out = append(out, overlay(live[i], want[i]))
		}
	default:
		return want
	}
	return out
}
