package differ

import (
	"maps"
	"reflect"
	"slices"
)

// What stands for a value of a Secret, as with kubectl diff: the same for values
// that are equal, two texts for those that are not.
const (
	masked       = "***"
	maskedBefore = "*** (before)"
	maskedAfter  = "*** (after)"
)

// mask hides what a Secret holds, on both sides: its data, and its annotations,
// because those of `kubectl apply` repeat the data. Whether a value changes is
// still to be seen; not even its length is.
func mask(before, after map[string]any) {
	kind := before["kind"]
	if kind == nil {
		kind = after["kind"]
	}
	if kind != "Secret" {
		return
	}
	for _, field := range []string{"data", "stringData"} {
		hide(before, after, field)
	}
	was, _ := before["metadata"].(map[string]any)
	is, _ := after["metadata"].(map[string]any)
	hide(was, is, "annotations")
}

// hide replaces each value below a field. What is no map of values is hidden as
// a whole.
func hide(before, after map[string]any, field string) {
	was, wasMap := before[field].(map[string]any)
	is, isMap := after[field].(map[string]any)
	if before[field] != nil && !wasMap || after[field] != nil && !isMap {
		veil(before, after, field)
		return
	}
	keys := slices.Collect(maps.Keys(was))
	for _, key := range slices.Concat(keys, slices.Collect(maps.Keys(is))) {
		veil(was, is, key)
	}
}

// veil replaces the value of one key on the sides that have it. Doing so twice
// changes nothing: what stands there differs as the values did.
func veil(before, after map[string]any, key string) {
	was, wasThere := before[key]
	is, isThere := after[key]
	old, now := masked, masked
	if wasThere && isThere && !reflect.DeepEqual(was, is) {
		old, now = maskedBefore, maskedAfter
	}
	if wasThere {
		before[key] = old
	}
	if isThere {
		after[key] = now
	}
}
