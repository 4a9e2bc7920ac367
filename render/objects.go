package render

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

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
		objects = append(objects, namespaceObject(f.Namespace.Value))
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

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
