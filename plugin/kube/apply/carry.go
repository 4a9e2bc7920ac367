package apply

import (
	"context"
	"maps"
	"reflect"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Adopter is the field manager of what a Bucket resource states because its S3 bucket had
// it before. What Manager applies later leaves these fields alone, because it does not
// own them. Only tags are in one list with those of the app: the list has no keys, so that
// both managers state it as a whole.
const Adopter = Manager + "-adopted"

const (
	tagging = "tagging"
	tagSet  = "tagSet"
)

// Carry has a plan create its Bucket with further fields of the spec and further tags,
// which belong to Adopter. The API server judges the whole object, if the namespace
// exists: what its kind does not have, or its admission policy does not allow, is refused
// before anything is written.
func Carry(ctx context.Context, p *Plan, spec map[string]any, tags map[string]string) error {
	for _, it := range p.Items {
		if !it.Ref.IsBucket() || it.Action != Create {
			continue
		}
		carry(it, spec, tags)
		it.Would = whole(it)
		if p.applier.opts.Fresh || p.applier.opts.Look {
			return nil
		}
		would, err := patchAs(ctx, p.applier, Adopter, it.Ref, it.Would, true)
		if noDryRuns(err) {
			return nil
		}
		if err == nil {
			it.Would = would
		}
		return failure(p.applier, "planned", it.Ref, err)
	}
	return nil
}

// Whole is the Bucket that Carry would have a plan create, nil if it creates none.
func Whole(p *Plan, spec map[string]any, tags map[string]string) *unstructured.Unstructured {
	for _, it := range p.Items {
		if it.Ref.IsBucket() && it.Action == Create {
			carrying := &Item{object: it.object}
			carry(carrying, spec, tags)
			return whole(carrying)
		}
	}
	return nil
}

func carry(it *Item, spec map[string]any, tags map[string]string) {
	it.object = it.object.DeepCopy()
	addTags(it.object, tags)
	it.manner.carried = map[string]any{}
	maps.Copy(it.manner.carried, spec)
	if len(tags) > 0 {
		it.manner.carried[tagging], _, _ = unstructured.NestedMap(it.object.Object, "spec", tagging)
	}
}

// whole is the object with what it carries.
func whole(it *Item) *unstructured.Unstructured {
	object := it.object.DeepCopy()
	for field, value := range it.manner.carried {
		_ = unstructured.SetNestedField(object.Object, value, "spec", field)
	}
	return object
}

// createCarrying creates an object that carries fields. The controller acts on the first version
// of it, so that has everything: as Adopter's, because a run that is killed then loses
// nothing. Then Manager states what is the app's, and Adopter keeps the rest.
func createCarrying(ctx context.Context, a *Applier, it *Item) (*unstructured.Unstructured, error) {
	if _, err := patchAs(ctx, a, Adopter, it.Ref, whole(it), false); err != nil {
		return nil, err
	}
	it.manner.force = true // over Adopter, which has the same values
	if live, err := a.patch(ctx, it, false); err != nil {
		return live, err
	}
	return patchAs(ctx, a, Adopter, it.Ref, only(it.object, it.manner.carried), false)
}

// only is an object that states some fields of the spec.
func only(object *unstructured.Unstructured, spec map[string]any) *unstructured.Unstructured {
	part := &unstructured.Unstructured{Object: map[string]any{}}
	part.SetGroupVersionKind(object.GroupVersionKind())
	part.SetName(object.GetName())
	part.SetNamespace(object.GetNamespace())
	_ = unstructured.SetNestedMap(part.Object, spec, "spec")
	return part
}

// patchAs applies an object as a field manager, over all others.
func patchAs(ctx context.Context, a *Applier, manager string, ref Ref, object *unstructured.Unstructured, dry bool) (out *unstructured.Unstructured, err error) {
	client, err := a.client(ctx, ref.GVK())
	if err != nil {
		return nil, err
	}
	opts := metav1.ApplyOptions{FieldManager: manager, Force: true}
	if dry {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	err = a.retry(ctx, func() (err error) {
		out, err = client.Apply(ctx, ref.Name, object, opts)
		return err
	})
	return out, err
}

// keepAdopted has an item state the tags that its live Bucket has from its S3 bucket:
// the list would otherwise be that of the app alone.
func keepAdopted(it *Item) {
	if !it.Ref.IsBucket() || it.Live == nil || !slices.ContainsFunc(owners(it.Live), owner.isAdopter) {
		return
	}
	it.object = it.object.DeepCopy()
	tags := tagsOf(it.Live)
	maps.DeleteFunc(tags, func(key, _ string) bool { return render.OwnTag(key) })
	addTags(it.object, tags)
}

func (o owner) isAdopter() bool { return o.manager == Adopter && o.applied && o.subresource == "" }

// stateAdopted has Adopter state the tags that are about to change, with everything else
// that it has: its fields stay its own. Before Manager states its part of the object, there
// is nothing to change: what Adopter then dropped would be gone.
func stateAdopted(ctx context.Context, a *Applier, it *Item) error {
	if !it.Ref.IsBucket() || it.Live == nil || !Ours(it.Live) {
		return nil
	}
	spec := adoptedSpec(it.Live)
	want, _, _ := unstructured.NestedMap(it.object.Object, "spec", tagging)
	if spec[tagging] == nil || want == nil || reflect.DeepEqual(spec[tagging], any(want)) {
		return nil
	}
	spec[tagging] = want
	_, err := patchAs(ctx, a, Adopter, it.Ref, only(it.object, spec), false)
	return err
}

// adoptedSpec are the fields of the spec that Adopter has.
func adoptedSpec(live *unstructured.Unstructured) map[string]any {
	if live == nil {
		return nil
	}
	fields := map[string]any{}
	all, _, _ := unstructured.NestedMap(live.Object, "spec")
	for _, o := range owners(live) {
		for field, value := range all {
			if o.isAdopter() && o.below([]string{"spec", field}) {
				fields[field] = value
			}
		}
	}
	return fields
}

// addTags adds tags to those of a Bucket, which win. The list is sorted then, as the chart
// has it: whoever gives the tags to the chart renders the same list.
func addTags(object *unstructured.Unstructured, tags map[string]string) {
	all := tagsOf(object)
	before := len(all)
	for key, value := range tags {
		if _, has := all[key]; !has {
			all[key] = value
		}
	}
	if len(all) == before {
		return
	}
	var list []any
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, map[string]any{"key": key, "value": all[key]})
	}
	_ = unstructured.SetNestedSlice(object.Object, list, "spec", tagging, tagSet)
}

// tagsOf are the tags that a Bucket states.
func tagsOf(object *unstructured.Unstructured) map[string]string {
	tags := map[string]string{}
	list, _, _ := unstructured.NestedSlice(object.Object, "spec", tagging, tagSet)
	for _, one := range list {
		tag, _ := one.(map[string]any)
		key, _ := tag["key"].(string)
		if value, is := tag["value"].(string); is && key != "" {
			tags[key] = value
		}
	}
	return tags
}
