package apply

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

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
		if !ok {
			return false
		}
		for _, f := range *pe.Key {
			if !sameScalar(f.Value.Unstructured(), m[f.Name]) {
				return false
			}
		}
		return true
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
	case int:
		return float64(n), true
	case json.Number:
		f, err := strconv.ParseFloat(n.String(), 64)
		return f, err == nil
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

// label is how an element of a list is shown.
func label(v any) string { return fmt.Sprint(v) }
