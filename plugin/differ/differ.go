// Package differ is the text of a diff: what there is against what would be, as
// unified diff, for objects of a cluster and for any other text. Plugin's diff
// and `install --diff` call it. It is pure: it asks nobody, runs nothing and
// writes nothing, and must never know where its two sides come from.
package differ

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
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
