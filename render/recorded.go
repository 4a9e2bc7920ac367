package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// recordMark is what a property of the chart's schema has whose values an install keeps in
// its record, so that the next one uses them again.
const recordMark = "x-recorded"

// Limits of a record: far more than anybody gives, and few enough to be checked one by one.
const (
	maxRecord = 64 << 10
	maxLeaves = 200
)

// Recorded are the chart values of an earlier install, as its record has them. Everybody
// who can edit the project can write the record: only what the chart records is read from
// it, and of that only what the schema allows.
type Recorded struct {
	// Known says that there is a record of values, which may be an empty one.
	Known   bool
	Values  map[string]any
	Dropped []string // what is not used, as clauses
}

// leaf is a value that is no table, and where it is.
type leaf struct {
	path  []string
	value any
}

func (l leaf) name() string { return strings.Join(l.path, ".") }

// String is the value as one would write it behind --set.
func (l leaf) String() string {
	if text, is := l.value.(string); is {
		return l.name() + "=" + text
	}
	text, err := json.Marshal(l.value)
	if err != nil {
		return l.name()
	}
	return l.name() + "=" + string(text)
}

// table is the leaf with the tables that it is in.
func (l leaf) table() map[string]any {
	value := l.value
	for _, key := range slices.Backward(l.path) {
		value = map[string]any{key: value}
	}
	table, _ := value.(map[string]any)
	return table
}

// in reports whether a table says something of the leaf, or of the table that it is in.
func (l leaf) in(table map[string]any) bool {
	for _, key := range l.path {
		value, set := table[key]
		inner, is := value.(map[string]any)
		if !set || !is {
			return set
		}
		table = inner
	}
	return true
}

// leavesOf are the leaves of a table, in the order of their names.
func leavesOf(table map[string]any, at ...string) []leaf {
	var all []leaf
	for _, key := range slices.Sorted(maps.Keys(table)) {
		path := append(slices.Clone(at), key)
		if inner, is := table[key].(map[string]any); is && len(inner) > 0 {
			all = append(all, leavesOf(inner, path...)...)
			continue
		}
		all = append(all, leaf{path, table[key]})
	}
	return all
}

// recordable are the keys on the first level that the chart's schema marks.
func (h helmChart) recordable() ([]string, error) {
	var schema struct {
		Properties map[string]map[string]any `json:"properties"`
	}
	if err := json.Unmarshal(h.chart.Schema, &schema); err != nil {
		return nil, fmt.Errorf("read the chart's schema: %w", err)
	}
	var keys []string
	for key, property := range schema.Properties {
		if property[recordMark] == true {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

// Record is the text that an install keeps of its values: those that were given, or used
// again, and that the chart records.
func (r *Renderer) Record(o Options) (string, error) {
	values, err := userValues(o)
	if err != nil {
		return "", err
	}
	keys, err := r.chart.recordable()
	if err != nil {
		return "", err
	}
	maps.DeleteFunc(values, func(key string, _ any) bool { return !slices.Contains(keys, key) })
	text, err := json.Marshal(values)
	return string(text), err
}

// Recall reads what Record has written, for a cluster of these facts.
func (r *Renderer) Recall(text string, f Facts) Recorded {
	if text == "" {
		return Recorded{}
	}
	var values map[string]any
	if len(text) > maxRecord {
		return Recorded{Dropped: []string{fmt.Sprintf("the values are not used: they have more than %d KB", maxRecord>>10)}}
	}
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		return Recorded{Dropped: []string{"the values are not used: they cannot be read"}}
	}
	keys, err := r.chart.recordable()
	if err != nil {
		return Recorded{Dropped: []string{err.Error()}}
	}
	recorded := Recorded{Known: true, Values: map[string]any{}}
	unknown := 0
	for n, one := range leavesOf(values) {
		switch {
		case !slices.Contains(keys, one.path[0]), n >= maxLeaves:
			unknown++
		case !r.legal(one, f):
			recorded.Dropped = append(recorded.Dropped, r.known(one)+" is not used: the chart does not allow this value")
		default:
			recorded.Values = over(recorded.Values, one.table())
		}
	}
	if unknown > 0 {
		recorded.Dropped = append(recorded.Dropped, fmt.Sprintf("%d of the values are not used: install does not record them", unknown))
	}
	return recorded
}

// legal reports whether the chart takes a value beside its defaults.
func (r *Renderer) legal(one leaf, f Facts) bool {
	values, err := r.chart.defaults(over(one.table(), factValues(f, "")))
	return err == nil && r.chart.schema.Validate(values) == nil && resolveExpose(values, f) == nil
}

// known is the name of a value as far as the chart has it: the rest of it can be anything.
func (r *Renderer) known(one leaf) string {
	known, table := []string{}, r.chart.chart.Values
	for _, key := range one.path {
		value, is := table[key]
		if !is {
			break
		}
		known = append(known, key)
		table, _ = value.(map[string]any)
	}
	return strings.Join(known, ".")
}

// FromRecord are the values of the record that nothing given now takes the place of, each
// as one would write it behind --set.
func FromRecord(o Options) ([]string, error) {
	recorded := o.Recorded
	o.Recorded = nil
	given, err := userValues(o)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, one := range leavesOf(recorded) {
		if !one.in(given) {
			lines = append(lines, one.String())
		}
	}
	return lines, nil
}

// Gives reports whether the values that are given say something of the one with this
// name.
func Gives(o Options, name string) bool {
	given, err := userValues(o)
	return err != nil || leaf{path: strings.Split(name, ".")}.in(given)
}

// over puts one table on top of another, as Helm merges the values that a user gives: a
// null stays, and takes a default away later.
func over(base, top map[string]any) map[string]any {
	merged := map[string]any{}
	maps.Copy(merged, base)
	for key, value := range top {
		inner, table := value.(map[string]any)
		below, both := merged[key].(map[string]any)
		if table && both {
			value = over(below, inner)
		}
		merged[key] = value
	}
	return merged
}
