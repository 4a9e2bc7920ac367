package live

import (
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ErrNoAWS is the answer where there are no AWS credentials to ask with.
var ErrNoAWS = errors.New("no AWS credentials")

// BucketState is whose the bucket is and where, as S3 tells this caller.
func (w *World) BucketState(ctx context.Context) (bucket.State, error) {
	return w.bucketState.get(ctx, func() (bucket.State, error) {
		if w.Buckets == nil {
			return bucket.State{}, ErrNoAWS
		}
		return w.Buckets.Look(ctx, w.Facts)
	})
}

// RoleName is the name of the install's role: the one given, or by the inventory,
// then by the service account's annotation, then the usual one.
func (w *World) RoleName(ctx context.Context) string {
	if w.RoleNamed != "" {
		return w.RoleNamed
	}
	inventory, _ := w.Inventory(ctx)
	if name := w.nameIn(inventory.RoleARN); name != "" {
		return name
	}
	account, err := w.One(ctx, ServiceAccounts(), render.ServiceAccount)
	if err == nil && account != nil {
		if name := w.nameIn(account.GetAnnotations()[RoleAnnotation]); name != "" {
			return name
		}
	}
	return render.RoleName(w.Facts.Issuer.Value, w.Namespace)
}

// RoleAnnotation is the service account annotation that names the role.
const RoleAnnotation = ack.RoleAnnotation

// nameIn is the name in the ARN of a role of our account, "" for anything else.
func (w *World) nameIn(arn string) string {
	parsed, err := render.ParseARNOf(arn, "iam", "role")
	if err != nil || !advice.RoleARN(arn).Legal() || parsed.Account != w.Facts.Account.Value {
		return ""
	}
	return parsed.Name()
}

// Role is the install's role as IAM has it; one that is not there does not
// exist, which is no error. Which of its policies the caller may not read stands
// in the answer.
func (w *World) Role(ctx context.Context) (*iam.Actual, error) {
	return w.role.get(ctx, func() (*iam.Actual, error) {
		if w.Roles == nil {
			return nil, ErrNoAWS
		}
		return iam.Look(ctx, w.Roles, w.RoleName(ctx))
	})
}

// Provider is the account's OIDC provider for the cluster's issuer; one that is
// not there does not exist, which is no error.
func (w *World) Provider(ctx context.Context) (*iam.OIDCProvider, error) {
	return w.provider.get(ctx, func() (*iam.OIDCProvider, error) {
		if w.Roles == nil {
			return nil, ErrNoAWS
		}
		f := w.Facts
		return iam.Provider(ctx, w.Roles, render.ProviderARN(f.Partition.Value, f.Account.Value, f.Issuer.Value))
	})
}
