package live

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Ingresses of any namespace.
func Ingresses() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
}

// Projects are OpenShift's: the list has those that its reader may see.
func Projects() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "project.openshift.io", Version: "v1", Resource: "projects"}
}

// Wanted are objects that are looked for in the whole cluster.
type Wanted struct {
	Resource schema.GroupVersionResource
	Selector string
	// Marks says that a namespace with one of them is of interest: in the others
	// nothing else is looked for by a user who has to go through them one by one.
	Marks bool
}

// Everywhere is what was found.
type Everywhere struct {
	Objects map[schema.GroupVersionResource][]*unstructured.Unstructured
	// Unseen are the resources that could not be listed, and why; what may not be
	// listed in some of the namespaces that were gone through is in Refused.
	Unseen map[schema.GroupVersionResource]error
	// Searched are the namespaces that were gone through, for a user who may not
	// list the whole cluster; nil for one who may.
	Searched []string
	// Refused is, by namespace of those, what may not be listed there.
	Refused map[string]map[schema.GroupVersionResource]error
	// Unreadable are those of Searched where no mark may be listed: whether
	// something is there is not known.
	Unreadable []string
	// Alone says that the user may list neither projects nor namespaces, so that
	// only one namespace was gone through.
	Alone bool
}

// Everywhere lists objects of the whole cluster: one request a resource, and one
// more for every 500 objects. What may not be listed so is listed namespace by
// namespace, in those projects that the user may see, or if projects may not be
// listed in the one namespace given ("" for none). The error is the first refusal
// if that one may not be read either. A resource that is not served has no objects.
func (w *World) Everywhere(ctx context.Context, wanted []Wanted, otherwise string) (Everywhere, error) {
	e := &everywhere{world: w, Everywhere: Everywhere{
		Objects: map[schema.GroupVersionResource][]*unstructured.Unstructured{},
		Unseen:  map[schema.GroupVersionResource]error{},
		Refused: map[string]map[schema.GroupVersionResource]error{},
	}}
	e.each(ctx, wanted, []string{""})
	var refused []Wanted
	for _, one := range wanted {
		if apierrors.IsForbidden(e.Unseen[one.Resource]) {
			refused = append(refused, one)
		}
	}
	if len(refused) == 0 || ctx.Err() != nil {
		return e.Everywhere, ctx.Err()
	}
	first := e.Unseen[refused[0].Resource]
	namespaces := e.namespaces(ctx, wanted, refused)
	if namespaces == nil {
		if e.Alone, namespaces = true, []string{otherwise}; otherwise == "" {
			return e.Everywhere, first
		}
	}
	for _, one := range refused {
		delete(e.Unseen, one.Resource)
	}
	e.Searched = namespaces
	marks := slices.DeleteFunc(slices.Clone(refused), func(o Wanted) bool { return !o.Marks })
	rest := slices.DeleteFunc(slices.Clone(refused), func(o Wanted) bool { return o.Marks })
	e.each(ctx, marks, namespaces)
	e.Unreadable = e.unreadable(wanted)
	if e.Alone && len(e.Unreadable) > 0 && ctx.Err() == nil {
		return e.Everywhere, first
	}
	e.each(ctx, rest, e.marked(wanted))
	return e.Everywhere, ctx.Err()
}

// unreadable are the namespaces where each mark is refused.
func (e *everywhere) unreadable(wanted []Wanted) []string {
	return slices.DeleteFunc(slices.Clone(e.Searched), func(namespace string) bool {
		return slices.ContainsFunc(wanted, func(one Wanted) bool { return one.Marks && e.Refused[namespace][one.Resource] == nil })
	})
}

type everywhere struct {
	Everywhere
	world *World
	mu    sync.Mutex
}

// atOnce is how many lists are asked for at the same time.
const atOnce = 16

// each lists resources in namespaces; "" is the whole cluster.
func (e *everywhere) each(ctx context.Context, wanted []Wanted, namespaces []string) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, namespace := range namespaces {
		for _, one := range wanted {
			group.Go(func() error {
				found, err := e.world.List(ctx, one.Resource, namespace, one.Selector)
				e.mu.Lock()
				defer e.mu.Unlock()
				switch {
				case apierrors.IsNotFound(err): // the kind is not served
				case apierrors.IsForbidden(err) && namespace != "":
					e.refuse(namespace, one.Resource, err)
				case err != nil:
					e.Unseen[one.Resource] = err
				default:
					e.Objects[one.Resource] = append(e.Objects[one.Resource], found...)
				}
				return nil
			})
		}
	}
	_ = group.Wait() // none gives an error
}

// refuse notes what may not be listed in a namespace; the caller holds the lock.
func (e *everywhere) refuse(namespace string, resource schema.GroupVersionResource, err error) {
	if e.Refused[namespace] == nil {
		e.Refused[namespace] = map[schema.GroupVersionResource]error{}
	}
	e.Refused[namespace][resource] = err
}

// namespaces are those to go through: where the marks could be listed, those that
// have one; else the projects of the user, else all namespaces. Nil: neither may be
// listed.
func (e *everywhere) namespaces(ctx context.Context, wanted, refused []Wanted) []string {
	if !slices.ContainsFunc(refused, func(o Wanted) bool { return o.Marks }) {
		return e.marked(wanted)
	}
	list, err := e.world.List(ctx, Projects(), "", "")
	if err != nil {
		list, err = e.world.List(ctx, Namespaces(), "", "")
	}
	if err != nil {
		return nil
	}
	names := []string{}
	for _, project := range list {
		names = append(names, project.GetName())
	}
	slices.Sort(names)
	return names
}

// marked are the namespaces with a mark, sorted.
func (e *everywhere) marked(wanted []Wanted) []string {
	names := []string{}
	for _, one := range wanted {
		if !one.Marks {
			continue
		}
		for _, object := range e.Objects[one.Resource] {
			names = append(names, object.GetNamespace())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
