package check

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// IDControllerRole is the check of what the controller's role can manage.
const IDControllerRole = "controller-role"

// findsController is why nothing is said of the controller to who may not look for one.
const findsController = "requires list deployments.apps in all namespaces (finds the controller)"

const controllerRoleTitle = "the controller's role can manage the project's bucket"

// judgeControllerRole looks whether the controller's role reaches the bucket of the
// project: without that the Bucket gets AccessDenied and never syncs. Only proven
// controllers count, because every editor of a project can create a Deployment that
// names a role. Of several controllers one is enough, and one whose role cannot be read
// may be that one: it is skipped, as it proves nothing.
func judgeControllerRole(ctx context.Context, w *live.World) Finding {
	found, err := w.Controllers(ctx)
	switch {
	case apierrors.IsForbidden(err):
		return Leave(findsController)
	case err != nil:
		return Fail(w.Conn.Translate(err))
	case len(found.Proven) == 0 && len(found.Unverified) > 0:
		return Unseen(access.Reviewing, "which Deployment is a controller, and whether its role can manage the bucket "+render.BucketName(w.Namespace))
	case len(found.Proven) == 0:
		return Leave(noneProven)
	}
	var findings []Finding
	for _, c := range found.Proven {
		findings = append(findings, judgeRolesOf(ctx, w, c)...)
	}
	return mostLenient(findings)
}

// mostLenient is the finding of several controllers, in whatever order they are: a pass
// if one passes, else one that is not known, else a refusal. An error ends the check.
func mostLenient(findings []Finding) Finding {
	rank := func(f Finding) int {
		switch {
		case f.Err != nil:
			return 3
		case f.Status == Passed:
			return 2
		case f.Status != Failed:
			return 1
		}
		return 0
	}
	best := findings[0]
	for _, f := range findings[1:] {
		if rank(f) > rank(best) {
			best = f
		}
	}
	return best
}

// judgeRolesOf judges the roles that a controller has; at least one finding.
func judgeRolesOf(ctx context.Context, w *live.World, c ack.Controller) []Finding {
	roles, err := live.RolesOf(ctx, w, c)
	switch {
	case apierrors.IsForbidden(err):
		return []Finding{Leave("the settings, the pods or the service account of " + c.String() + ", which name its role, cannot be read")}
	case err != nil:
		return []Finding{Fail(w.Conn.Translate(err))}
	case roles.Unsure != "":
		return []Finding{Leave("what " + c.String() + " can manage is not known: " + awserr.Redact(roles.Unsure))}
	}
	var findings []Finding
	for _, arn := range roles.ARNs {
		role, err := render.ParseARNOf(arn, "iam", "role")
		if err != nil || role.Account != w.Facts.Account.Value {
			findings = append(findings, Leave(c.String()+" names no role of account "+w.Facts.Account.Value))
			continue
		}
		name := advice.RoleName(role.Name())
		if !name.Legal() {
			findings = append(findings, Leave(c.String()+" names "+name.String()))
			continue
		}
		findings = append(findings, reaches(ctx, w, name.Word()))
	}
	return findings
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
	case covers(reach) && reach.Unbounded != "":
		return Leave("what the permissions boundary of the controller's role " + role + " allows cannot be read: " + reach.Unbounded)
	case covers(reach):
		return Pass()
	case reach.Unknown != "":
		return Leave("the controller's role " + role + " cannot be read: " + reach.Unknown)
	}
	return Refuse(
		"the role of the ACK S3 controller cannot manage the bucket "+bucket,
		"the role "+role+" reaches "+reach.Text(w.Facts.Account.Value)+"; a Bucket for another one gets AccessDenied and is never synced",
		WidenRole(strings.HasPrefix(role, render.ControllerAccount+"-"), bucket, reach),
	)
}

// WidenRole is what to do so that a controller's role, which reaches other buckets,
// reaches a bucket. Of a role that is not managed by ostoy-s3 its manager has to decide;
// the check decides that by the name of the role, which only words the advice.
func WidenRole(managed bool, bucket string, reach iam.Reach) string {
	const project = "use a project whose bucket the role covers, for example with install --new-project"
	if !managed {
		return "ask who manages the controller to allow its role the bucket " + bucket + "\nor " + project
	}
	if reach.Within != nil && !slices.ContainsFunc(reach.Within, func(p string) bool { return iam.MatchPattern(p, bucket) }) {
		return "ask a cluster admin to change the permissions boundary of the role, which does not allow the bucket " + bucket + "\nor " + project
	}
	pattern := iam.WiderPattern(reach.Patterns, bucket)
	command := advice.Command("oc ostoy-s3 controller install", "--bucket-pattern", cmp.Or(pattern, "PATTERN"))
	switch pattern {
	case "":
		return project + "\nor a cluster admin chooses a pattern that covers " + bucket + " besides " + plain.Line(strings.Join(reach.Patterns, " and ")) + ": " + command
	case iam.AnyProjectPattern:
		return project + "\nor, if the controller may manage every S3 bucket of the account whose name ends with -bucket, also those not managed by ostoy-s3, " +
			"a cluster admin runs: " + command
	}
	return "a cluster admin runs: " + command + "\nor " + project
}
