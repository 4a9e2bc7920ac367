package uninstall

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// managed is an object of the app that a manager has applied.
func managed(apiVersion, kind, name, manager string, labels, annotations map[string]string) *apply.Item {
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
	object.SetName(name)
	object.SetLabels(labels)
	object.SetAnnotations(annotations)
	object.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationApply}})
	return &apply.Item{Ref: apply.RefOf(object), Live: object, Action: apply.Keep, Why: "it is not ours: managed by " + manager}
}

// TestOnlyEngine: what an engine alone manages is refused by its name, and so is what
// a hostile label names; no command deletes data.
func TestOnlyEngine(t *testing.T) {
	flux := map[string]string{"kustomize.toolkit.fluxcd.io/name": "demo", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}
	hostile := map[string]string{"kustomize.toolkit.fluxcd.io/name": "$(rm -rf /)", "kustomize.toolkit.fluxcd.io/namespace": "x"}
	argo := map[string]string{"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:demo/ostoy-frontend"}
	deployment := func(manager string, labels, annotations map[string]string) *apply.Item {
		return managed("apps/v1", "Deployment", "ostoy-frontend", manager, labels, annotations)
	}
	volume := managed("v1", "PersistentVolumeClaim", "ostoy-pvc", "kustomize-controller", flux, nil)
	object := managed("s3.services.k8s.aws/v1alpha1", "Bucket", "demo-bucket", "argocd-controller", nil, argo)
	for name, c := range map[string]struct {
		kept []*apply.Item
		with func(*evidence)
		want string
	}{
		"Flux":                      {[]*apply.Item{deployment("kustomize-controller", flux, nil), volume}, nil, "managed by Flux (Kustomization flux-system/demo) and not by ostoy-s3"},
		"Argo CD":                   {[]*apply.Item{deployment("argocd-controller", nil, argo), object}, nil, "managed by Argo CD (Application shop)"},
		"Helm":                      {[]*apply.Item{deployment("helm", nil, nil)}, nil, "managed by Helm and"},
		"a hostile name":            {[]*apply.Item{deployment("kustomize-controller", hostile, nil)}, nil, "managed by Flux and"},
		"--role-only":               {[]*apply.Item{deployment("kustomize-controller", flux, nil)}, func(e *evidence) { e.app.request.RoleOnly = true }, ""},
		"a release was interrupted": {[]*apply.Item{deployment("kustomize-controller", flux, nil)}, func(e *evidence) { e.app.removal.InventoryOurs = true }, "managed by Flux (Kustomization flux-system/demo)"},
		"only data":                 {[]*apply.Item{volume, object}, nil, ""},
		"somebody's":                {[]*apply.Item{deployment("kubectl", nil, nil)}, nil, ""},
		"nothing":                   {},
	} {
		e := removing()
		e.app.removal.Kept = c.kept
		if c.with != nil {
			c.with(e)
		}
		err := onlyEngine(e.app)
		var told *problem.Error
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want != "" && (!errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.What, c.want)):
			t.Errorf("%s: %+v", name, told)
		case told != nil && strings.Contains(told.What+told.Why+told.Next, "oc delete"):
			t.Errorf("%s: %+v", name, told)
		}
		for _, l := range decideObjects(e.app) {
			if strings.Contains(l.Next, "oc delete") && (isData(l.Item.Ref) || apply.DeliveredBy(l.Item.Live) != "") {
				t.Errorf("%s: %s: %q", name, l.Object, l.Next)
			}
		}
	}
}

// TestKeptOfOthers: an object of another manager is deleted by hand, data is not.
func TestKeptOfOthers(t *testing.T) {
	if got, _ := nextOfKept("demo", managed("v1", "Service", "x", "kubectl", nil, nil)); got != "oc delete service/x -n demo" {
		t.Errorf("%q", got)
	}
	for _, data := range []*apply.Item{
		managed("v1", "PersistentVolumeClaim", "ostoy-pvc", "kubectl", nil, nil),
		managed("s3.services.k8s.aws/v1alpha1", "Bucket", "demo-bucket", "Mozilla", nil, nil),
	} {
		if got, _ := nextOfKept("demo", data); got != "" {
			t.Errorf("%s: %q", data.Ref, got)
		}
	}
	e := removing()
	e.app.removal.Kept = []*apply.Item{managed("v1", "PersistentVolumeClaim", "ostoy-pvc", "kubectl", nil, nil)}
	if got := deleteProjectCommand("demo", decideObjects(e.app)); got != "" {
		t.Errorf("%q deletes a volume", got)
	}
}
