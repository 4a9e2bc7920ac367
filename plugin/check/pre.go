package check

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// IDs of the checks before an install.
const (
	IDBucketCRD     = "ack-crd"
	IDClusterRights = "cluster-rights"
	IDProjectRights = "project-rights"
	IDBucket        = "bucket-name-taken"
	IDProvider      = "oidc-provider"
	IDRole          = "role-foreign"
	IDObjects       = "object-foreign"
)

// Target is what is about to be installed, and how to look at what is there.
// The funcs are the adapters' own questions; their errors have three parts.
type Target struct {
	Facts     render.Facts
	Conn      *cluster.Conn
	Objects   []*unstructured.Unstructured
	Namespace Namespace

	Bucket   func(context.Context) Finding // may the bucket be made or adopted
	Provider func(context.Context) Finding // does IAM know the issuer
	Role     func(context.Context) Finding // may the role be made or changed
	Plan     func(context.Context) error   // may the objects be made or changed

	// GivenRole, where it is not nil, takes the place of Role. It needs World.
	GivenRole *GivenRole
	// World, where it is given, is asked for a controller. The checks of what is
	// installed look at it more closely, so that theirs leave it out.
	World *live.World
	// FirstRun says that nothing is installed yet: the controller's role is looked at
	// before the app's is made, and not again.
	FirstRun bool
	// ControllerComes says that one is installed before the objects are made.
	ControllerComes bool
}

// Namespace is the state of the project an install goes to.
type Namespace int

// The states.
const (
	NamespaceExists  Namespace = iota
	NamespaceMissing           // not there, or not to be seen by this user
	NamespaceEither            // for the list of checks, not to be run
)

// Pre are the checks that must pass before anything is touched.
func Pre(t Target) []Check {
	checks := []Check{
		{ID: IDBucketCRD, Group: Controller, Severity: Error, Title: "the cluster knows ACK's Bucket", Run: t.bucketCRD},
		{ID: IDBucket, Group: Bucket, Severity: Error, Title: "the bucket name is free or ours", Run: t.Bucket},
		{ID: IDProvider, Group: Identity, Severity: Error, Title: "IAM knows the cluster's issuer", Run: t.Provider},
	}
	if t.GivenRole != nil {
		checks = append(checks, t.givenRole()...)
	} else {
		checks = append(checks, Check{ID: IDRole, Group: Identity, Severity: Error, Title: "the role is free or ours", Run: t.Role})
	}
	if t.World != nil && !t.ControllerComes {
		checks = append(checks, Check{
			ID: IDController, Group: Controller, Severity: Warning, Needs: []string{IDBucketCRD},
			Title: "an ACK S3 controller is installed", Run: t.controller,
		})
		if t.FirstRun {
			checks = append(checks, Check{
				ID: IDControllerRole, Group: Controller, Severity: Error, Needs: []string{IDController},
				Title: controllerRoleTitle, Run: t.controllerRole,
			})
		}
	}
	if t.Namespace != NamespaceExists {
		checks = append(checks, Check{
			ID: IDProjectRights, Group: Cluster, Severity: Error,
			Title: "you may make the project and Buckets in it", Run: t.projectRights,
		})
	}
	if t.Namespace != NamespaceMissing {
		checks = append(
			checks,
			Check{
				ID: IDClusterRights, Group: Cluster, Severity: Error, Needs: []string{IDBucketCRD},
				Title: "you may make every object", Run: t.clusterRights,
			},
			Check{
				ID: IDObjects, Group: Ownership, Severity: Error, Needs: []string{IDBucketCRD},
				Title: "the objects are free or ours", Run: failing(t.Plan),
			},
		)
	}
	return checks
}

// found is a check of something that is known already.
func found(err error) func(context.Context) Finding {
	return func(context.Context) Finding { return Fail(err) }
}

func failing(look func(context.Context) error) func(context.Context) Finding {
	return func(ctx context.Context) Finding { return Fail(look(ctx)) }
}

func (t Target) bucketCRD(ctx context.Context) Finding {
	served, err := t.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	if t.ControllerComes || served.Serves(BucketAPI, "Bucket") {
		return Pass()
	}
	return Finding{
		Status: Failed,
		What:   "the cluster does not know Buckets (" + BucketAPI + ")",
		Why:    "the ACK S3 controller, which turns them into S3 buckets, is not installed",
		Next:   advice.ControllerFor(t.Facts.Namespace.Value),
	}
}

func (t Target) controllerRole(ctx context.Context) Finding { return judgeControllerRole(ctx, t.World) }

// controller looks for one, where this user may look. That there is none to be
// seen is no refusal: one may run outside of the cluster.
func (t Target) controller(ctx context.Context) Finding {
	all, err := t.World.Controllers(ctx)
	switch {
	case apierrors.IsForbidden(err):
		return Leave(findsController)
	case err != nil:
		return Fail(t.Conn.Translate(err))
	case len(all.Proven) > 0:
		return Pass()
	case len(all.Unverified) > 0:
		return Unseen(access.Reviewing, "whether "+namesOf(all.Unverified)+" is an ACK S3 controller: whether one runs is not verified")
	}
	why := "without one the Bucket gets no status, and there is no bucket"
	if len(all.Unproven) > 0 {
		why = "not one: " + namesOf(all.Unproven) + ", whose service account is not allowed to list and update Buckets in all projects; " + why
	}
	return Warn("no ACK S3 controller is to be seen in this cluster", why, advice.ControllerFor(t.Facts.Namespace.Value))
}
