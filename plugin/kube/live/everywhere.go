package live

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

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

// Search lists objects of the whole cluster: one request a resource, and one
// more for every 500 objects. What may not be listed so is listed namespace by
// namespace, in those projects that the user may see, or if projects may not be
// listed in the one namespace given ("" for none). The error is the first refusal
// if that one may not be read either. A resource that is not served has no objects.
func Search(ctx context.Context, w *World, wanted []Wanted, otherwise string) (Everywhere, error) {
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
					if e.Refused[namespace] == nil {
						e.Refused[namespace] = map[schema.GroupVersionResource]error{}
					}
					e.Refused[namespace][one.Resource] = err
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

// namespaces are those to go through: where the marks could be listed, those that
// have one; else the projects of the user, else all namespaces. Nil: neither may be
// listed.
func (e *everywhere) namespaces(ctx context.Context, wanted, refused []Wanted) []string {
	if !slices.ContainsFunc(refused, func(o Wanted) bool { return o.Marks }) {
		return e.marked(wanted)
	}
	list, err := e.world.List(ctx, kinds.Project.GVR(), "", "")
	if err != nil {
		list, err = e.world.List(ctx, kinds.Namespace.GVR(), "", "")
	}
	if err != nil {
		return nil
	}
	names := []string{}
	for _, project := range list {
		names = append(names, project.GetName())
	}
	return sorted(names)
}

// marked are the namespaces with a mark, sorted.
func (e *everywhere) marked(wanted []Wanted) []string {
	names := []string{}
	for _, one := range wanted {
		for _, object := range e.Objects[one.Resource] {
			if one.Marks {
				names = append(names, object.GetNamespace())
			}
		}
	}
	return sorted(names)
}

// Others names what is in a namespace besides this tool's objects, what every
// namespace is given when it is made, and what expected says of: "Deployment web".
// Kinds that this user may not list are passed over: they are of those who run
// the cluster. Unlike the rest of this package it asks anew each time.
func Others(ctx context.Context, conn *cluster.Conn, namespace string, expected func(*unstructured.Unstructured) bool) ([]string, error) {
	const atOnce = 8
	served, err := conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	made, err := conn.Dynamic.Resource(kinds.Namespace.GVR()).Get(ctx, namespace, metav1.GetOptions{})
	if err != nil {
		return nil, conn.Translate(err)
	}
	others := others{conn, namespace, made.GetCreationTimestamp().Time, expected}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	var mu sync.Mutex
	var names []string
	for _, resource := range served.InNamespaces() {
		if passing(resource) {
			continue
		}
		group.Go(func() error {
			found, err := others.of(ctx, resource)
			mu.Lock()
			defer mu.Unlock()
			names = append(names, found...)
			return err
		})
	}
	err = group.Wait()
	return sorted(names), err
}

// others is one call of Others.
type others struct {
	conn      *cluster.Conn
	namespace string
	made      time.Time // the namespace
	expected  func(*unstructured.Unstructured) bool
}

func (o others) of(ctx context.Context, resource schema.GroupVersionResource) ([]string, error) {
	all, err := cluster.ListAll(ctx, o.conn.Dynamic.Resource(resource).Namespace(o.namespace), metav1.ListOptions{})
	switch {
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		return nil, nil
	case err != nil:
		return nil, o.conn.Translate(err)
	}
	var names []string
	for _, object := range all {
		if !belongs(resource, object, o.made) && !o.expected(object) {
			names = append(names, object.GetKind()+" "+object.GetName())
		}
	}
	return names, nil
}

// passing are kinds whose objects come and go by themselves, or are only a view
// of something else.
func passing(resource schema.GroupVersionResource) bool {
	switch resource.Group {
	case "metrics.k8s.io", "events.k8s.io", "packages.operators.coreos.com", "project.openshift.io":
		return true
	}
	return slices.Contains([]string{
		"events", "endpoints", "endpointslices", "leases", "controllerrevisions", "appliedclusterresourcequotas",
	}, resource.Resource)
}

// belongs reports whether an object is ours, another's shadow (its owner is
// there to be seen), or something that a project is given when it is made.
func belongs(resource schema.GroupVersionResource, object *unstructured.Unstructured, made time.Time) bool {
	if apply.Ours(object) || len(object.GetOwnerReferences()) > 0 || object.GetLabels()["olm.copiedFrom"] != "" {
		return true
	}
	name := object.GetName()
	switch resource.Resource {
	case "configmaps":
		return slices.Contains([]string{"kube-root-ca.crt", "openshift-service-ca.crt"}, name)
	case "serviceaccounts":
		return slices.Contains([]string{"default", "builder", "deployer"}, name)
	case "secrets":
		return object.GetAnnotations()["kubernetes.io/service-account.name"] != ""
	case "rolebindings":
		if name == "admin" || strings.HasPrefix(name, "system:") {
			return true
		}
	case "limitranges", "resourcequotas", "networkpolicies": // of the project template, if as old as the project
	default:
		return false
	}
	const soon = 10 * time.Second
	return object.GetCreationTimestamp().Sub(made) < soon
}
