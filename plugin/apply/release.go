package apply

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Release makes items of ours, which PlanRemoval found, no longer ours, all at the
// same time: our entries in their managedFields go, and nothing else of them
// changes, so that no generation moves and no pod restarts. Applying "nothing"
// would not do: the API server deletes what an applier ceases to state and nobody
// else owns. What is not ours any more is left alone, so that it can be repeated.
// observe is as in Plan.ApplyWave.
func (a *Applier) Release(ctx context.Context, items []*Item, observe func(Event)) error {
	p := &Plan{applier: a, live: map[Ref]*unstructured.Unstructured{}}
	return each(ctx, items, func(it *Item) error {
		start := a.opts.Now()
		live, err := a.Change(ctx, it.Ref, func(live *unstructured.Unstructured) map[string]any {
			return withoutUs(live, metav1.NewTime(a.opts.Now()))
		})
		switch {
		case err != nil:
			return err
		case live != nil && Ours(live):
			return a.stillOurs(it.Ref)
		}
		p.done(Event{Ref: it.Ref, Action: Released, Took: a.since(start), Live: live}, observe)
		return nil
	})
}

// Releaser is the manager that an object keeps which nobody else manages. Without any
// entry in managedFields the next server-side apply would make BeforeFirstApply an
// owner of all fields beside the applier.
const Releaser = Manager + "-released"

// releasedEntry owns the map of an object's labels, and none of the labels: a field
// that the next manager applies and later leaves out is deleted.
func releasedEntry(live *unstructured.Unstructured, now metav1.Time) map[string]any {
	fields := map[string]any{"f:metadata": map[string]any{"f:labels": map[string]any{".": map[string]any{}}}}
	return entryOf(live, Releaser, metav1.ManagedFieldsOperationUpdate, fields, now)
}

// withoutUs is the patch that takes our name off an object.
func withoutUs(live *unstructured.Unstructured, now metav1.Time) map[string]any {
	all, _, _ := unstructured.NestedSlice(live.Object, "metadata", "managedFields")
	others := slices.DeleteFunc(all, func(entry any) bool {
		fields, ok := entry.(map[string]any)
		return ok && fields["manager"] == Manager
	})
	if len(others) == 0 {
		others = []any{releasedEntry(live, now)}
	}
	return map[string]any{"metadata": map[string]any{"managedFields": others}}
}

func (a *Applier) stillOurs(ref Ref) error {
	return &problem.Error{
		Kind: problem.Failed,
		What: ref.String() + " could not be released",
		Why:  "the API server took the change and still names us among its managers: another install may be running",
		Next: "run the same command again; " + a.oc("oc get", ref, "--show-managed-fields", "-o", "yaml") + " shows who is named",
	}
}

// OtherManagers are those besides us who own anything but status of an object.
func OtherManagers(obj *unstructured.Unstructured) []string {
	return slices.DeleteFunc(managerNames(obj), func(name string) bool { return name == Manager })
}
