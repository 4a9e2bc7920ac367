package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// judge prints the findings that count.
func judge(out io.Writer, list []variant, found report) error {
	serious, known := ofWeight(found.Failed)
	if !known {
		return fmt.Errorf("the scanner does not find %s in %s: its checks did not run", writableCheck, writableFile)
	}
	for _, v := range list {
		if found.Checked[v.name+".yaml"] == 0 {
			return fmt.Errorf("the scanner did not check the variant %s", v.name)
		}
	}
	if len(serious) == 0 {
		return nil
	}
	for _, what := range slices.Sorted(maps.Keys(serious)) {
		if err := tell(out, list, what, serious[what]); err != nil {
			return err
		}
	}
	return errFound
}

// ofWeight gives the findings of HIGH and above by what they say, and whether the
// one that must be found is among them.
func ofWeight(all []failure) (serious map[string][]failure, known bool) {
	serious = map[string][]failure{}
	for _, f := range all {
		switch {
		case f.Severity != "HIGH" && f.Severity != "CRITICAL":
		case f.File == writableFile:
			known = known || f.Check == writableCheck
		default:
			what := f.Severity + " " + f.Check + ": " + f.Message
			serious[what] = append(serious[what], f)
		}
	}
	return serious, known
}

// tell prints a finding once, with the variants that have it and a command that
// shows the first of them.
func tell(out io.Writer, list []variant, what string, places []failure) error {
	var names []string
	var example string
	for _, v := range list {
		i := slices.IndexFunc(places, func(f failure) bool { return f.File == v.name+".yaml" })
		if i < 0 {
			continue
		}
		if names = append(names, v.name); len(names) == 1 {
			example = fmt.Sprintf("line %d of: oc ostoy-s3 %s", places[i].Line, strings.Join(v.args, " "))
		}
	}
	_, err := fmt.Fprintf(out, "%s\n  variants: %s\n  %s\n", what, strings.Join(names, ", "), example)
	return err
}
