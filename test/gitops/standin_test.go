package gitops_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
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
	git       atomic.Pointer[[]*unstructured.Unstructured]
	manifests []*unstructured.Unstructured // what was in Git first
	manager   string
	heading   string // of docs/moving.md
	title     string // as the tool calls it
	resource  schema.GroupVersionResource
	in        string // the namespace of its Applications or Kustomizations
	reconcile func(e *engine, ctx context.Context, asked *unstructured.Unstructured) error
}

func argoCD() *engine {
	return &engine{
		manager: "argocd-controller", heading: "## To Argo CD", title: "Argo CD", in: "openshift-gitops",
		resource:  schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: "applications"},
		reconcile: (*engine).sync,
	}
}

func flux() *engine {
	return &engine{
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
	e.git.Store(&e.manifests)
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
			case <-time.After(500 * time.Millisecond):
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

// sync is Argo CD with automated sync, prune and selfHeal: what equals the manifests is
// Synced, whoever manages it, and nothing is applied, until something differs or
// somebody asks for an operation. The tracking id is no difference.
func (e *engine) sync(ctx context.Context, asked *unstructured.Unstructured) error {
	git := *e.git.Load()
	_, operation := asked.Object["operation"]
	equal := true
	for _, manifest := range git {
		same, err := e.equals(ctx, manifest)
		if err != nil {
			return err
		}
		equal = equal && same
	}
	left, err := e.leftGit(ctx, git)
	if err != nil {
		return err
	}
	for _, o := range left {
		equal = equal && strings.Contains(o.GetAnnotations()["argocd.argoproj.io/compare-options"], "IgnoreExtraneous")
	}
	state, sync := "Synced", map[string]any{"revision": fmt.Sprint(len(git), " manifests")}
	if !equal {
		state = "OutOfSync"
	}
	sync["status"] = state
	status := map[string]any{"sync": sync}
	if !operation && equal {
		if was, _, _ := unstructured.NestedMap(asked.Object, "status", "sync"); world.InJSON(was) == world.InJSON(sync) {
			return nil
		}
		return e.note(ctx, asked, map[string]any{"status": status})
	}
	if err := e.perform(ctx, git, left); err != nil {
		return err
	}
	status["operationState"] = map[string]any{"phase": "Succeeded"}
	return e.note(ctx, asked, map[string]any{"operation": nil, "status": status})
}

// perform is one sync: it applies, with the tracking id, and prunes what may be pruned.
func (e *engine) perform(ctx context.Context, git, left []*unstructured.Unstructured) error {
	for _, manifest := range git {
		o := manifest.DeepCopy()
		notes := o.GetAnnotations()
		notes[tracking] = fmt.Sprintf("%s:%s/%s:%s/%s", e.name, o.GroupVersionKind().Group, o.GetKind(), o.GetNamespace(), o.GetName())
		o.SetAnnotations(notes)
		if _, err := e.put(ctx, o); err != nil {
			return err
		}
	}
	for _, o := range left {
		if strings.Contains(o.GetAnnotations()["argocd.argoproj.io/sync-options"], "Prune=false") {
			continue
		}
		if err := e.client(o).Delete(ctx, o.GetName(), metav1.DeleteOptions{}); ignoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

const tracking = "argocd.argoproj.io/tracking-id"

// leftGit are the objects that carry the Application's tracking id and are no longer
// in Git.
func (e *engine) leftGit(ctx context.Context, git []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var left []*unstructured.Unstructured
	for _, kind := range objectKinds() {
		list, err := e.bed.Dynamic.Resource(kind).Namespace(e.name).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		for _, o := range list.Items {
			inGit := slices.ContainsFunc(git, func(m *unstructured.Unstructured) bool {
				return m.GetKind() == o.GetKind() && m.GetName() == o.GetName()
			})
			if strings.HasPrefix(o.GetAnnotations()[tracking], e.name+":") && !inGit {
				left = append(left, &o)
			}
		}
	}
	return left, nil
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
		o.SetGeneration(0) // of a Deployment it counts annotations
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations", tracking)
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
	for _, manifest := range *e.git.Load() {
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
	resource := strings.ToLower(o.GetKind()) + "s"
	if o.GetKind() == "NetworkPolicy" {
		resource = "networkpolicies"
	}
	for _, kind := range objectKinds() {
		if kind.Resource == resource {
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
