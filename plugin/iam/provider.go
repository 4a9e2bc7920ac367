package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
)

// OIDCProvider is an IAM OIDC identity provider: the account's trust in an issuer.
type OIDCProvider struct {
	Exists    bool
	ClientIDs []string // the audiences it takes
}

// Takes reports whether tokens for the audience get through the provider. A
// token for another one is refused with "Incorrect token audience", whatever
// the role's trust policy says.
func (p *OIDCProvider) Takes(audience string) bool {
	return p.Exists && slices.Contains(p.ClientIDs, audience)
}

// Provider looks at the provider with this ARN. An absent one is no error;
// for a caller who may not look, awserr.Denied(err) is true.
func Provider(ctx context.Context, api ProviderReader, arn string) (*OIDCProvider, error) {
	out, err := api.GetOpenIDConnectProvider(ctx, &awsiam.GetOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: aws.String(arn),
	})
	if awserr.Missing(err) {
		return &OIDCProvider{}, nil
	}
	if err != nil {
		return nil, awserr.Translate(err, "iam:GetOpenIDConnectProvider", arn)
	}
	return &OIDCProvider{Exists: true, ClientIDs: out.ClientIDList}, nil
}
