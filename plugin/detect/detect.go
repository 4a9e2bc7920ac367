// Package detect fills render.Facts: from what was given by flag or facts
// file, from the cluster, and from AWS STS.
//
// A fact that was given is not asked for, and when nothing is left to ask
// neither the kubeconfig nor the AWS credentials are even read. Independent
// look-ups run at the same time. What a project admin may not read stays
// unknown with the reason, and is never an error by itself.
//
// It changes nothing: the only request that is not a read is a TokenRequest
// with dryRun=All, whose token is decoded for its issuer and dropped.
package detect

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ErrNotSTS is the cause of the error for a cluster whose tokens AWS cannot check.
var ErrNotSTS = render.ErrNotSTS

// Policy is how eagerly the cluster and AWS are asked.
type Policy int

const (
	// AskMissing asks for every fact that was not given; a cluster or an AWS
	// account that cannot be reached is an error. For install, status and all
	// else that works on the cluster anyway.
	AskMissing Policy = iota
	// AskNeeded asks only if the given facts do not suffice to render, and
	// goes on without a source that cannot be reached: Result.Require then
	// says what is missing and why. For render, values and facts.
	AskNeeded
	// AskNothing never asks.
	AskNothing
)

// AWSOptions choose the AWS credentials and region, as the AWS CLI's flags do.
type AWSOptions struct {
	Profile string
	Region  string // empty: AWS_REGION, then the profile's
}

// Request is what Detect is asked for.
type Request struct {
	// Given are the facts by flag and facts file; they win and are not asked for.
	Given render.Facts
	// Connect gives the connection; it is called at most once, and not at all
	// when nothing is to be asked of the cluster. It must not send requests.
	Connect func() (*cluster.Conn, error)
	// AWS chooses the credentials; they are read only if needed.
	AWS AWSOptions
	// TokenNamespaces are where a token may be asked for its issuer, in order.
	// Empty: the target namespace, then the kubeconfig context's.
	TokenNamespaces []string
	// RecordedClusterID gives the cluster id an earlier run put on record, for
	// a caller who has read the inventory anyway. Nil: it is read here. It is
	// called only where the cluster's own may not be read.
	RecordedClusterID func(ctx context.Context) (string, error)
	// Policy is how eagerly to ask.
	Policy Policy
}

// Result is what was found.
type Result struct {
	// Facts are complete (render.Facts.Complete) but not validated.
	Facts render.Facts
	// Caller is who AWS says we are, in short: role/Admin, user/bob, root.
	// Empty if STS was not asked.
	Caller string
	// Notes say in a sentence each what a reader of the plan should know about
	// how a fact was found.
	Notes []string
	// Conn is the connection, nil if the cluster was not needed.
	Conn *cluster.Conn
	// AWS is the loaded configuration, nil if AWS was not needed.
	AWS *AWS
	// IssuerNeedsProject says that the issuer is unknown only because there is
	// no project yet to ask a token in: make it, then call IssuerFromToken.
	IssuerNeedsProject bool
	// ClusterFailure and AWSFailure are why a source could not be asked, where
	// the policy went on without it.
	ClusterFailure, AWSFailure error
}

// Detect finds the facts that were not given. Given facts are validated first,
// before anything is asked. With an error the Result holds what was found so far.
func Detect(ctx context.Context, req Request) (Result, error) {
	if err := req.Given.Validate(); err != nil {
		return Result{Facts: req.Given}, err
	}
	s := newSearch(req)
	err := s.run(ctx)
	s.finish()
	if err == nil {
		err = s.issuerProblem
	}
	return s.result, err
}

// search is one run of Detect. Each look-up writes its own facts only, so that
// they need no lock; what needs several is decided in finish.
type search struct {
	req    Request
	given  render.Facts
	want   wants
	result Result
	conn   *cluster.Conn

	infra         infrastructure
	infraDone     chan struct{} // closed when infra is as good as it gets
	infraKnown    func()        // closes it
	served        *cluster.Served
	issuerProblem error
}

// note adds what a reader of the plan should know.
func (s *search) note(text string) { s.result.Notes = append(s.result.Notes, text) }

// wants is what is left to ask.
type wants struct {
	cluster, aws bool
}

func newSearch(req Request) *search {
	given := req.Given
	if issuer, err := render.NormalizeIssuer(given.Issuer.Value); err == nil {
		given.Issuer.Value = issuer
	}
	done := make(chan struct{})
	return &search{
		req:        req,
		given:      given,
		want:       wanted(given, req.Policy),
		result:     Result{Facts: given},
		infraDone:  done,
		infraKnown: sync.OnceFunc(func() { close(done) }),
	}
}

// wanted decides which sources have to be asked at all.
func wanted(f render.Facts, policy Policy) wants {
	clusterHas := !f.Namespace.Known() || !f.Issuer.Known() || !f.Region.Known() || !f.Platform.Known() ||
		!f.ClusterID.Known() || !f.KubeVersion.Known() || !f.APIVersions.Known()
	awsHas := !f.Account.Known() || !f.Region.Known()
	switch policy {
	case AskMissing:
		return wants{cluster: clusterHas, aws: awsHas}
	case AskNeeded:
		var w wants
		for _, m := range f.Missing() {
			w.aws = w.aws || m.Name == "accountID" || m.Name == "region"
			w.cluster = w.cluster || m.Name != "accountID"
		}
		return w
	}
	return wants{}
}

// run asks the cluster and AWS at the same time. A source that fails ends the
// search, unless the policy allows to go on without it.
func (s *search) run(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer s.infraKnown()
		if !s.want.cluster {
			return nil
		}
		return s.tolerate(ctx, &s.result.ClusterFailure, askCluster(groupCtx, s))
	})
	group.Go(func() error {
		if !s.want.aws {
			return nil
		}
		return s.tolerate(ctx, &s.result.AWSFailure, s.askAWS(groupCtx))
	})
	return group.Wait()
}

// tolerate keeps a source's failure for later where the policy says so; an
// interrupted run is never tolerated.
func (s *search) tolerate(ctx context.Context, failure *error, err error) error {
	if err == nil || s.req.Policy != AskNeeded || ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return err
	}
	*failure = err
	return nil
}

// Issuer asks the cluster for its service account issuer and for nothing else, for
// a caller that needs no other fact of the cluster. A given issuer is returned as
// it is. The error says why it stays unknown.
func Issuer(ctx context.Context, req Request) (render.Fact, error) {
	s := newSearch(req)
	if s.given.Issuer.Known() {
		return s.given.Issuer, nil
	}
	conn, err := req.Connect()
	if err != nil {
		return render.Fact{}, err
	}
	s.conn = conn
	namespace(s)
	if err := issuer(ctx, s); err != nil {
		return render.Fact{}, err
	}
	return s.result.Facts.Issuer, s.issuerProblem
}

// infrastructure is what infrastructures/cluster says, or why it says nothing.
type infrastructure struct {
	read   bool
	region string
	hosted bool // the control plane runs elsewhere
	rosa   bool
	why    string
}

const infrastructureSource = "infrastructures/cluster"

func (s *search) infrastructure(ctx context.Context) error {
	object, why, err := read(ctx, s, kinds.Infrastructure.GVR(), "", "cluster")
	if err != nil {
		return err
	}
	s.infra = infrastructure{why: why}
	if object != nil {
		s.infra = parseInfrastructure(object.Object)
	}
	s.infraKnown()
	return nil
}

// parseInfrastructure reads the status of infrastructures/cluster (openshift/api,
// config/v1/types_infrastructure.go). ROSA marks the AWS resources of its clusters by tags.
func parseInfrastructure(object map[string]any) infrastructure {
	infra := infrastructure{
		read: true, region: health.Text(object, "status", "platformStatus", "aws", "region"),
		hosted: health.Text(object, "status", "controlPlaneTopology") == "External",
	}
	if infra.region == "" {
		infra.why = infrastructureSource + " names no AWS region"
	}
	infra.rosa = slices.ContainsFunc(health.Maps(object, "status", "platformStatus", "aws", "resourceTags"), func(tag map[string]any) bool {
		return tag["key"] == "red-hat-clustertype" && tag["value"] == "rosa"
	})
	return infra
}

// platform decides from the surest sign to the weakest: OpenShift's own word,
// the issuer's host, the vendor in the version, the API groups served.
func platform(s *search) render.Fact {
	fact := func(platform, source string) render.Fact { return render.Fact{Value: platform, Source: source} }
	if s.infra.read {
		redHat := strings.Contains(s.result.Facts.Issuer.Value, ".openshiftapps.com")
		switch {
		case s.infra.hosted && (s.infra.rosa || redHat):
			return fact(render.PlatformROSAHCP, infrastructureSource)
		case s.infra.rosa:
			return fact(render.PlatformROSAClassic, infrastructureSource)
		}
		return fact(render.PlatformOpenShift, infrastructureSource)
	}
	if s.served == nil {
		return render.Fact{Why: s.infra.why}
	}
	if s.served.ServesGroup("config.openshift.io") || s.served.ServesGroup("route.openshift.io") {
		return fact(render.PlatformOpenShift, "API groups served")
	}
	if platform := render.PlatformOfIssuer(s.result.Facts.Issuer.Value); platform == render.PlatformEKS {
		return fact(platform, "issuer")
	}
	if strings.Contains(s.served.Version, "-eks-") {
		return fact(render.PlatformEKS, "/version")
	}
	return fact(render.PlatformKubernetes, "API groups served")
}
