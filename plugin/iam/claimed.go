package iam

import (
	"context"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ClaimedBy reads a role that a project says it has, and reports whether IAM agrees: its
// tags are those of the issuer and the namespace, or its trust policy names the service
// account of the app, by name and not by a pattern. Writing either takes AWS
// permissions, which nobody has by what they may do in the project. A role that does
// not exist, or has another path, is not the one that was claimed.
func ClaimedBy(ctx context.Context, api roleGetter, claimed render.ARN, f render.Facts) (bool, error) {
	actual, err := roleAlone(ctx, api, claimed.Name())
	if err != nil {
		return false, err
	}
	if !actual.Exists || actual.ARN != claimed.String() {
		return false, nil
	}
	return render.Ours(actual.Tags, f) || actual.names(f), nil
}

// names reports whether the trust policy names the app's service account.
func (a *Actual) names(f render.Facts) bool {
	document, err := ParseDocument(a.Trust)
	if err != nil {
		return false
	}
	subject := "system:serviceaccount:" + f.Namespace.Value + ":" + render.ServiceAccount
	provider := render.ProviderARN(f.Partition.Value, f.Account.Value, f.Issuer.Value)
	return slices.ContainsFunc(Admissions(document, f.Issuer.Value), func(one Admission) bool {
		named, open := Named(one.Subject)
		return !one.Deny && one.ByToken && len(one.Strange) == 0 && !open &&
			slices.Contains(one.Principal["Federated"], provider) && slices.Contains(named, subject)
	})
}
