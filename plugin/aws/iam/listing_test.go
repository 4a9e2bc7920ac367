package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// listing is a fake that also has OIDC providers.
type listing struct {
	*fake
	providers []string
}

var _ Lister = (*listing)(nil)

func (l *listing) ListOpenIDConnectProviders(context.Context, *awsiam.ListOpenIDConnectProvidersInput, ...func(*awsiam.Options)) (*awsiam.ListOpenIDConnectProvidersOutput, error) {
	out := &awsiam.ListOpenIDConnectProvidersOutput{}
	for _, arn := range l.providers {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, types.OpenIDConnectProviderListEntry{Arn: aws.String(arn)})
	}
	return out, nil
}
