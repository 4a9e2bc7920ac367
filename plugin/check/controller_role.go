package check

import (
	"context"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// IDControllerRole is the check of what the controller's role can manage.
const IDControllerRole = "controller-role"

const controllerRoleTitle = "the controller's role can manage the project's bucket"

// judgeControllerRole looks whether the controller's role reaches the bucket of the
// project: without that the Bucket gets AccessDenied and never syncs. Of several
// controllers one is enough. What may not be read is skipped: it proves nothing.
func judgeControllerRole(ctx context.Context, w *live.World) Finding {
	all, err := w.Controllers(ctx)
	switch {
	case apierrors.IsForbidden(err):
		return Leave("only who may list deployments everywhere can look for the controller")
	case err != nil:
		return Fail(w.Conn.Translate(err))
	}
	worst := Leave("no controller names a role of account " + w.Facts.Account.Value)
	for _, c := range all {
		arn, err := w.ControllerRole(ctx, c)
		switch {
		case apierrors.IsForbidden(err):
			worst = Leave("the service account of " + c.String() + ", which names its role, cannot be read")
			continue
		case err != nil:
			return Fail(w.Conn.Translate(err))
		}
		role, err := render.ParseARNOf(arn, "iam", "role")
		if err != nil || role.Account != w.Facts.Account.Value {
			continue
		}
		switch worst = reaches(ctx, w, role.Name()); worst.Status {
		case Passed:
			return worst
		case Failed:
			if worst.Err != nil {
				return worst
			}
		}
	}
	return worst
}

// reaches judges one role.
func reaches(ctx context.Context, w *live.World, role string) Finding {
	bucket := render.BucketName(w.Namespace)
	covers := func(r iam.Reach) bool { return r.Covers(bucket) }
	reach, err := w.RoleReach(ctx, role, covers)
	switch {
	case errors.Is(err, live.ErrNoAWS), awserr.Denied(err):
		return Leave("the controller's role " + role + " cannot be read")
	case err != nil:
		return Fail(err)
	case covers(reach):
		return Pass()
	case reach.Unknown != "":
		return Leave("the controller's role " + role + " cannot be read: " + reach.Unknown)
	}
	return Refuse(
		"the role of the ACK S3 controller cannot manage the bucket "+bucket,
		"the role "+role+" reaches "+reach.Text(w.Facts.Account.Value)+"; a Bucket for another one gets AccessDenied and is never synced",
		widenRole(role, bucket),
	)
}

// widenRole is what to type so that a role reaches a bucket. By its name a role is
// taken for one that controller install made: that only words the advice.
func widenRole(role, bucket string) string {
	const project = "or choose a project whose bucket it reaches, for example with install --new-project"
	if !strings.HasPrefix(role, render.ControllerAccount+"-") {
		return "ask who manages the controller to allow its role the bucket " + bucket + "\n" + project
	}
	pattern := iam.AnyProjectPattern
	if !iam.MatchPattern(pattern, bucket) {
		pattern = bucket
	}
	return "a cluster admin widens it: " + shell.Words("oc", "ostoy-s3", "controller", "install", "--bucket-pattern", pattern) + "\n" + project
}
