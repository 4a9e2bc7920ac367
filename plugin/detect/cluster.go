package detect

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// askCluster makes all look-ups that are wanted at the same time. Those for
// OpenShift are made on every cluster: to find out first whether it is one
// would take as long as to be told that there is no such thing.
func askCluster(ctx context.Context, s *search) error {
	conn, err := s.req.Connect()
	if err != nil {
		return err
	}
	s.conn, s.result.Conn = conn, conn
	namespace(s)
	given := s.given
	group, ctx := errgroup.WithContext(ctx)
	if !given.Platform.Known() || !given.Region.Known() {
		group.Go(func() error { return s.infrastructure(ctx) })
	} else {
		s.infraKnown()
	}
	if !given.ClusterID.Known() {
		group.Go(func() error { return clusterID(ctx, s) })
	}
	if !given.Issuer.Known() {
		group.Go(func() error { return issuer(ctx, s) })
	}
	switch {
	case !given.APIVersions.Known() || !given.Platform.Known():
		group.Go(func() error { return discovery(ctx, s) })
	case !given.KubeVersion.Known():
		group.Go(func() error { return version(ctx, s) })
	}
	return group.Wait()
}

// namespace takes the kubeconfig's where none was given.
func namespace(s *search) {
	if !s.given.Namespace.Known() {
		name, _ := s.conn.Namespace()
		s.result.Facts.Namespace = render.Fact{Value: name, Source: s.conn.NamespaceSource()}
	}
}

func discovery(ctx context.Context, s *search) error {
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

func version(ctx context.Context, s *search) error {
	version, err := s.conn.Version(ctx)
	if why, err := unknown(s, err, "/version"); why != "" || err != nil {
		s.result.Facts.KubeVersion.Why = why
		return err
	}
	s.result.Facts.KubeVersion = render.Fact{Value: version, Source: "/version"}
	return nil
}

// read gets an object, or why it cannot be known; only a failure of the
// connection itself is an error.
func read(ctx context.Context, s *search, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, string, error) {
	object, err := s.conn.Read(ctx, resource, namespace, name)
	why, err := unknown(s, err, resource.Resource+"/"+name)
	return object, why, err
}

// unknown tells an answer that only leaves a fact unknown (forbidden, not
// there) from a failure that would meet every other request as well.
func unknown(s *search, err error, what string) (why string, failure error) {
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
func clusterID(ctx context.Context, s *search) error {
	object, why, err := read(ctx, s, kinds.ClusterVersion.GVR(), "", "version")
	if err != nil {
		return err
	}
	fact := &s.result.Facts.ClusterID
	if object != nil {
		*fact = render.Fact{Value: health.Text(object.Object, "spec", "clusterID"), Source: "clusterversions/version"}
		if !fact.Known() {
			*fact = render.Fact{Why: "clusterversions/version has none"}
		}
		return nil
	}
	fact.Why = why
	if id := recordedClusterID(ctx, s, why); id != "" {
		recorded := render.Fact{Value: id, Source: "configmaps/" + render.ManagedBy}
		if (render.Facts{ClusterID: recorded}).Validate() == nil {
			*fact = recorded
		}
	}
	return nil
}

// recordedClusterID is a hint only: that it cannot be read matters to nobody.
func recordedClusterID(ctx context.Context, s *search, why string) string {
	if why != "you may not read clusterversions/version" {
		return ""
	}
	if s.req.RecordedClusterID != nil {
		id, _ := s.req.RecordedClusterID(ctx)
		return id
	}
	object, _, err := read(ctx, s, kinds.ConfigMap.GVR(), s.result.Facts.Namespace.Value, render.ManagedBy)
	if err != nil || object == nil {
		return ""
	}
	return health.Text(object.Object, "data", "clusterID")
}
