package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Provider asks whether IAM knows the issuer and takes our audience.
func Provider(ctx context.Context, w *live.World) Finding {
	provider, err := w.Provider(ctx)
	return judgeProvider(provider, err, w.Facts)
}

func judgeProvider(provider *iam.OIDCProvider, err error, f render.Facts) Finding {
	issuer, audience := f.Issuer.Value, f.Audience.Value
	arn := render.ProviderARN(f.Partition.Value, f.Account.Value, issuer)
	switch {
	case awserr.Denied(err):
		return Unseen("iam:GetOpenIDConnectProvider on "+arn, "whether IAM knows the issuer")
	case err != nil:
		return Fail(err)
	case !provider.Exists:
		return Refuse(
			"IAM does not know the issuer "+issuer,
			fmt.Sprintf("account %s has no OIDC provider %s, so no pod of this cluster can assume a role there", f.Account.Value, arn),
			"use the account that the cluster was created in (--profile), or register the issuer:\n"+
				advice.Command("aws iam create-open-id-connect-provider", "--url", issuer, "--client-id-list", "openshift", "sts.amazonaws.com"),
		)
	case !provider.Takes(audience):
		return Refuse(
			"the OIDC provider of the cluster does not take audience "+audience,
			"its client ids are "+strings.Join(provider.ClientIDs, ", "),
			advice.Command("aws iam add-client-id-to-open-id-connect-provider", "--open-id-connect-provider-arn", arn, "--client-id", audience),
		)
	}
	return Pass()
}
