// Package differ is the text of a diff: what there is against what would be, as
// unified diff, for objects of a cluster and for any other text. Plugin's diff
// and `install --diff` call it. It is pure: it asks nobody, runs nothing and
// writes nothing, and must never know where its two sides come from.
package differ

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// The two sides, as names of folders and in front of the names in a diff.
const (
	Live   = "live"   // what there is
	Merged = "merged" // what an apply would make of it; kubectl's word
)

// Pair is one thing on both sides. Texts end in a newline; "" is absent.
type Pair struct {
	Name   string // fit for a file: apps.v1.Deployment.demo.ostoy-frontend
	Why    string // said in comments above the diff; "" is nothing
	Before string
	After  string
}

// Differs reports whether the two sides are not the same.
func (p Pair) Differs() bool { return p.Before != p.After }

// Unified is the unified diff of the pairs that differ, in their order, with
// three lines of context; empty if none does. patch(1) and its like read it.
func Unified(pairs []Pair) []byte {
	var out bytes.Buffer
	for _, p := range pairs {
		if p.Why != "" && p.Differs() {
			out.WriteString("# " + strings.ReplaceAll(p.Why, "\n", "\n# ") + "\n")
		}
		out.Write(diff.Diff(Live+"/"+p.Name, []byte(p.Before), Merged+"/"+p.Name, []byte(p.After)))
	}
	return out.Bytes()
}

// Objects is the pair of an object as it is and as it would be, either of which
// may be nil, as YAML. What the API server and controllers keep for themselves is
// left out, and the values of a Secret are masked: see mask.
func Objects(live, would *unstructured.Unstructured) (Pair, error) {
	named := would
	if named == nil {
		named = live
	}
	if named == nil {
		return Pair{}, nil
	}
	before, after := bare(live), bare(would)
	mask(before, after)
	pair := Pair{Name: fileName(named)}
	var err error
	if pair.Before, err = text(before); err != nil {
		return pair, err
	}
	pair.After, err = text(after)
	return pair, err
}

// fileName names an object as kubectl diff does: group.version.Kind.namespace.name.
func fileName(o *unstructured.Unstructured) string {
	gvk := o.GroupVersionKind()
	group := gvk.Group
	if group != "" {
		group += "."
	}
	return fmt.Sprintf("%s%s.%s.%s.%s", group, gvk.Version, gvk.Kind, o.GetNamespace(), o.GetName())
}

// bare is a copy without what no apply is about: status, and the fields of the
// metadata that the API server writes ("ObjectMeta" of the Kubernetes API).
func bare(o *unstructured.Unstructured) map[string]any {
	if o == nil {
		return nil
	}
	out := o.DeepCopy().Object
	delete(out, "status")
	for _, field := range []string{
		"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink",
		"deletionTimestamp", "deletionGracePeriodSeconds",
	} {
		unstructured.RemoveNestedField(out, "metadata", field)
	}
	return out
}

func text(o map[string]any) (string, error) {
	if o == nil {
		return "", nil
	}
	inJSON, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	out, err := yaml.JSONToYAML(escaped(inJSON))
	return string(out), err
}

// escaped is JSON in which each character that a terminal does not show is an escape:
// YAML refuses some of them as they are, and an annotation may have any.
func escaped(inJSON []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(inJSON) {
		if r <= 0xffff && (r >= 0xfffe || r == 0xfeff || !plain.Shows(r)) {
			fmt.Fprintf(&out, "\\u%04x", r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

// External has a program show the two sides, which it gets as two folders
// with one file for each thing that is there. Its exit code says whether there
// is a difference: 0 none, 1 some; more is an error.
func External(ctx context.Context, command string, pairs []Pair, stdout, stderr io.Writer) (bool, error) {
	live, err := sideOf(Live, pairs, func(p Pair) string { return p.Before })
	defer func() { _ = os.RemoveAll(live) }()
	if err != nil {
		return false, noFolder(err)
	}
	merged, err := sideOf(Merged, pairs, func(p Pair) string { return p.After })
	defer func() { _ = os.RemoveAll(merged) }()
	if err != nil {
		return false, noFolder(err)
	}
	name, args := externalCommand(command, live, merged)
	program := exec.CommandContext(ctx, name, args...)
	program.Stdout, program.Stderr = stdout, stderr
	return differs(ctx, name, program.Run())
}

// externalCommand reads KUBECTL_EXTERNAL_DIFF as kubectl does ("kubectl diff
// --help"; DiffProgram in its pkg/cmd/diff): words at blanks, of which those after
// the first count only if they are letters, digits, - and =, and then stand behind
// the two folders. Nothing is left to a shell.
func externalCommand(command, live, merged string) (name string, args []string) {
	plain := regexp.MustCompile(`^[a-zA-Z0-9-=]+$`)
	words := strings.Split(command, " ")
	args = []string{live, merged}
	for _, word := range words[1:] {
		if plain.MatchString(word) {
			args = append(args, word)
		}
	}
	return words[0], args
}

// differs reads how the program ended.
func differs(ctx context.Context, name string, err error) (bool, error) {
	const some = 1
	var ended *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.As(err, &ended) && ended.ExitCode() == some:
		return true, nil
	}
	return false, problem.Fail(fmt.Sprintf("%s, which KUBECTL_EXTERNAL_DIFF names, did not show the diff", name), err.Error(),
		"name a program that takes two folders and ends with 0 or 1; without the variable no program is needed").Because(err)
}

// sideOf writes one side into a new folder that only this user can read. The path
// is given with an error, too: for the caller to remove.
func sideOf(name string, pairs []Pair, text func(Pair) string) (dir string, err error) {
	const private = 0o600
	if dir, err = os.MkdirTemp("", strings.ToUpper(name)+"-"); err != nil {
		return dir, err
	}
	for _, p := range pairs {
		if text(p) == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, p.Name), []byte(text(p)), private); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

func noFolder(err error) error {
	return problem.Fail("the two sides of the diff cannot be written for the program that shows it", err.Error(),
		"make room in the folder for temporary files, or name another with TMPDIR").Because(err)
}

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
	if cmp.Or(before["kind"], after["kind"]) != "Secret" {
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
