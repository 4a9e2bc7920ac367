package apply

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// ErrNotLookedAt is the error for an object of a kind that a Snapshot has not.
var ErrNotLookedAt = errors.New("not looked at")

// Snapshot is a Resources whose objects were read before, by lists or watches, so
// that a plan made of them sends nothing. It can only be read, as a plan with
// Options.Guess does. Fill it before it is used; it is then safe for concurrent
// use.
type Snapshot struct {
	// Behind is asked for kinds that were not added; nil: they are ErrNotLookedAt.
	Behind Resources

	kinds map[schema.GroupKind]error
	held  map[heldKey]*unstructured.Unstructured
}

type heldKey struct {
	kind            schema.GroupKind
	namespace, name string
}

// Add says that these are all objects of a kind, or why they are not known.
func (s *Snapshot) Add(kind schema.GroupKind, objects []*unstructured.Unstructured, err error) {
	if s.kinds == nil {
		s.kinds, s.held = map[schema.GroupKind]error{}, map[heldKey]*unstructured.Unstructured{}
	}
	s.kinds[kind] = err
	for _, object := range objects {
		s.held[heldKey{kind, object.GetNamespace(), object.GetName()}] = object
	}
}

// Resource implements Resources.
func (s *Snapshot) Resource(ctx context.Context, gvk schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	err, added := s.kinds[gvk.GroupKind()]
	switch {
	case added && err != nil:
		return nil, err
	case added:
		return held{from: s, kind: gvk.GroupKind(), namespace: namespace}, nil
	case s.Behind != nil:
		return s.Behind.Resource(ctx, gvk, namespace)
	}
	return nil, ErrNotLookedAt
}

// held reads from a snapshot. The embedded interface is nil: a plan that only
// looks calls nothing but Get.
type held struct {
	dynamic.ResourceInterface
	from      *Snapshot
	kind      schema.GroupKind
	namespace string
}

// Get implements dynamic.ResourceInterface.
func (h held) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	object := h.from.held[heldKey{h.kind, h.namespace, name}]
	if object == nil {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: h.kind.Group, Resource: h.kind.Kind}, name)
	}
	return object, nil
}
