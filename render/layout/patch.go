package layout

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// step is one operation of a JSON patch (RFC 6902). Its value may be null, which
// is not the same as none.
type step map[string]any

func put(op, at string, value any) step { return step{"op": op, "path": at, "value": value} }

// difference gives the steps that make b of a, both as JSON decodes values. It
// goes into maps, and into lists of one length; of all else it takes b's.
func difference(at string, a, b any) []step {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	from, isMap := a.(map[string]any)
	to, areMaps := b.(map[string]any)
	if isMap && areMaps {
		return mapDifference(at, from, to)
	}
	list, isList := a.([]any)
	other, areLists := b.([]any)
	if !isList || !areLists || len(list) != len(other) {
		return []step{put("replace", at, b)}
	}
	var steps []step
	for i := range list {
		steps = append(steps, difference(at+"/"+strconv.Itoa(i), list[i], other[i])...)
	}
	return steps
}

func mapDifference(at string, a, b map[string]any) []step {
	all := maps.Clone(a)
	maps.Copy(all, b)
	var steps []step
	for _, name := range slices.Sorted(maps.Keys(all)) {
		// As RFC 6901 writes a name in a path.
		here := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		before, had := a[name]
		after, has := b[name]
		switch {
		case !has:
			steps = append(steps, step{"op": "remove", "path": here})
		case !had:
			steps = append(steps, put("add", here, after))
		default:
			steps = append(steps, difference(here, before, after)...)
		}
	}
	return steps
}
