package detect

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// config is a resource of OpenShift's own configuration (FACTS.md section 3).
func config(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "config.openshift.io", Version: "v1", Resource: resource}
}

func core(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: resource}
}

// askCluster makes all look-ups that are wanted at the same time. Those for
// OpenShift are made on every cluster: to find out first whether it is one
// would take as long as to be told that there is no such thing.
func (s *search) askCluster(ctx context.Context) error {
	conn, err := s.req.Connect()
	if err != nil {
		return err
	}
	s.conn, s.result.Conn = conn, conn
	s.namespace()
	given := s.given
	group, ctx := errgroup.WithContext(ctx)
	if !given.Platform.Known() || !given.Region.Known() {
		group.Go(func() error { return s.infrastructure(ctx) })
	} else {
		s.infraKnown()
	}
	if !given.ClusterID.Known() {
		group.Go(func() error { return s.clusterID(ctx) })
	}
	if !given.Issuer.Known() {
		group.Go(func() error { return s.issuer(ctx) })
	}
	switch {
	case !given.APIVersions.Known() || !given.Platform.Known():
		group.Go(func() error { return s.discovery(ctx) })
	case !given.KubeVersion.Known():
		group.Go(func() error { return s.version(ctx) })
	}
	return group.Wait()
}

// namespace takes the kubeconfig's where none was given.
func (s *search) namespace() {
	if !s.given.Namespace.Known() {
		name, _ := s.conn.Namespace()
		s.result.Facts.Namespace = render.Fact{Value: name, Source: s.conn.NamespaceSource()}
	}
}

func (s *search) discovery(ctx context.Context) error {
	served, err := s.conn.Discovery(ctx)
	if err != nil {
		return err
	}
	if err := served.Answers("route.openshift.io", "project.openshift.io"); err != nil {
		return err
	}
	s.served = served
	if !s.given.KubeVersion.Known() {
		s.result.Facts.KubeVersion = render.Fact{Value: served.Version, Source: "/version"}
	}
	if !s.given.APIVersions.Known() {
		s.result.Facts.APIVersions = render.ListFact{Values: served.APIVersions, Source: "discovery"}
	}
	return nil
}

func (s *search) version(ctx context.Context) error {
	version, err := s.conn.Version(ctx)
	if why, err := s.unknown(err, "/version"); why != "" || err != nil {
		s.result.Facts.KubeVersion.Why = why
		return err
	}
	s.result.Facts.KubeVersion = render.Fact{Value: version, Source: "/version"}
	return nil
}

// read gets an object, or why it cannot be known; only a failure of the
// connection itself is an error.
func (s *search) read(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, string, error) {
	object, err := s.conn.Read(ctx, resource, namespace, name)
	why, err := s.unknown(err, resource.Resource+"/"+name)
	return object, why, err
}

// unknown tells an answer that only leaves a fact unknown (forbidden, not
// there) from a failure that would meet every other request as well.
func (s *search) unknown(err error, what string) (why string, failure error) {
	switch {
	case err == nil:
		return "", nil
	case apierrors.IsForbidden(err):
		return "you may not read " + what, nil
	case apierrors.IsNotFound(err):
		return "the cluster has no " + what, nil
	case apierrors.IsUnauthorized(err):
		return "", s.conn.Translate(err)
	}
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		return fmt.Sprintf("reading %s failed: %v", what, err), nil
	}
	return "", s.conn.Translate(err)
}

// clusterID is OpenShift's own, or for those who may not read it what an
// earlier run of somebody who may has put on record: a bucket tag would
// otherwise come and go with who ran last.
func (s *search) clusterID(ctx context.Context) error {
	object, why, err := s.read(ctx, config("clusterversions"), "", "version")
	if err != nil {
		return err
	}
	fact := &s.result.Facts.ClusterID
	if object != nil {
		id, _, _ := unstructured.NestedString(object.Object, "spec", "clusterID")
		*fact = render.Fact{Value: id, Source: "clusterversions/version"}
		if id == "" {
			*fact = render.Fact{Why: "clusterversions/version has none"}
		}
		return nil
	}
	fact.Why = why
	if id := s.recordedClusterID(ctx, why); id != "" {
		recorded := render.Fact{Value: id, Source: "configmaps/" + render.ManagedBy}
		if (render.Facts{ClusterID: recorded}).Validate() == nil {
			*fact = recorded
		}
	}
	return nil
}

// recordedClusterID is a hint only: that it cannot be read matters to nobody.
func (s *search) recordedClusterID(ctx context.Context, why string) string {
	if why != "you may not read clusterversions/version" {
		return ""
	}
	if s.req.RecordedClusterID != nil {
		id, _ := s.req.RecordedClusterID(ctx)
		return id
	}
	object, _, err := s.read(ctx, core("configmaps"), s.result.Facts.Namespace.Value, render.ManagedBy)
	if err != nil || object == nil {
		return ""
	}
	id, _, _ := unstructured.NestedString(object.Object, "data", "clusterID")
	return id
}
