package live

import (
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
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
// then by the service account's annotation, then a usual one.
func (w *World) RoleName(ctx context.Context) string {
	if name := w.roleNamed(ctx); name != "" {
		return name
	}
	if w.Roles == nil || !w.Facts.Issuer.Known() {
		return render.RoleName(w.Facts.Issuer.Value, w.Namespace)
	}
	return w.UsualRole(ctx, iam.Counts{}).Name
}

// roleNamed is RoleName if it is given or the project names it, "" otherwise.
func (w *World) roleNamed(ctx context.Context) string {
	if w.RoleNamed != "" {
		return w.RoleNamed
	}
	inventory, _ := w.Inventory(ctx)
	if name := w.nameIn(inventory.RoleARN); name != "" {
		return name
	}
	return w.annotated(ctx)
}

// annotated is the name of the role that the service account has, "" if it has none.
func (w *World) annotated(ctx context.Context) string {
	account, err := w.One(ctx, ServiceAccounts(), render.ServiceAccount)
	if err != nil || account == nil {
		return ""
	}
	return w.nameIn(account.GetAnnotations()[RoleAnnotation])
}

// UsualRole is what iam.Usual returns: the role that has the name of a new role, or the one
// that an earlier version created.
type UsualRole struct {
	Name   string
	Actual *iam.Actual
	Err    error
}

// UsualRole asks IAM for the role that the project has unless something names another. If
// IAM refuses to show one, the service account chooses between the two names: everybody
// who can edit the project can write it, and both names are the project's. IAM is asked
// once: later calls get the answer to the first. AWS credentials and the issuer are required.
func (w *World) UsualRole(ctx context.Context, also iam.Counts) UsualRole {
	found, _ := w.usual.get(ctx, func() (UsualRole, error) {
		name, actual, err := iam.Usual(ctx, w.Roles, w.Facts, also)
		if earlier := render.EarlierRoleName(w.Facts.Issuer.Value, w.Namespace); awserr.Denied(err) && w.annotated(ctx) == earlier {
			name = earlier
		}
		return UsualRole{name, actual, err}, err
	})
	return found
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

// Role is RoleOf the install's role.
func (w *World) Role(ctx context.Context) (*iam.Actual, error) {
	if w.Roles == nil {
		return nil, ErrNoAWS
	}
	return w.RoleOf(ctx, w.RoleName(ctx))
}

// RoleOf is the role of this name as IAM has it; one that is not there does not exist,
// which is no error. Which of its policies the caller is not allowed to read is in the
// answer.
func (w *World) RoleOf(ctx context.Context, name string) (*iam.Actual, error) {
	return w.roles.get(ctx, name, func() (*iam.Actual, error) {
		if w.Roles == nil {
			return nil, ErrNoAWS
		}
		if known, ok := w.usual.answer(); ok && known.Name == name {
			return known.Actual, known.Err
		}
		return iam.Look(ctx, w.Roles, name)
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
