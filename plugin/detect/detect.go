package detect

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
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
	notes         notes
}

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
			switch m.Name {
			case "accountID":
				w.aws = true
			case "region":
				w.cluster, w.aws = true, true
			default:
				w.cluster = true
			}
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
		return s.tolerate(ctx, &s.result.ClusterFailure, s.askCluster(groupCtx))
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
