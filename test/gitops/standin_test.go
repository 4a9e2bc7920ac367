package gitops_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// engine plays Argo CD 3.6 or Flux's kustomize-controller 1.9 for one Application or
// Kustomization, which has the name of the project. What is in Git are manifests.
type engine struct {
	bed       *testbed.Bed
	name      string // of the project
	manifests []*unstructured.Unstructured
	manager   string
	heading   string // of docs/moving.md
	title     string // as the tool calls it
	resource  schema.GroupVersionResource
	in        string // the namespace of its Applications or Kustomizations
	reconcile func(e *engine, ctx context.Context, asked *unstructured.Unstructured) error
}

func argoCD() engine {
	return engine{
		manager: "argocd-controller", heading: "## To Argo CD", title: "Argo CD", in: "openshift-gitops",
		resource:  schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"},
		reconcile: (*engine).sync,
	}
}

func flux() engine {
	return engine{
		manager: "kustomize-controller", heading: "## To Flux", title: "Flux", in: "flux-system",
		resource:  schema.GroupVersionResource{Group: "kustomize.toolkit.fluxcd.io", Version: "v1", Resource: "kustomizations"},
		reconcile: (*engine).apply,
	}
}

// start reads what render prints for the project into its Git, and runs until the end
// of the test.
func (e *engine) start(t *testing.T, user run.User, namespace string) {
	t.Helper()
	e.bed, e.name = user.Bed, namespace
	for _, text := range strings.Split(user.Run(t, "render", "-n", namespace).WantCode(t, done).Stdout, "---\n") {
		if o := object(t, text); o["kind"] != nil {
			e.manifests = append(e.manifests, &unstructured.Unstructured{Object: o})
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			asked, err := e.asks().Get(ctx, e.name, metav1.GetOptions{})
			if err == nil {
				err = e.reconcile(e, ctx, asked)
			}
			if err != nil && ctx.Err() == nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				t.Errorf("%s: %v", e.title, err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
}

func (e *engine) asks() dynamic.ResourceInterface {
	return e.bed.Dynamic.Resource(e.resource).Namespace(e.in)
}

// note writes into the Application or Kustomization, as long as nobody else has.
func (e *engine) note(ctx context.Context, asked *unstructured.Unstructured, patch map[string]any) error {
	patch["metadata"] = map[string]any{"resourceVersion": asked.GetResourceVersion()}
	data, err := json.Marshal(patch)
	if err == nil {
		_, err = e.asks().Patch(ctx, e.name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: e.manager})
	}
	return err
}

// sync is Argo CD with automated sync: what equals the manifests is Synced, whoever
// manages it, and nothing is applied, until something differs or somebody asks for an
// operation. The tracking id is no difference.
func (e *engine) sync(ctx context.Context, asked *unstructured.Unstructured) error {
	_, operation := asked.Object["operation"]
	equal := true
	for _, manifest := range e.manifests {
		same, err := e.equals(ctx, manifest)
		if err != nil {
			return err
		}
		equal = equal && same
	}
	state, _, _ := unstructured.NestedString(asked.Object, "status", "sync", "status")
	switch {
	case !operation && equal && state == "Synced":
		return nil
	case !operation && equal:
		return e.note(ctx, asked, map[string]any{"status": map[string]any{"sync": map[string]any{"status": "Synced"}}})
	}
	for _, manifest := range e.manifests {
		o := manifest.DeepCopy()
		notes := o.GetAnnotations()
		notes["argocd.argoproj.io/tracking-id"] = fmt.Sprintf("%s:%s/%s:%s/%s", e.name, o.GroupVersionKind().Group, o.GetKind(), o.GetNamespace(), o.GetName())
		o.SetAnnotations(notes)
		if _, err := e.put(ctx, o); err != nil {
			return err
		}
	}
	return e.note(ctx, asked, map[string]any{"operation": nil, "status": map[string]any{
		"sync": map[string]any{"status": "Synced"}, "operationState": map[string]any{"phase": "Succeeded"},
	}})
}

// equals reports whether applying a manifest would change nothing but its managers.
func (e *engine) equals(ctx context.Context, manifest *unstructured.Unstructured) (bool, error) {
	live, err := e.client(manifest).Get(ctx, manifest.GetName(), metav1.GetOptions{})
	if err != nil {
		return false, ignoreNotFound(err)
	}
	would, err := e.client(manifest).Apply(ctx, manifest.GetName(), manifest, metav1.ApplyOptions{FieldManager: e.manager, Force: true, DryRun: []string{"All"}})
	if err != nil {
		return false, err
	}
	for _, o := range []*unstructured.Unstructured{live, would} {
		o.SetManagedFields(nil)
		o.SetResourceVersion("")
		delete(o.Object, "status")
	}
	return world.InJSON(live.Object) == world.InJSON(would.Object), nil
}

// apply is Flux: it applies at every reconciliation, with its labels, and so manages
// immediately what it applies.
func (e *engine) apply(ctx context.Context, asked *unstructured.Unstructured) error {
	const request = "reconcile.fluxcd.io/requestedAt"
	handled, _, _ := unstructured.NestedString(asked.Object, "status", "lastHandledReconcileAt")
	suspended, _, _ := unstructured.NestedBool(asked.Object, "spec", "suspend")
	_, before, _ := unstructured.NestedSlice(asked.Object, "status", "conditions")
	if suspended || before && handled == asked.GetAnnotations()[request] {
		return nil
	}
	for _, manifest := range e.manifests {
		o := manifest.DeepCopy()
		labels := o.GetLabels()
		labels["kustomize.toolkit.fluxcd.io/name"], labels["kustomize.toolkit.fluxcd.io/namespace"] = e.name, e.in
		o.SetLabels(labels)
		if _, err := e.put(ctx, o); err != nil {
			return err
		}
	}
	return e.note(ctx, asked, map[string]any{"status": map[string]any{
		"lastHandledReconcileAt": asked.GetAnnotations()[request],
		"conditions":             []any{map[string]any{"type": "Ready", "status": "True"}},
	}})
}

// put applies an object as the engine does, with force.
func (e *engine) put(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return e.client(o).Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: e.manager, Force: true})
}

func (e *engine) client(o *unstructured.Unstructured) dynamic.ResourceInterface {
	for _, kind := range objectKinds() {
		if kind.Resource == strings.ToLower(o.GetKind())+"s" {
			return e.bed.Dynamic.Resource(kind).Namespace(e.name)
		}
	}
	panic("no kind " + o.GetKind())
}

func ignoreNotFound(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// end is what docs/moving.md says before "install --force-owner": the engine stops,
// and leaves what it has applied with all its marks.
func (e *engine) end(t *testing.T) {
	t.Helper()
	must(t, e.asks().Delete(t.Context(), e.name, metav1.DeleteOptions{}))
}
