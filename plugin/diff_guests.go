package plugin

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
)

// welcomeGuests prepares for what an overlay brings that install would not apply:
// it is held against the cluster as kubectl diff does, whoever it belongs to and
// whatever its kind. Nothing is pruned then, as nothing is by kubectl apply.
func (d *diffRun) welcomeGuests(ctx context.Context) error {
	served, err := d.conn.Discovery(ctx)
	if err != nil {
		return err
	}
	ours, err := renderObjects(ctx, d.facts, d.options, "")
	if err != nil {
		return err
	}
	d.inventory.Objects = nil
	d.set = apply.App()
	for _, object := range d.objects {
		mapping, err := served.Mapping(object.GroupVersionKind())
		everywhere := err == nil && mapping.Scope.Name() == meta.RESTScopeNameRoot
		if !everywhere && object.GetNamespace() == "" {
			object.SetNamespace(d.facts.Namespace.Value)
		}
		d.addKind(apply.Kind{GroupVersionKind: object.GroupVersionKind(), Cluster: everywhere})
		ref := apply.RefOf(object)
		if !slices.ContainsFunc(ours, func(o *unstructured.Unstructured) bool { return apply.RefOf(o) == ref }) {
			d.set.Guests = append(d.set.Guests, ref)
			d.UI.Linef("%s is the overlay's: install does not apply it", ref)
		}
	}
	return nil
}

// addKind adds a kind that the set has not.
func (d *diffRun) addKind(kind apply.Kind) {
	known := slices.ContainsFunc(d.set.Kinds, func(k apply.Kind) bool { return k.GroupKind() == kind.GroupKind() })
	if !known {
		d.set.Kinds = append(d.set.Kinds, kind)
	}
}
