package detect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
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

// finish decides what needs more than one source, and says why the unknown
// facts are unknown.
func (s *search) finish() {
	f := &s.result.Facts
	if !f.Platform.Known() && s.conn != nil {
		f.Platform = platform(s)
	}
	s.region()
	s.blame()
	s.result.Facts = f.Complete()
	if a := s.result.AWS; a != nil && a.Config.Region == "" {
		a.Config.Region = cmp.Or(f.Region.Value, anyRegion)
	}
}

// region is the cluster's; else the AWS configuration's; else, on EKS, the one
// in the issuer.
func (s *search) region() {
	fact := &s.result.Facts.Region
	if fact.Known() {
		return
	}
	var whys []string
	if s.infra.why != "" {
		whys = append(whys, s.infra.why)
	}
	switch {
	case s.infra.region != "":
		*fact = render.Fact{Value: s.infra.region, Source: infrastructureSource}
		return
	case s.result.AWS != nil && s.result.AWS.ConfiguredRegion != "":
		*fact = render.Fact{Value: s.result.AWS.ConfiguredRegion, Source: "AWS configuration"}
		if s.infra.why != "" {
			s.note("the region is your AWS configuration's, because " + s.infra.why)
		}
		return
	case s.result.AWS != nil:
		whys = append(whys, "no region is configured for AWS")
	}
	if region := render.EKSRegion(s.result.Facts.Issuer.Value); region != "" {
		*fact = render.Fact{Value: region, Source: "issuer"}
		return
	}
	*fact = render.Fact{Why: strings.Join(whys, ", ")}
}

// blame gives every unknown fact without a reason the failure of its source.
func (s *search) blame() {
	f := &s.result.Facts
	fill := func(known bool, why *string, failures ...error) {
		for _, failure := range failures {
			if !known && *why == "" && failure != nil {
				*why = plain.Line(failure.Error())
			}
		}
	}
	onCluster, onAWS := s.result.ClusterFailure, s.result.AWSFailure
	for _, fact := range []*render.Fact{&f.Namespace, &f.ClusterID, &f.Platform, &f.Issuer, &f.KubeVersion} {
		fill(fact.Known(), &fact.Why, onCluster)
	}
	fill(f.APIVersions.Known(), &f.APIVersions.Why, onCluster)
	fill(f.Region.Known(), &f.Region.Why, onCluster, onAWS)
	fill(f.Account.Known(), &f.Account.Why, onAWS)
}

// Require is Facts.Require, except that where a fact is missing because a
// source failed (a server that does not answer, refused credentials) the error
// is of that failure's kind: trying again may help, other flags need not. A
// source that is simply not there (no kubeconfig, no credentials) is no failure.
func (r Result) Require() error {
	failure := r.Failure()
	missing := r.Facts.Require()
	if missing == nil {
		return failure
	}
	var list, p *problem.Error
	if !errors.As(missing, &list) || !errors.As(failure, &p) {
		return missing
	}
	if p.Kind == problem.Usage { // wrong input: nothing else is worth saying
		return failure
	}
	return &problem.Error{Kind: p.Kind, What: list.What, Why: list.Why, Next: p.Next + "\n" + list.Next, Err: errors.Join(failure, missing)}
}

// Failure is the first source that is there and failed.
func (r Result) Failure() error {
	for _, err := range []error{r.ClusterFailure, r.AWSFailure} {
		if err != nil && !errors.Is(err, cluster.ErrNotConfigured) && !errors.Is(err, ErrNoCredentials) {
			return err
		}
	}
	return nil
}
