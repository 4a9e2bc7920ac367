package apply

import (
	"bytes"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// owner is one entry of managedFields.
type owner struct {
	manager     string
	applied     bool // operation Apply, as opposed to Update
	subresource string
	when        time.Time
	set         *fieldpath.Set
}

// owners reads managedFields. An entry whose fields cannot be read owns
// nothing, but its name still counts.
func owners(obj *unstructured.Unstructured) []owner {
	var out []owner
	for _, e := range obj.GetManagedFields() {
		o := owner{
			manager:     e.Manager,
			applied:     e.Operation == metav1.ManagedFieldsOperationApply,
			subresource: e.Subresource,
			set:         fieldpath.NewSet(),
		}
		if e.Time != nil {
			o.when = e.Time.Time
		}
		if e.FieldsV1 != nil {
			set := fieldpath.NewSet()
			if set.FromJSON(bytes.NewReader(e.FieldsV1.GetRawBytes())) == nil {
				o.set = set
			}
		}
		out = append(out, o)
	}
	return out
}

func (o owner) isUs() bool { return o.manager == Manager && o.applied && o.subresource == "" }

// Ours reports whether an object is ours: its managedFields name our field
// manager with operation Apply. Labels do not count, anybody copies those.
func Ours(obj *unstructured.Unstructured) bool {
	return slices.ContainsFunc(owners(obj), owner.isUs)
}

// ours is Ours, and what we share with another program by design.
func (a *Applier) ours(obj *unstructured.Unstructured) bool {
	return Ours(obj) || a.opts.Shared != nil && a.opts.Shared(obj)
}

// ourSet are the fields we own.
func ourSet(obj *unstructured.Unstructured) *fieldpath.Set {
	set := fieldpath.NewSet()
	for _, o := range owners(obj) {
		if o.isUs() {
			set = set.Union(o.set)
		}
	}
	return set
}

// managerNames are those who own anything but status, without repetition.
func managerNames(obj *unstructured.Unstructured) []string {
	var names []string
	for _, o := range owners(obj) {
		if o.subresource == "" && o.manager != Releaser && !slices.Contains(names, o.manager) {
			names = append(names, o.manager)
		}
	}
	return names
}

// lastSetBy names who last set a field: the latest of the others who own it.
// Empty if none does.
func lastSetBy(list []owner, path []step) string {
	var last owner
	for _, o := range list {
		if !o.isUs() && o.manager != Releaser && covers(o.set, path) && (last.manager == "" || o.when.After(last.when)) {
			last = o
		}
	}
	return last.manager
}
