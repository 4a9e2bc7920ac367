package apply

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// secretValue stands in for every value of a Secret.
const secretValue = "(secret)"

// compare says what an apply did, or would do, to an object: the fields that
// change, and if none does, those that only change hands. Only fields that we
// state now or stated before count: what controllers did between the two
// readings is not ours to report.
func compare(before, after *unstructured.Unstructured) (changes []FieldChange, owned []string) {
	was, is := ourSet(before), ourSet(after)
	setters := owners(before)
	for _, d := range diff(before.Object, after.Object) {
		if !covers(was, d.path) && !covers(is, d.path) {
			continue
		}
		c := FieldChange{
			Path: pathString(d.path), Before: d.before, After: d.after,
			Manager: lastSetBy(setters, d.path),
		}
		changes = append(changes, redact(before.GetKind(), d.path, c))
	}
	if len(changes) > 0 || was.Equals(is) {
		return changes, nil
	}
	owned = append(setPaths(is.Difference(was)), setPaths(was.Difference(is))...)
	if len(owned) == 0 { // the sets differ in inner nodes only
		owned = []string{"metadata"}
	}
	return nil, owned
}

// redact takes the values out of a change of a Secret. kubectl's annotation
// repeats the data, so it is taken out, too.
func redact(kind string, path []step, c FieldChange) FieldChange {
	if kind != "Secret" {
		return c
	}
	switch path[0].field {
	case "data", "stringData":
	case "metadata":
		if len(path) < 2 || path[1].field != "annotations" {
			return c
		}
	default:
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
