package live

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// ControllerRole is the ARN of the role that a controller is to have, by what its
// Deployment itself says, else by the annotation of its service account; "" where
// neither names one. It takes one request at most.
func (w *World) ControllerRole(ctx context.Context, c ack.Controller) (string, error) {
	env := ack.EnvironmentOf(c.Container, ack.Sources{})
	switch (ack.Told{Controller: c, Env: env}).CredentialsFrom() {
	case ack.FromPod:
		return env.Values["AWS_ROLE_ARN"], nil
	case ack.FromAnnotation:
		return w.annotatedRole(ctx, c)
	}
	return "", nil
}

func (w *World) annotatedRole(ctx context.Context, c ack.Controller) (string, error) {
	account, err := w.Get(ctx, ServiceAccounts(), c.Namespace, c.Account())
	if err != nil || account == nil {
		return "", err
	}
	return account.GetAnnotations()[ack.RoleAnnotation], nil
}

// ControllerRoles are the ARNs of all roles that a controller has or is to have: of its
// environment, of its service account, of each pod, which may be older than both.
func (w *World) ControllerRoles(ctx context.Context, c ack.Controller) ([]string, error) {
	told, annotated := ack.Told{Controller: c}, ""
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { told.Env, err = w.ControllerEnvironment(groupCtx, c); return err })
	group.Go(func() (err error) { told.Pods, err = w.ControllerPods(groupCtx, c); return err })
	group.Go(func() (err error) { annotated, err = w.annotatedRole(groupCtx, c); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var roles []string
	switch told.CredentialsFrom() {
	case ack.FromPod:
		roles = append(roles, told.Env.Values["AWS_ROLE_ARN"])
	case ack.FromAnnotation:
		roles = append(roles, annotated)
	}
	for _, pod := range told.Pods {
		role, _ := pod.Variable(c.Container.Name, "AWS_ROLE_ARN")
		roles = append(roles, role)
	}
	roles = slices.DeleteFunc(roles, func(role string) bool { return role == "" })
	slices.Sort(roles)
	return slices.Compact(roles), nil
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
