package cluster

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/restmapper"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

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
		s.Broken[gv.String()] = oneLine(err)
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
	want := apiVersion
	if kind != "" {
		want += "/" + kind
	}
	_, found := slices.BinarySearch(s.APIVersions, want)
	return found
}

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
			return &problem.Error{
				Kind: problem.Failed,
				What: "the API " + gv + " of the cluster does not answer",
				Why:  "it is registered, but the server behind it is away (" + s.Broken[gv] + ")",
				Next: advice.Command("oc get apiservice", version+"."+group) + " shows why; run the same command again when it answers",
			}
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
	p := &problem.Error{
		Kind: problem.Failed,
		What: "the cluster does not serve " + gvk.Kind + " of " + gv,
		Why:  "no such API is installed",
		Next: "install what provides it; oc api-resources lists what there is",
		Err:  err,
	}
	if reason, broken := s.Broken[gv]; broken {
		p.Why = "the API is registered, but the server behind it does not answer (" + reason + ")"
		p.Next = advice.Command("oc get apiservice", gvk.Version+"."+gvk.Group) + " shows why"
		p.Err = nil
	}
	return nil, p
}

func namespaced(mapping *meta.RESTMapping) bool {
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace
}
