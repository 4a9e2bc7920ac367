package apply

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"
)

// A field that somebody set by hand beside those that are applied can contradict them: the
// settings of a rolling update beside the strategy Recreate, a second source of a variable or
// of a volume, a second handler of a probe. The API server refuses the object then, however
// it is applied, because an apply removes no field that it does not own. So such a field is
// removed first, in a request of its own, if nobody but people have set it.

// clashes are the fields that the API server names where it refuses an object of ours as
// invalid, if they can be removed; else none.
func clashes(a *Applier, it *Item, err error) []string {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil || it.Live == nil || !a.ours(it.Live) {
		return nil
	}
	var fields []string
	for _, cause := range status.Status().Details.Causes {
		fields = append(fields, cause.Field)
	}
	if cleared(it.Live, it.object, fields) == nil {
		return nil
	}
	return fields
}

// cleared is a live object without what people set that contradicts the stated one in these
// fields, and with what is stated there; nil if there is nothing of that. A field that is
// invalid only because another one is, or for another reason, is for the API server to judge
// again.
func cleared(live, stated *unstructured.Unstructured, fields []string) *unstructured.Unstructured {
	out, found := live.DeepCopy(), false
	for _, field := range fields {
		at, known := placeOf(out.Object, stated.Object, field)
		extra := at.extra()
		if !known || len(extra) == 0 || slices.ContainsFunc(extra, func(name string) bool { return !setByHand(live, append(at.path, step{field: name})) }) {
			continue
		}
		found = true
		for _, name := range extra {
			delete(at.live, name)
		}
		for name, value := range at.stated {
			at.live[name] = overlay(at.live[name], value)
		}
	}
	if !found {
		return nil
	}
	return out
}

// setByHand reports whether people have set a field, and nobody else owns it. What an apply
// of ours owned it would remove itself.
func setByHand(live *unstructured.Unstructured, path []step) bool {
	return !slices.ContainsFunc(owners(live), func(o owner) bool {
		return !o.isUs() && covers(o.set, path) && (o.applied || o.subresource != "" || !ByPerson(o.manager))
	})
}

// place is a field of a live object: the map that it is in, and what is stated there.
type place struct {
	path         []step // to the map
	live, stated map[string]any
	field        string
}

// extra are the names that contradict what is stated: the field, or, if that is stated, the
// others beside it that hold more than one value.
func (p place) extra() []string {
	if _, is := p.stated[p.field]; !is {
		if _, there := p.live[p.field]; !there || p.stated == nil {
			return nil
		}
		return []string{p.field}
	}
	var names []string
	for name, value := range p.live {
		_, stated := p.stated[name]
		_, object := value.(map[string]any)
		if object && !stated {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// placeOf finds a field as the API server names it: spec.template.spec.containers[0].env[2].valueFrom.
func placeOf(live, stated any, field string) (place, bool) {
	var path []step
	named, parts := regexp.MustCompile(`^([^\[\]]+)(?:\[(\d+)\])?$`), strings.Split(field, ".")
	for n, part := range parts {
		words := named.FindStringSubmatch(part)
		is, ok := live.(map[string]any)
		if words == nil || !ok {
			return place{}, false
		}
		wanted, _ := stated.(map[string]any)
		if n == len(parts)-1 {
			return place{path, is, wanted, part}, words[2] == ""
		}
		live, stated = is[words[1]], wanted[words[1]]
		path = append(path, step{field: words[1]})
		if words[2] == "" {
			continue
		}
		list, _ := live.([]any)
		index, err := strconv.Atoi(words[2])
		if err != nil || index >= len(list) {
			return place{}, false
		}
		live, stated = list[index], counterpart(list, stated, index)
		path = append(path, step{element: true, index: index, value: live})
	}
	return place{}, false
}

// counterpart is what is stated of an element of a live list, nil if nothing is.
func counterpart(live []any, stated any, index int) any {
	list, _ := stated.([]any)
	key := listKey(live, list)
	if key == "" {
		return nil
	}
	return keyed(list, key)[keyOf(live[index], key)]
}

// tryCleared asks what an apply would make of an object whose clashes are removed first.
func tryCleared(ctx context.Context, a *Applier, it *Item) (*unstructured.Unstructured, error) {
	client, err := a.client(ctx, it.Ref.GVK())
	if err != nil {
		return nil, err
	}
	patch, err := mergePatch(it.Live, imagine(cleared(it.Live, it.object, it.manner.clashes), it.object))
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	return client.Patch(ctx, it.Ref.Name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: Manager, DryRun: []string{metav1.DryRunAll}})
}

// differences are what an apply would change. Of an object with clashes the API server was
// asked for an update, which makes no field ours.
func differences(it *Item) (changes []FieldChange, owned []string) {
	changes, owned = compare(it.Live, it.Would)
	if len(it.manner.clashes) > 0 {
		would := imagine(cleared(it.Live, it.object, it.manner.clashes), it.object)
		changes = changed(it.Live, would, func([]step) bool { return true })
	}
	return changes, owned
}

// removeClashes removes the clashes of an object, unless that was done before an answer was lost.
func removeClashes(ctx context.Context, a *Applier, it *Item) error {
	_, err := a.change(ctx, it.Ref, func(live *unstructured.Unstructured) (map[string]any, error) {
		to := cleared(live, it.object, it.manner.clashes)
		if !a.ours(live) || to == nil {
			return nil, nil
		}
		return mergePatch(live, to)
	})
	return err
}

// clears is the patch of Write.Clears. It has no elements of lists: a merge patch states a list
// as a whole, with values that people set and that are for nobody to print.
func clears(it *Item) map[string]any {
	if len(it.manner.clashes) == 0 || slices.ContainsFunc(it.manner.clashes, func(field string) bool { return strings.Contains(field, "[") }) {
		return nil
	}
	to := cleared(it.Live, it.object, it.manner.clashes)
	if to == nil {
		return nil
	}
	patch, _ := mergePatch(it.Live, to) // of two decoded objects
	return patch
}

// mergePatch is the JSON merge patch that makes one object of another.
func mergePatch(from, to *unstructured.Unstructured) (map[string]any, error) {
	before, err := from.MarshalJSON()
	if err != nil {
		return nil, err
	}
	after, err := to.MarshalJSON()
	if err != nil {
		return nil, err
	}
	data, err := jsonmergepatch.CreateThreeWayJSONMergePatch(before, after, before)
	if err != nil {
		return nil, err
	}
	var patch map[string]any
	return patch, json.Unmarshal(data, &patch)
}
