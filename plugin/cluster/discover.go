package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
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
	return c.served.at(struct{}{}).get(ctx, c.discover)
}

// discover asks both roots and the version at once: client-go would ask one
// root after the other.
func (c *Conn) discover(ctx context.Context) (*Served, error) {
	var version string
	var core, named *discovered
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		version, err = c.Version(groupCtx)
		return err
	})
	group.Go(func() (err error) {
		core, err = c.root(groupCtx, "/api", coreGroups)
		return err
	})
	group.Go(func() (err error) {
		named, err = c.root(groupCtx, "/apis", namedGroups)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, c.Translate(err)
	}
	all := &discovered{resources: map[schema.GroupVersion]*metav1.APIResourceList{}, broken: map[schema.GroupVersion]error{}}
	for _, part := range []*discovered{core, named} {
		all.groups = append(all.groups, part.groups...)
		for gv, list := range part.resources {
			all.resources[gv] = list
		}
		for gv, err := range part.broken {
			all.broken[gv] = err
		}
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
	gvk := schema.GroupVersionKind{Group: "apidiscovery.k8s.io", Version: "v2", Kind: "APIGroupDiscoveryList"}
	if whole, _ := discovery.ContentTypeIsGVK(form, gvk); whole {
		var list apidiscovery.APIGroupDiscoveryList
		if err := json.Unmarshal(data, &list); err != nil {
			return nil, fmt.Errorf("%s of the API server is not what it should be: %w", path, err)
		}
		groups, resources, broken := discovery.SplitGroupsAndResources(list)
		return &discovered{groups: groups.Groups, resources: resources, broken: broken}, nil
	}
	groups, err := old(data)
	if err != nil {
		return nil, fmt.Errorf("%s of the API server is not what it should be: %w", path, err)
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
				case asStatus(err, &status):
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
