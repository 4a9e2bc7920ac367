package live

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// ControllerRoles are the roles that a controller has or is to have.
type ControllerRoles struct {
	// ARNs are those of its environment or its service account, and of each pod, which
	// may be older than both; sorted.
	ARNs []string
	// Unsure says why it may work with other AWS credentials, "" if it does not. The
	// roles then show neither the least nor the most that it can do.
	Unsure string
}

// ControllerRoles looks for the roles of a controller: in its Deployment, in the
// ConfigMaps and Secrets that its environment is made of, at its service account and in
// its pods.
func (w *World) ControllerRoles(ctx context.Context, c ack.Controller) (ControllerRoles, error) {
	told, annotated, hidden := ack.Told{Controller: c}, "", ""
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { told.Env, err = w.ControllerEnvironment(groupCtx, c); return err })
	group.Go(func() (err error) { told.Pods, err = w.ControllerPods(groupCtx, c); return err })
	group.Go(func() (err error) { annotated, err = w.annotatedRole(groupCtx, c); return err })
	group.Go(func() error { hidden = w.unreadSecret(groupCtx, c); return nil })
	if err := group.Wait(); err != nil {
		return ControllerRoles{}, err
	}
	roles := ControllerRoles{Unsure: unsure(told, hidden)}
	switch told.CredentialsFrom() {
	case ack.FromPod:
		roles.ARNs = append(roles.ARNs, told.Env.Values[roleVariable])
	case ack.FromAnnotation:
		roles.ARNs = append(roles.ARNs, annotated)
	}
	for _, pod := range told.Pods {
		role, _ := pod.Variable(c.Container.Name, roleVariable)
		roles.ARNs = append(roles.ARNs, role)
	}
	roles.ARNs = slices.DeleteFunc(roles.ARNs, func(role string) bool { return role == "" })
	slices.Sort(roles.ARNs)
	roles.ARNs = slices.Compact(roles.ARNs)
	if len(roles.ARNs) == 0 && roles.Unsure == "" {
		roles.Unsure = "neither its pods nor its service account name a role"
	}
	return roles, nil
}

const roleVariable = "AWS_ROLE_ARN"

// otherCredentials are the variables by which AWS's SDK for Go finds credentials
// beside, and mostly before, those of a role with a token (config.EnvConfig and
// resolveCredentialChain in its config package).
func otherCredentials() []string {
	return []string{
		"AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_PROFILE", "AWS_DEFAULT_PROFILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	}
}

// unsure says why a controller may not work as the role that it names.
func unsure(told ack.Told, unread string) string {
	for _, name := range otherCredentials() {
		inPod := func(p ack.Pod) bool {
			return slices.ContainsFunc(p.Spec.Containers, func(c corev1.Container) bool {
				return c.Name == told.Container.Name && ack.EnvironmentOf(c, ack.Sources{}).Has(name)
			})
		}
		if told.Env.Has(name) || slices.ContainsFunc(told.Pods, inPod) {
			return "it has AWS credentials that are not those of a role (" + name + ")"
		}
	}
	switch {
	case slices.Contains(told.Env.Hidden, roleVariable):
		return "its role is in a Secret"
	case unread != "":
		return "the Secret " + unread + " of its environment, which may have access keys, cannot be read"
	}
	return ""
}

// unreadSecret is the first Secret of a controller's environment that cannot be read.
func (w *World) unreadSecret(ctx context.Context, c ack.Controller) string {
	_, secrets := ack.Needs(c.Container)
	for _, name := range secrets {
		if _, err := w.Get(ctx, Secrets(), c.Namespace, name); err != nil {
			return name
		}
	}
	return ""
}

func (w *World) annotatedRole(ctx context.Context, c ack.Controller) (string, error) {
	account, err := w.Get(ctx, ServiceAccounts(), c.Namespace, c.Account())
	if err != nil || account == nil {
		return "", err
	}
	return account.GetAnnotations()[ack.RoleAnnotation], nil
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
