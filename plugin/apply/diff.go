package apply

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
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
	switch path[0].field {
	case "status", "apiVersion", "kind":
		return true
	case "metadata":
		if len(path) < 2 {
			return false
		}
		switch path[1].field {
		case "managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink":
			return true
		}
	}
	return false
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
	keys := slices.Sorted(maps.Keys(before))
	for k := range after {
		if _, ok := before[k]; !ok {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
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
		k := label(e.(map[string]any)[key])
		diffValues(e, now[k], append(path, step{element: true, index: i, label: k, value: e}), out)
	}
	for i, e := range after {
		k := label(e.(map[string]any)[key])
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
		k := label(m[key])
		if seen[k] {
			return false
		}
		seen[k] = true
	}
	return true
}

func keyed(list []any, key string) map[string]any {
	out := map[string]any{}
	for _, e := range list {
		out[label(e.(map[string]any)[key])] = e
	}
	return out
}

// sameOrder reports whether the elements that both lists have stand in the
// same order: in some lists (containers, env) order has a meaning.
func sameOrder(before, after []any, key string, old, now map[string]any) bool {
	shared := func(list []any, other map[string]any) []string {
		var ks []string
		for _, e := range list {
			if k := label(e.(map[string]any)[key]); other[k] != nil {
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
