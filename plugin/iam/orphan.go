package iam

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Orphans are the roles managed by ostoy-s3, of apps and of controllers, of any namespace,
// whose OIDC provider is gone: nobody can assume them any more. A rebuilt cluster,
// which gets another issuer, leaves them. Roles of the issuer given do not count.
//
// A list of roles has the trust policies, so it takes three requests and one more
// for each role that nobody can assume, whose tags say whether it is ours. For a
// caller who may not list, awserr.Denied(err) is true; one who may list the roles of
// apps alone sees those.
func Orphans(ctx context.Context, api Lister, issuer string) ([]Found, error) {
	roles, controllers, providers := map[string]Listed{}, map[string]Listed{}, []string(nil)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		roles, err = List(groupCtx, api, render.RolePath)
		return err
	})
	group.Go(func() (err error) {
		if controllers, err = List(groupCtx, api, render.ControllerRolePath); awserr.Denied(err) {
			err = nil
		}
		return err
	})
	group.Go(func() (err error) {
		providers, err = listProviders(groupCtx, api)
		return awserr.Translate(err, "iam:ListOpenIDConnectProviders", "the account's OIDC providers")
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	maps.Copy(roles, controllers)
	var suspects []string
	for _, role := range roles {
		if trustsNobody(role.Trust, providers) {
			suspects = append(suspects, role.Name)
		}
	}
	return ownOf(ctx, api, suspects, func(made string) bool {
		known := func(arn string) bool { return strings.HasSuffix(arn, ":oidc-provider/"+render.IssuerHostPath(made)) }
		return made != issuer && !slices.ContainsFunc(providers, known)
	})
}

// ownOf leaves those roles whose tags say that we made them, for an issuer that is
// gone: where only the trust policy is wrong, the cluster's own check tells. One
// that the caller may not look at is left out.
func ownOf(ctx context.Context, api Finder, names []string, gone func(issuer string) bool) ([]Found, error) {
	looked := make([]*Found, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxLooks)
	for i, name := range names {
		group.Go(func() error {
			a := &Actual{}
			err := readRole(ctx, api, name, a)
			switch {
			case awserr.Denied(err):
				return nil
			case err != nil:
				return err
			}
			if a.Exists && a.Tags[render.TagManagedBy] == render.ManagedBy && gone(a.Tags[render.TagIssuer]) {
				looked[i] = &Found{Name: name, ARN: a.ARN, Path: a.Path, Tags: a.Tags}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var own []Found
	for _, one := range looked {
		if one != nil {
			own = append(own, *one)
		}
	}
	slices.SortFunc(own, func(a, b Found) int { return cmp.Compare(a.Name, b.Name) })
	return own, nil
}

// trustsNobody reports whether all that a trust policy names are OIDC providers
// that are not there.
func trustsNobody(trust string, providers []string) bool {
	d, err := ParseDocument(trust)
	if err != nil || len(d.Statement) == 0 {
		return false
	}
	for _, s := range d.Statement {
		for kind, who := range s.Principal {
			if kind != "Federated" || slices.ContainsFunc(who, func(one string) bool { return slices.Contains(providers, one) }) {
				return false
			}
		}
	}
	return true
}

// listProviders are the ARNs of the account's OIDC providers; IAM has at most
// 100 of them and gives them all at once.
func listProviders(ctx context.Context, api Lister) ([]string, error) {
	out, err := api.ListOpenIDConnectProviders(ctx, &awsiam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return nil, err
	}
	arns := make([]string, len(out.OpenIDConnectProviderList))
	for i, one := range out.OpenIDConnectProviderList {
		arns[i] = aws.ToString(one.Arn)
	}
	return arns, nil
}
