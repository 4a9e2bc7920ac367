package live

import (
	"cmp"
	"context"
	"errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ErrNoAWS is the answer where there are no AWS credentials to ask with.
var ErrNoAWS = errors.New("no AWS credentials")

// BucketState is whose the bucket is and where, as S3 tells this caller.
func (w *World) BucketState(ctx context.Context) (bucket.State, error) {
	return ask(ctx, w, about{"bucket", ""}, func() (bucket.State, error) {
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
	account, err := w.One(ctx, kinds.ServiceAccount.GVR(), render.ServiceAccount)
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
	found, _ := ask(ctx, w, about{"usual role", ""}, func() (UsualRole, error) {
		name, actual, err := iam.App.Usual(ctx, w.Roles, w.Facts, also)
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
	return askIAM(ctx, w, about{"role", name}, func() (*iam.Actual, error) {
		if known, _ := w.asked.Of(about{"usual role", ""}).Known(); known != nil && known.(UsualRole).Name == name {
			return known.(UsualRole).Actual, known.(UsualRole).Err
		}
		return iam.Look(ctx, w.Roles, name)
	})
}

// askIAM is ask for what only IAM knows.
func askIAM[T any](ctx context.Context, w *World, what about, question func() (T, error)) (none T, err error) {
	if w.Roles == nil {
		return none, ErrNoAWS
	}
	return ask(ctx, w, what, question)
}

// Provider is the account's OIDC provider for the cluster's issuer; one that is
// not there does not exist, which is no error.
func (w *World) Provider(ctx context.Context) (*iam.OIDCProvider, error) {
	return askIAM(ctx, w, about{"provider", ""}, func() (*iam.OIDCProvider, error) {
		f := w.Facts
		return iam.Provider(ctx, w.Roles, render.ProviderARN(f.Partition.Value, f.Account.Value, f.Issuer.Value))
	})
}

// PublicAccess is the bucket's own Block Public Access.
func (w *World) PublicAccess(ctx context.Context) (bucket.PublicAccess, error) {
	return ofBucket(ctx, w, "public", (*bucket.Client).PublicAccess)
}

// BucketPolicy is the bucket's policy, "" without one.
func (w *World) BucketPolicy(ctx context.Context) (string, error) {
	return ofBucket(ctx, w, "policy", (*bucket.Client).Policy)
}

// Encryption is the bucket's default encryption.
func (w *World) Encryption(ctx context.Context) (bucket.Encryption, error) {
	return ofBucket(ctx, w, "encryption", (*bucket.Client).Encryption)
}

// Ownership is the bucket's rule for who owns objects, "" without one.
func (w *World) Ownership(ctx context.Context) (string, error) {
	return ofBucket(ctx, w, "ownership", (*bucket.Client).Ownership)
}

// ofBucket asks the bucket something, where it is, once.
func ofBucket[T any](ctx context.Context, w *World, setting string, read func(*bucket.Client, context.Context, bucket.Target) (T, error)) (T, error) {
	return ask(ctx, w, about{"bucket", setting}, func() (none T, err error) {
		if w.Buckets == nil {
			return none, ErrNoAWS
		}
		state, err := w.BucketState(ctx)
		if err != nil {
			return none, err
		}
		target := bucket.TargetOf(w.Facts)
		target.Region = cmp.Or(state.Region, target.Region)
		return read(w.Buckets, ctx, target)
	})
}

// ManagedPolicy is the text of a managed policy as IAM has it.
func (w *World) ManagedPolicy(ctx context.Context, arn string) (string, error) {
	return askIAM(ctx, w, about{"managed policy", arn}, func() (string, error) {
		return iam.ManagedPolicy(ctx, w.Roles, arn)
	})
}

// InlinePolicy is the text of one of the role's inline policies as IAM has it.
func (w *World) InlinePolicy(ctx context.Context, name string) (string, error) {
	return askIAM(ctx, w, about{"inline policy", name}, func() (string, error) {
		return iam.InlinePolicy(ctx, w.Roles, w.RoleName(ctx), name)
	})
}

// Orphans are roles of ours, of any project, that nobody can assume any more.
func (w *World) Orphans(ctx context.Context) ([]iam.Found, error) {
	return askIAM(ctx, w, about{"orphans", ""}, func() ([]iam.Found, error) {
		return iam.Orphans(ctx, w.Roles, w.Facts.Issuer.Value)
	})
}

// BucketNames are the names of all buckets of the account.
func (w *World) BucketNames(ctx context.Context) ([]string, error) {
	if w.Buckets == nil {
		return nil, ErrNoAWS
	}
	return bucket.Names(ctx, w.Buckets)
}

// RoleReach is what a role of the account can configure in S3; enough as in
// iam.ReadReach.
func (w *World) RoleReach(ctx context.Context, name string, enough func(iam.Reach) bool) (iam.Reach, error) {
	if w.Roles == nil {
		return iam.Reach{}, ErrNoAWS
	}
	return iam.ReadReach(ctx, w.Roles, name, w.Facts.Account.Value, enough)
}
