package apply

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Get reads an object; nil if it is not there. The error is in
// three parts.
func (a *Applier) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	live, err := a.get(ctx, ref)
	return live, a.failure("read", ref, err)
}

// Change patches an object of ours as change says, who gets it as it is now and
// returns a merge patch; nil is no change. The patch holds only for what change
// saw: where somebody was faster, it is asked again. What is not there, or not
// ours, is left alone: the answer is then nil.
func (a *Applier) Change(ctx context.Context, ref Ref, change func(live *unstructured.Unstructured) map[string]any) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return nil, a.failure("changed", ref, err)
	}
	var out *unstructured.Unstructured
	err = a.retry(ctx, func() error {
		live, err := a.get(ctx, ref)
		out = live
		if err != nil || live == nil {
			return err
		}
		if !a.ours(live) {
			out = nil
			return nil
		}
		patch := change(live)
		if patch == nil {
			return nil
		}
		data, err := seen(patch, live)
		if err != nil {
			return err
		}
		out, err = client.Patch(ctx, ref.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: Manager})
		return err
	})
	return out, a.failure("changed", ref, err)
}

// seen ties a patch to the object it was made for.
func seen(patch map[string]any, live *unstructured.Unstructured) ([]byte, error) {
	object := &unstructured.Unstructured{Object: patch}
	object.SetResourceVersion(live.GetResourceVersion())
	object.SetUID(live.GetUID())
	return json.Marshal(object.Object)
}

// Make applies one object, and gives it back as it is then. One that is there
// and is not ours is left alone, and refused.
func (a *Applier) Make(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	it := &Item{Ref: RefOf(object), object: object, Action: Create}
	live, err := a.get(ctx, it.Ref)
	if err != nil {
		return nil, a.failure("read", it.Ref, err)
	}
	if live != nil && !a.ours(live) {
		return nil, a.foreign(it.Ref, live, "")
	}
	it.Live, it.force = live, true
	made, err := a.patch(ctx, it, false)
	return made, a.failure("applied", it.Ref, err)
}
