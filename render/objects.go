// Package render turns Facts and chart values into Kubernetes objects.
//
// It is pure: it talks to no cluster and to no cloud, reads no clock and no
// environment and draws no random numbers. The same Facts and values give the
// same bytes on every machine, which is what lets `render`, `install` and a
// GitOps engine agree.
//
// It also holds what follows from the Facts alone and must never be spelled
// twice: the names of the role and the bucket, the ownership tags, the ARNs.
package render

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	yamlv2 "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/charts"
)

// WaveAnnotation orders objects, for Argo CD and for us from the same line.
const WaveAnnotation = "argocd.argoproj.io/sync-wave"

// Renderer holds the embedded chart, read once for any number of projects.
type Renderer struct{ chart helmChart }

// New reads the embedded chart.
func New() (*Renderer, error) {
	chart, err := loadChart(charts.FS(), charts.OSToy)
	if err != nil {
		return nil, err
	}
	return &Renderer{chart}, nil
}

// Objects renders the chart and returns its objects in apply order. The Facts
// must be complete and valid.
func (r *Renderer) Objects(f Facts, o Options) ([]*unstructured.Unstructured, error) {
	values, err := r.values(f, o)
	if err != nil {
		return nil, err
	}
	texts, err := r.chart.templates(values, f)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	if o.IncludeNamespace {
		namespace := namespaceObject(f.Namespace.Value)
		extraOf(values).AddTo(namespace)
		objects = append(objects, namespace)
	}
	for _, text := range texts {
		decoded, err := Decode([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("decode the rendered chart: %w", err)
		}
		objects = append(objects, decoded...)
	}
	Sort(objects)
	return objects, nil
}

// namespaceObject is the Namespace for those whose GitOps engine makes it. On
// OpenShift only a cluster admin may apply one. It is kept like the data in it.
func namespaceObject(name string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Namespace",
		"metadata": map[string]any{
			"name": name,
			"annotations": map[string]any{
				WaveAnnotation:                       "-1",
				"helm.sh/resource-policy":            "keep",
				"argocd.argoproj.io/sync-options":    "Prune=false,Delete=false",
				"argocd.argoproj.io/compare-options": "IgnoreExtraneous",
				"kustomize.toolkit.fluxcd.io/prune":  "disabled",
			},
			"labels": map[string]any{"app.kubernetes.io/part-of": "ostoy"},
		},
	}}
}

// Extra are the labels and annotations that a user adds to every object. The chart's
// templates add them to its own objects, this is for those that are made elsewhere.
type Extra struct{ Labels, Annotations map[string]string }

// extraOf reads them from valid values.
func extraOf(values map[string]any) Extra {
	texts := func(key string) map[string]string {
		found, _, _ := unstructured.NestedStringMap(values, key)
		return found
	}
	return Extra{texts("commonLabels"), texts("commonAnnotations")}
}

// AddTo adds them to an object. What the object has already stays as it is.
func (e Extra) AddTo(object *unstructured.Unstructured) {
	add := func(have, more map[string]string, set func(map[string]string)) {
		if len(more) == 0 {
			return
		}
		all := maps.Clone(more)
		maps.Copy(all, have)
		set(all)
	}
	add(object.GetLabels(), e.Labels, object.SetLabels)
	add(object.GetAnnotations(), e.Annotations, object.SetAnnotations)
}

// Extra is what the user's values add to every object.
func (r *Renderer) Extra(f Facts, o Options) (Extra, error) {
	values, err := r.values(f, o)
	return extraOf(values), err
}

// Wave is the sync wave of an object, 0 where it names none.
func Wave(object *unstructured.Unstructured) int {
	wave, err := strconv.Atoi(object.GetAnnotations()[WaveAnnotation])
	if err != nil {
		return 0
	}
	return wave
}

// kindOrder puts what others refer to first inside a wave.
func kindOrder(kind string) int {
	order := []string{"Namespace", "ServiceAccount", "RoleBinding", "Secret", "ConfigMap", "Bucket", "PersistentVolumeClaim", "Service", "Deployment"}
	if at := slices.Index(order, kind); at >= 0 {
		return at
	}
	return len(order)
}

// Sort puts objects in apply order: wave, then kind, then name.
func Sort(objects []*unstructured.Unstructured) {
	// Once each: reading one annotation copies all of them.
	waves := make(map[*unstructured.Unstructured]int, len(objects))
	for _, object := range objects {
		waves[object] = Wave(object)
	}
	slices.SortStableFunc(objects, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(
			cmp.Compare(waves[a], waves[b]),
			cmp.Compare(kindOrder(a.GetKind()), kindOrder(b.GetKind())),
			cmp.Compare(a.GetKind(), b.GetKind()),
			cmp.Compare(a.GetName(), b.GetName()),
		)
	})
}

// YAML writes objects as one stream, keys sorted, each document led by "---".
// The bytes are those of sigs.k8s.io/yaml, which goes by way of JSON and takes
// three times as long with the same library, except for those of Document.
func YAML(objects []*unstructured.Unstructured) ([]byte, error) {
	var out bytes.Buffer
	for _, object := range objects {
		text, err := Document(object.Object)
		if err != nil {
			return nil, fmt.Errorf("write %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		out.WriteString("---\n")
		out.Write(text)
	}
	return out.Bytes(), nil
}

// Document writes a value as YAML, keys sorted. A character that is read differently from
// what it does (unseen) is an escape in it: the library only escapes what YAML forbids.
func Document(value map[string]any) ([]byte, error) {
	text, err := yamlv2.Marshal(value)
	if err != nil || !bytes.ContainsFunc(text, unseen) {
		return text, err
	}
	// The library writes a string with U+FFFF in double quotes, and U+FFFF as \uFFFF in
	// them. What follows it here is an escape, between signs that value has not.
	sign := unused(string(text))
	marked := func(r rune) string { return "\uffff" + sign + escape(r) + sign }
	if text, err = yamlv2.Marshal(withStrings(value, func(s string) string { return replaced(s, marked) })); err != nil {
		return nil, err
	}
	marks := regexp.MustCompile(`\\uFFFF` + sign + `([uU][0-9A-F]+)` + sign)
	return marks.ReplaceAll(text, []byte(`\$1`)), nil
}

// unused is a word that a text has not.
func unused(text string) string {
	for n := 0; ; n++ {
		if word := fmt.Sprintf("x%dx", n); !strings.Contains(text, word) {
			return word
		}
	}
}

// escape is a character's escape in YAML, without the backslash.
func escape(r rune) string {
	if r > 0xffff {
		return fmt.Sprintf("U%08X", r)
	}
	return fmt.Sprintf("u%04X", r)
}

// unseen reports whether a character that YAML allows changes the direction of what is
// written beside it (Unicode's Bidi_Control), ends a line for some readers and not for
// others, stands for what is not UTF-8, or is none (Unicode's noncharacters).
func unseen(r rune) bool {
	switch {
	case r == '\u061c', r == '\u200e', r == '\u200f', '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069':
		return true
	case r == '\u2028', r == '\u2029', r == '\ufffd':
		return true
	}
	return '\ufdd0' <= r && r <= '\ufdef' || r&0xfffe == 0xfffe
}

func replaced(text string, by func(rune) string) string {
	if !utf8.ValidString(text) { // the library writes it as base64
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if unseen(r) {
			out.WriteString(by(r))
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// withStrings is a copy of a value with what with makes of each text and key in it.
func withStrings(value any, with func(string) string) any {
	switch value := value.(type) {
	case string:
		return with(value)
	case map[string]any:
		out := make(map[string]any, len(value))
		for key, one := range value {
			out[with(key)] = withStrings(one, with)
		}
		return out
	case []any:
		out := make([]any, len(value))
		for n, one := range value {
			out[n] = withStrings(one, with)
		}
		return out
	}
	return value
}
