package detect

import (
	"cmp"
	"errors"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

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
