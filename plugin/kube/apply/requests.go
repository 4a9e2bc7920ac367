package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
)

// Get reads an object; nil if it is not there. The error is in
// three parts.
func (a *Applier) Get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	live, err := a.get(ctx, ref)
	return live, failure(a, "read", ref, err)
}

// Change patches an object of ours as change says, who gets it as it is now and
// returns a merge patch; nil is no change. The patch holds only for what change
// saw: where somebody was faster, it is asked again. What is not there, or not
// ours, is left alone: the answer is then nil.
func (a *Applier) Change(ctx context.Context, ref Ref, change func(live *unstructured.Unstructured) map[string]any) (*unstructured.Unstructured, error) {
	out, err := a.change(ctx, ref, func(live *unstructured.Unstructured) (map[string]any, error) {
		if !a.ours(live) {
			return nil, errNotOurs
		}
		return change(live), nil
	})
	if errors.Is(err, errNotOurs) {
		return nil, nil
	}
	return out, failure(a, "changed", ref, err)
}

var errNotOurs = errors.New("not ours")

// change is Change for any object that exists, and may refuse.
func (a *Applier) change(ctx context.Context, ref Ref, change func(live *unstructured.Unstructured) (map[string]any, error)) (out *unstructured.Unstructured, err error) {
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return nil, err
	}
	err = a.retry(ctx, func() (err error) {
		if out, err = a.get(ctx, ref); err != nil || out == nil {
			return err
		}
		patch, err := change(out)
		if err != nil || patch == nil {
			return err
		}
		data, err := json.Marshal(tied(&unstructured.Unstructured{Object: patch}, out).Object)
		if err != nil {
			return err
		}
		out, err = client.Patch(ctx, ref.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: Manager})
		return err
	})
	return out, err
}

// Make applies one object, and gives it back as it is then. One that is there
// and is not ours is left alone, and refused.
func (a *Applier) Make(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	it := &Item{Ref: RefOf(object), object: object, Action: Create}
	live, err := a.Get(ctx, it.Ref)
	if err != nil {
		return nil, err
	}
	if live != nil && !a.ours(live) {
		return nil, foreign(a, it.Ref, live, "")
	}
	it.Live, it.manner.force = live, true
	made, err := a.patch(ctx, it, false)
	return made, failure(a, "applied", it.Ref, err)
}

// ReadInventory reads the inventory; if there is none, or with Options.Fresh,
// the zero Inventory.
func (a *Applier) ReadInventory(ctx context.Context) (Inventory, error) {
	if a.opts.Fresh {
		return Inventory{}, nil
	}
	ref := a.opts.Set.inventoryRef()
	live, err := a.Get(ctx, ref)
	if err != nil || live == nil {
		return Inventory{}, err
	}
	return a.opts.Set.InventoryOf(live), nil
}

// client is for a kind of the set: in the namespace, unless the kind has none.
func (a *Applier) client(ctx context.Context, gvk schema.GroupVersionKind) (dynamic.ResourceInterface, error) {
	if a.opts.Set.kind(gvk.GroupKind()).Cluster {
		return a.resources.Resource(ctx, gvk, "")
	}
	return a.resources.Resource(ctx, gvk, a.opts.Namespace)
}

// get reads an object; nil if it is not there.
func (a *Applier) get(ctx context.Context, ref Ref) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return nil, err
	}
	live, err := client.Get(ctx, ref.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// patch applies an item, or tries to.
func (a *Applier) patch(ctx context.Context, it *Item, dry bool) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, it.Ref.GVK())
	if err != nil {
		return nil, err
	}
	opts := metav1.ApplyOptions{FieldManager: Manager, Force: it.manner.force}
	if dry {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	var out *unstructured.Unstructured
	err = a.retry(ctx, func() (err error) {
		out, err = client.Apply(ctx, it.Ref.Name, it.object, opts)
		return err
	})
	return out, err
}

// list reads all objects of a kind.
func (a *Applier) list(ctx context.Context, gvk schema.GroupVersionKind) ([]*unstructured.Unstructured, error) {
	client, err := a.client(ctx, gvk)
	if err != nil {
		return nil, err
	}
	all, err := cluster.ListAll(ctx, client, metav1.ListOptions{})
	if apierrors.IsNotFound(err) { // the CRD went away since discovery
		return nil, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
	}
	return all, err
}

// ours is Ours, and what we share with another program by design.
func (a *Applier) ours(obj *unstructured.Unstructured) bool {
	return Ours(obj) || a.opts.Shared != nil && a.opts.Shared(obj)
}

// How often a change is made anew: 0.1 s, 0.2 s ... 3.2 s apart, 6.3 s in all.
const (
	maxRetries = 6
	firstDelay = 100 * time.Millisecond
)

// retry makes a change anew while another writer is faster: an object that was
// modified since it was read, or made while it was being made. call reads anew
// what it needs. Requests that the server could not deal with, or whose answer
// was lost, are repeated by package cluster.
func (a *Applier) retry(ctx context.Context, call func() error) error {
	delay := firstDelay
	for n := 0; ; n++ {
		err := call()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx, err)
		}
		if n >= maxRetries || !raced(err) {
			return err
		}
		if a.sleep(ctx, delay) != nil {
			return ended(ctx, err)
		}
		delay *= 2
	}
}

// ended is the error of a call whose context is over: the server's answer if
// it is final, else that the context is over (client-go does not always say).
func ended(ctx context.Context, err error) error {
	var status apierrors.APIStatus
	// A server that answers otherwise would not answer the same a moment later.
	final := func(code int32) bool {
		return code < http.StatusInternalServerError && code != http.StatusTooManyRequests
	}
	if errors.As(err, &status) && final(status.Status().Code) && !raced(err) || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w; before that: %v", ctx.Err(), err)
}

// raced reports whether another writer was faster. That fields are another
// manager's is no race: it does not pass.
func raced(err error) bool {
	return (apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)) && len(conflictsOf(err)) == 0
}
