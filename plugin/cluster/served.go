package cluster

import (
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
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
}

// Serves reports whether the server serves a kind ("route.openshift.io/v1",
// "Route"); an empty kind asks for the group/version alone.
func (s *Served) Serves(apiVersion, kind string) bool { return false }

// ServesGroup reports whether any version of a group is served.
func (s *Served) ServesGroup(group string) bool { return false }

// Mapper maps kinds to resources.
func (s *Served) Mapper() meta.RESTMapper { return nil }

// Mapping is the resource and scope of a kind. An error names the kind and,
// where its group is Broken, says so.
func (s *Served) Mapping(gvk schema.GroupVersionKind) (*meta.RESTMapping, error) { return nil, nil }
