package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/restmapper"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// discovered is one look at what is served, before it is arranged.
type discovered struct {
	groups    []metav1.APIGroup
	resources map[schema.GroupVersion]*metav1.APIResourceList
	broken    map[schema.GroupVersion]error
}

// Discovery is what the API server serves; asked once for all callers. It
// costs three requests at the same time: /version, /api and /apis. Servers
// before Kubernetes 1.30 do not put everything into the last two and are asked
// for each group, again at the same time.
func (c *Conn) Discovery(ctx context.Context) (*Served, error) {
	return c.served.Of(struct{}{}).Value(ctx, func() (*Served, error) { return c.discover(ctx) })
}

// discover asks both roots and the version at once: client-go would ask one
// root after the other.
func (c *Conn) discover(ctx context.Context) (*Served, error) {
	var version string
	var core, named *discovered
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { version, err = c.Version(groupCtx); return err })
	group.Go(func() (err error) { core, err = c.root(groupCtx, "/api", coreGroups); return err })
	group.Go(func() (err error) { named, err = c.root(groupCtx, "/apis", namedGroups); return err })
	if err := group.Wait(); err != nil {
		return nil, c.Translate(err)
	}
	all := &discovered{resources: map[schema.GroupVersion]*metav1.APIResourceList{}, broken: map[schema.GroupVersion]error{}}
	for _, part := range []*discovered{core, named} {
		all.groups = append(all.groups, part.groups...)
		maps.Copy(all.resources, part.resources)
		maps.Copy(all.broken, part.broken)
	}
	return newServed(version, all), nil
}

// root reads one of the two roots, in whichever of the two forms it comes.
func (c *Conn) root(ctx context.Context, path string, old func([]byte) ([]metav1.APIGroup, error)) (*discovered, error) {
	var form string
	data, err := c.REST().Get().AbsPath(path).
		SetHeader("Accept", discovery.AcceptV2+","+discovery.AcceptV1).
		Do(ctx).ContentType(&form).Raw()
	if apierrors.IsNotFound(err) {
		return &discovered{}, nil
	}
	if err != nil {
		return nil, err
	}
	gvk := apidiscovery.SchemeGroupVersion.WithKind("APIGroupDiscoveryList")
	if whole, _ := discovery.ContentTypeIsGVK(form, gvk); whole {
		var list apidiscovery.APIGroupDiscoveryList
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, decoded(path, err)
		}
		groups, resources, broken := discovery.SplitGroupsAndResources(list)
		return &discovered{groups: groups.Groups, resources: resources, broken: broken}, nil
	}
	groups, err := old(data)
	if err != nil {
		return nil, decoded(path, err)
	}
	return c.each(ctx, groups)
}

// each asks for the resources of every version of groups.
func (c *Conn) each(ctx context.Context, groups []metav1.APIGroup) (*discovered, error) {
	const atOnce = 16
	found := &discovered{groups: groups, resources: map[schema.GroupVersion]*metav1.APIResourceList{}, broken: map[schema.GroupVersion]error{}}
	var mu sync.Mutex
	requests, requestsCtx := errgroup.WithContext(ctx)
	requests.SetLimit(atOnce)
	for _, group := range groups {
		for _, version := range group.Versions {
			gv := schema.GroupVersion{Group: group.Name, Version: version.Version}
			requests.Go(func() error {
				list, err := c.raw.ServerResourcesForGroupVersionWithContext(requestsCtx, gv.String())
				mu.Lock()
				defer mu.Unlock()
				switch status := apierrors.APIStatus(nil); {
				case err == nil:
					found.resources[gv] = list
				case errors.As(err, &status):
					found.broken[gv] = err
				default:
					return err
				}
				return nil
			})
		}
	}
	return found, requests.Wait()
}

// coreGroups reads the old form of /api.
func coreGroups(data []byte) ([]metav1.APIGroup, error) {
	var versions metav1.APIVersions
	if err := json.Unmarshal(data, &versions); err != nil {
		return nil, err
	}
	var group metav1.APIGroup
	for _, v := range versions.Versions {
		group.Versions = append(group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: v, Version: v})
	}
	if len(group.Versions) > 0 {
		group.PreferredVersion = group.Versions[0]
	}
	return []metav1.APIGroup{group}, nil
}

// namedGroups reads the old form of /apis.
func namedGroups(data []byte) ([]metav1.APIGroup, error) {
	var list metav1.APIGroupList
	err := json.Unmarshal(data, &list)
	return list.Groups, err
}

// Served is what an API server serves.
type Served struct {
	// Version is the server's, for example v1.33.4.
	Version string
	// APIVersions lists group/version and group/version/Kind, sorted: the form
	// of Helm's --api-versions.
	APIVersions []string
	// Broken maps a group/version that is registered but does not answer to
	// the reason: an aggregated API whose server is down.
	Broken map[string]string

	groups []*restmapper.APIGroupResources
	mapper func() meta.RESTMapper // built at first use
}

// newServed arranges what discovery gave.
func newServed(version string, found *discovered) *Served {
	s := &Served{Version: version, Broken: map[string]string{}}
	for gv, err := range found.broken {
		s.Broken[gv.String()] = oneLine(err.Error())
	}
	for _, group := range found.groups {
		resources := &restmapper.APIGroupResources{Group: group, VersionedResources: map[string][]metav1.APIResource{}}
		for _, version := range group.Versions {
			list, ok := found.resources[schema.GroupVersion{Group: group.Name, Version: version.Version}]
			if !ok {
				continue
			}
			resources.VersionedResources[version.Version] = list.APIResources
			s.APIVersions = append(s.APIVersions, version.GroupVersion)
			for _, r := range list.APIResources {
				if !strings.Contains(r.Name, "/") {
					s.APIVersions = append(s.APIVersions, version.GroupVersion+"/"+r.Kind)
				}
			}
		}
		s.groups = append(s.groups, resources)
	}
	slices.Sort(s.APIVersions)
	s.APIVersions = slices.Compact(s.APIVersions)
	s.mapper = sync.OnceValue(func() meta.RESTMapper { return restmapper.NewDiscoveryRESTMapper(s.groups) })
	return s
}

// Serves reports whether the server serves a kind ("route.openshift.io/v1",
// "Route"); an empty kind asks for the group/version alone.
func (s *Served) Serves(apiVersion, kind string) bool {
	_, found := slices.BinarySearch(s.APIVersions, strings.TrimSuffix(apiVersion+"/"+kind, "/"))
	return found
}

// Has reports whether a kind is served, in the version of the table.
func (s *Served) Has(k kinds.Kind) bool { return s.Serves(k.GVK().GroupVersion().String(), k.String()) }

// ServesGroup reports whether any version of a group is served.
func (s *Served) ServesGroup(group string) bool {
	i, _ := slices.BinarySearch(s.APIVersions, group+"/")
	return i < len(s.APIVersions) && strings.HasPrefix(s.APIVersions[i], group+"/")
}

// InNamespaces lists the resources that are in namespaces and can be listed, each
// once: in the version that its group prefers, or, where that has it not (OLM's
// Subscriptions are in v1alpha1 only), in the first that has.
func (s *Served) InNamespaces() []schema.GroupVersionResource {
	var all []schema.GroupVersionResource
	for _, group := range s.groups {
		versions := append([]metav1.GroupVersionForDiscovery{group.Group.PreferredVersion}, group.Group.Versions...)
		seen := map[string]bool{}
		for _, version := range versions {
			for _, r := range group.VersionedResources[version.Version] {
				if !seen[r.Name] && r.Namespaced && !strings.Contains(r.Name, "/") && slices.Contains(r.Verbs, "list") {
					seen[r.Name] = true
					all = append(all, schema.GroupVersionResource{Group: group.Group.Name, Version: version.Version, Resource: r.Name})
				}
			}
		}
	}
	return all
}

// Answers is nil if none of the groups is registered with a server that does
// not answer now. Where one is, whether the cluster has its kinds cannot be told:
// to go on would take an OpenShift for a plain Kubernetes.
func (s *Served) Answers(groups ...string) error {
	for _, gv := range slices.Sorted(maps.Keys(s.Broken)) {
		group, version, _ := strings.Cut(gv, "/")
		if slices.Contains(groups, group) {
			return problem.Fail("the API "+gv+" of the cluster does not answer",
				"it is registered, but the server behind it is away ("+s.Broken[gv]+")",
				advice.Command("oc get apiservice", version+"."+group)+" shows why; run the same command again when it answers")
		}
	}
	return nil
}

// Mapping is the resource and scope of a kind. The *problem.Error for a kind
// that is not served wraps a meta.NoKindMatchError; that for one whose group is
// Broken does not: its objects are there, and will be seen again.
func (s *Served) Mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) {
	mapping, err := s.mapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err == nil {
		return mapping, nil
	}
	gv := gvk.GroupVersion().String()
	p := problem.Fail("the cluster does not serve "+gvk.Kind+" of "+gv,
		"no such API is installed",
		"install what provides it; oc api-resources lists what there is").Because(err)
	if reason, broken := s.Broken[gv]; broken {
		p.Why = "the API is registered, but the server behind it does not answer (" + reason + ")"
		p.Next = advice.Command("oc get apiservice", gvk.Version+"."+gvk.Group) + " shows why"
		p.Err = nil
	}
	return nil, p
}
