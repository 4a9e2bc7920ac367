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
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
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
	return Refuse("the role of the ACK S3 controller cannot manage the bucket "+bucket,
		"the role "+role+" reaches "+reach.Text(w.Facts.Account.Value)+"; a Bucket for another one gets AccessDenied and is never synced",
		WidenRole(strings.HasPrefix(role, render.ControllerAccount+"-"), bucket, reach))
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

// IDs of the checks of what a Bucket can reach.
const (
	IDBucketPolicy = "bucket-policy"
	IDBucketReach  = "bucket-reach"
)

// restorePolicy is what creates the policy, and reverts what was changed of it. Where the
// controller is outside of the cluster, the command would install another one.
func restorePolicy(ctx context.Context, w *live.World, found live.Admission, state operator.PolicyState) string {
	controllers, err := w.Controllers(ctx)
	if err == nil && len(controllers.Proven)+len(controllers.Unverified) == 0 && live.Worked(ctx, w) != "" {
		return "ask who manages the controller outside this cluster to limit its role to the S3 buckets of this cluster's projects"
	}
	return "a cluster admin runs: " + found.Restore(state)
}

// policy wants the admission policy for Buckets to be enforced as it was rendered,
// wherever there can be Buckets: a controller may run outside of the cluster, or in a way
// that no Deployment shows.
func policy(ctx context.Context, w *live.World) Finding {
	served, err := w.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	if !served.Has(kinds.Bucket) {
		return Leave("the cluster does not know Buckets (" + BucketAPI + ")")
	}
	found, err := live.ReadAdmission(ctx, w)
	if err != nil {
		return unreadable(w.Conn, err, "get validatingadmissionpolicies and validatingadmissionpolicybindings",
			"whether Buckets are restricted to the S3 buckets of their own project")
	}
	if !found.Served {
		return worstFirst(append(trusted(ctx, w, nil), Warn("Buckets are not restricted to the S3 buckets of their own project: the cluster does not serve ValidatingAdmissionPolicies",
			"they exist from Kubernetes 1.30 and OpenShift 4.17 on; without them "+operator.AnyBucket,
			"upgrade the cluster; then "+restorePolicy(ctx, w, found, operator.PolicyNotServed))))
	}
	seen := operator.Inspect(found.Policy, found.Binding)
	return worstFirst(append([]Finding{inspected(ctx, w, found, seen), exempt(ctx, w, seen.Exempt)}, trusted(ctx, w, seen.Exempt)...))
}

// inspected judges the policy and its binding by themselves.
func inspected(ctx context.Context, w *live.World, found live.Admission, seen operator.Inspection) Finding {
	switch state, what, why := seen.State(); state {
	case operator.PolicyEnforced:
		return Pass()
	case operator.PolicyWarned:
		return Warn("the admission policy "+operator.PolicyName+" "+what, why+"; "+operator.WarnedMeans, operator.WarnedNext)
	default:
		return Warn("the admission policy "+operator.PolicyName+" "+what, strings.TrimPrefix(why+"; ", "; ")+"without it "+operator.AnyBucket, restorePolicy(ctx, w, found, state))
	}
}

// exempt wants each service account that the policy does not check to be that of a
// controller, by what it is allowed to do: if there is none, anybody who can create its
// namespace can use it. That no controller is found says nothing about the policy.
func exempt(ctx context.Context, w *live.World, accounts []string) Finding {
	controllers, err := w.Controllers(ctx)
	if err != nil {
		return unreadable(w.Conn, err, "list deployments in all namespaces", "whether the policy exempts only controllers")
	}
	unused, err := w.UnusedAccounts(ctx, accounts, controllers.All)
	switch {
	case err != nil:
		return unreadable(w.Conn, err, access.Reviewing, "whether the accounts that the policy exempts are those of controllers")
	case len(unused) == 0:
		return Pass()
	}
	none := ""
	if len(controllers.Proven) == 0 {
		none = "; no controller was found among the Deployments of the cluster, and the account is not allowed to list and update Buckets in all projects"
	}
	return Warn("the admission policy "+operator.PolicyName+" exempts an account that no controller uses",
		strings.Join(unused, ", ")+none+": a user who can create that namespace can create the account, too", "the policy exempts only the controllers that the installation finds; "+restorePolicy(ctx, w, live.Admission{}, operator.PolicyEnforced))
}

// trusted wants that no RoleBinding gives anybody but cluster admins permissions in the
// namespaces of the controllers: there the policy can be evaded. What it finds is in the
// order of the namespaces.
func trusted(ctx context.Context, w *live.World, accounts []string) []Finding {
	controllers, err := w.Controllers(ctx)
	if err != nil {
		return nil // that is said of the accounts that are exempt
	}
	var all []Finding
	for _, one := range live.Trusts(ctx, w, accounts, live.AccountsOf(controllers.All)) {
		all = append(all, trustedOne(ctx, w, one))
	}
	return all
}

func trustedOne(ctx context.Context, w *live.World, one live.Trust) Finding {
	switch {
	case one.Missing:
		return Warn("namespace "+one.Namespace+" does not exist",
			"the policy exempts a service account of it: a user who can create that namespace can create the account, too", restorePolicy(ctx, w, live.Admission{}, operator.PolicyEnforced))
	case len(one.Writers) > 0:
		return Warn("users who are not cluster admins can write to namespace "+one.Namespace, one.Writers.Why(), one.Ways())
	case one.Needs != "":
		return Unseen(one.Needs, "whether users who are not cluster admins can act as the controller in namespace "+one.Namespace)
	case one.Err != nil:
		return Fail(w.Conn.Translate(one.Err))
	}
	return Pass()
}
