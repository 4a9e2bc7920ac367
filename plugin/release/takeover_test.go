package release

import (
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// installedItem is an object that ostoy-s3 has applied, with other managers that own
// its spec, or, with a "-" before the name, nothing but a label.
func installedItem(name string, others ...string) *apply.Item {
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service"}}
	object.SetName(name)
	entries := []metav1.ManagedFieldsEntry{{Manager: apply.Manager}}
	for _, other := range others {
		entries = append(entries, metav1.ManagedFieldsEntry{Manager: other})
	}
	for n := range entries {
		e := &entries[n]
		fields := `{"f:spec":{"f:selector":{}}}`
		if bare, only := strings.CutPrefix(e.Manager, "-"); only {
			e.Manager, fields = bare, `{"f:metadata":{"f:labels":{"f:x":{}}}}`
		}
		e.Operation, e.FieldsType, e.FieldsV1 = metav1.ManagedFieldsOperationApply, "FieldsV1", metav1.NewFieldsV1(fields)
	}
	object.SetManagedFields(entries)
	return &apply.Item{Ref: apply.RefOf(object), Live: object}
}

// TestNotTakenOver: while an object is managed by no engine, or not by the one that
// is meant, nothing is released, and the command that makes the engine apply is shown.
func TestNotTakenOver(t *testing.T) {
	const argo, flux = "argocd-controller", "kustomize-controller"
	sync, reconcile := "oc patch applications.argoproj.io demo -n argocd", "oc annotate kustomizations.kustomize.toolkit.fluxcd.io demo -n flux-system"
	for name, c := range map[string]struct {
		to     To
		items  []*apply.Item
		says   []string
		hidden string
	}{
		"nobody":            {"", []*apply.Item{installedItem("a"), installedItem("b")}, []string{"2 objects are not managed by Argo CD or Flux yet", sync, reconcile, "--to none"}, "-"},
		"all by Argo CD":    {"", []*apply.Item{installedItem("a", argo), installedItem("b", argo)}, nil, ""},
		"one by Argo CD":    {"", []*apply.Item{installedItem("a", argo), installedItem("b")}, []string{"1 object is not managed by Argo CD yet", "Service b", sync}, reconcile},
		"a label of Flux's": {"", []*apply.Item{installedItem("a", "-"+flux)}, []string{"managed by Flux yet", reconcile}, sync},
		"another engine":    {ToFlux, []*apply.Item{installedItem("a", argo)}, []string{"managed by Flux yet", reconcile}, sync},
		"the engine":        {ToArgoCD, []*apply.Item{installedItem("a", flux, argo)}, nil, ""},
		"to none":           {ToNone, []*apply.Item{installedItem("a")}, nil, ""},
		"nothing":           {},
	} {
		err := notTakenOver("demo", c.items, c.to, "argocd", time.Now())
		var told *problem.Error
		if len(c.says) == 0 {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.As(err, &told) || told.Kind != problem.Refused {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := told.What + told.Why + told.Next
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in %s", name, want, text)
			}
		}
		if c.hidden != "-" && strings.Contains(text, c.hidden) {
			t.Errorf("%s: %q in %s", name, c.hidden, text)
		}
	}
}
