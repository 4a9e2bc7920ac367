package apply

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
)

func skeleton(of *unstructured.Unstructured, uid string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": of.GetAPIVersion(), "kind": of.GetKind()}}
	obj.SetName(of.GetName())
	obj.SetNamespace(of.GetNamespace())
	obj.SetUID(types.UID(uid))
	return obj
}

func merge(live, patch *unstructured.Unstructured, manager string, force bool) (*unstructured.Unstructured, error) {
	fm := managedfieldstest.NewFakeFieldManager(managedfields.NewDeducedTypeConverter(), patch.GroupVersionKind())
	out, err := fm.Apply(live.DeepCopy(), patch.DeepCopy(), manager, force)
	if err != nil {
		return nil, err
	}
	obj := out.(*unstructured.Unstructured)
	if obj.GetUID() == "" {
		obj.SetUID(live.GetUID())
	}
	obj.SetResourceVersion(live.GetResourceVersion())
	return obj, nil
}

// updated is an object after a merge patch of its spec, with its managers.
func updated(live, patch *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	out := live.DeepCopy()
	if spec, is := patch.Object["spec"]; is {
		out.Object["spec"] = patched(out.Object["spec"], spec)
	}
	fm := managedfieldstest.NewFakeFieldManager(managedfields.NewDeducedTypeConverter(), live.GroupVersionKind())
	result, err := fm.Update(live.DeepCopy(), out, manager)
	if err != nil {
		return nil, err
	}
	return result.(*unstructured.Unstructured), nil
}

// patched is a value after a JSON merge patch (RFC 7396).
func patched(live, patch any) any {
	fields, is := patch.(map[string]any)
	if !is {
		return patch
	}
	out := map[string]any{}
	if have, is := live.(map[string]any); is {
		out = have
	}
	for name, value := range fields {
		if out[name] = patched(out[name], value); value == nil {
			delete(out, name)
		}
	}
	return out
}

func (s *server) remove(r *http.Request) (*unstructured.Unstructured, error) {
	live, err := s.get(r.URL.Path)
	if err != nil {
		return nil, err
	}
	var opts metav1.DeleteOptions
	if err := json.NewDecoder(r.Body).Decode(&opts); err != nil {
		return nil, err
	}
	switch p := opts.Preconditions; {
	case p == nil || p.UID == nil || p.ResourceVersion == nil:
		s.t.Errorf("delete of %s without preconditions", r.URL.Path)
	case *p.UID != live.GetUID() || *p.ResourceVersion != live.GetResourceVersion():
		return nil, apierrors.NewConflict(schema.GroupResource{}, live.GetName(), errors.New("the precondition failed"))
	}
	if opts.PropagationPolicy == nil || *opts.PropagationPolicy != metav1.DeletePropagationBackground {
		s.t.Errorf("delete of %s does not propagate in the background", r.URL.Path)
	}
	delete(s.objects, r.URL.Path)
	return live, nil
}

// put makes an object as somebody else would.
func (s *server) put(obj *unstructured.Unstructured, manager string, applied bool) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	key := path(RefOf(obj))
	live, ok := s.objects[key]
	uid := types.UID("uid-of-" + manager)
	if ok {
		uid = live.GetUID()
	} else {
		live = skeleton(obj, "") // without a uid it is a create, and tracked
	}
	var out *unstructured.Unstructured
	var err error
	if applied {
		out, err = merge(live, obj, manager, true)
	} else {
		fm := managedfieldstest.NewFakeFieldManager(managedfields.NewDeducedTypeConverter(), obj.GroupVersionKind())
		next := obj.DeepCopy()
		next.SetUID(live.GetUID())
		next.SetManagedFields(live.GetManagedFields())
		res, e := fm.Update(live.DeepCopy(), next, manager)
		if err = e; err == nil {
			out = res.(*unstructured.Unstructured)
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.version++
	out.SetUID(uid)
	out.SetResourceVersion(fmt.Sprint(s.version))
	s.objects[key] = out
}

// edit changes a live object by hand, by the named manager.
func (s *server) edit(ref Ref, manager string, change func(map[string]any)) {
	s.t.Helper()
	s.mu.Lock()
	obj := s.objects[path(ref)].DeepCopy()
	s.mu.Unlock()
	change(obj.Object)
	s.put(obj, manager, false)
}

// twice gives two readers of what one holds.
func twice(body io.ReadCloser) (one, two io.ReadCloser, err error) {
	data, err := io.ReadAll(body)
	return io.NopCloser(bytes.NewReader(data)), io.NopCloser(bytes.NewReader(data)), err
}
