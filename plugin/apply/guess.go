package apply

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// imagine is what an apply would make of an object, worked out here and not by
// the server: what we state takes the place of what is there, all else stays. It
// cannot know what admission or another manager would have to say.
func imagine(live, want *unstructured.Unstructured) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: overlay(live.Object, want.Object).(map[string]any)}
}

// guess says what an apply would change that makes of an object what imagine says.
func guess(live, would *unstructured.Unstructured) []FieldChange {
	setters := owners(live)
	var changes []FieldChange
	for _, d := range diff(live.Object, would.Object) {
		c := FieldChange{
			Path: pathString(d.path), Before: d.before, After: d.after,
			Manager: lastSetBy(setters, d.path),
		}
		changes = append(changes, redact(live.GetKind(), d.path, c))
	}
	return changes
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
		for k, e := range ordered(live, key) {
			out = append(out, overlay(e, orElse(now[k], e)))
		}
		for k, e := range ordered(want, key) {
			if _, ok := old[k]; !ok {
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

// ordered yields the elements with their keys, in the order of the list.
func ordered(list []any, key string) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		for _, e := range list {
			if !yield(label(e.(map[string]any)[key]), e) {
				return
			}
		}
	}
}

func orElse(value, other any) any {
	if value == nil {
		return other
	}
	return value
}
