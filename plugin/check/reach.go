package check

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// IDs of the checks of what a Bucket can reach.
const (
	IDBucketPolicy = "bucket-policy"
	IDBucketReach  = "bucket-reach"
)

// restorePolicy is what creates the policy, and reverts what was changed of it.
const restorePolicy = "a cluster admin runs: oc ostoy-s3 controller install"

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
			"upgrade the cluster; then "+restorePolicy)))
	}
	seen := operator.Inspect(found.Policy, found.Binding)
	return worstFirst(append([]Finding{inspected(seen), exempt(ctx, w, seen.Exempt)}, trusted(ctx, w, seen.Exempt)...))
}

// inspected judges the policy and its binding by themselves.
func inspected(seen operator.Inspection) Finding {
	switch state, what, why := seen.State(); state {
	case operator.PolicyEnforced:
		return Pass()
	case operator.PolicyWarned:
		return Warn("the admission policy "+operator.PolicyName+" "+what, why+"; "+operator.WarnedMeans, operator.WarnedNext)
	default:
		return Warn("the admission policy "+operator.PolicyName+" "+what, strings.TrimPrefix(why+"; ", "; ")+"without it "+operator.AnyBucket, restorePolicy)
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
		strings.Join(unused, ", ")+none+": a user who can create that namespace can create the account, too", "the policy exempts only the controllers that the installation finds; "+restorePolicy)
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
		all = append(all, trustedOne(w, one))
	}
	return all
}

func trustedOne(w *live.World, one live.Trust) Finding {
	switch {
	case one.Missing:
		return Warn("namespace "+one.Namespace+" does not exist",
			"the policy exempts a service account of it: a user who can create that namespace can create the account, too", restorePolicy)
	case len(one.Writers) > 0:
		return Warn("users who are not cluster admins can write to namespace "+one.Namespace, one.Writers.Why(), one.Ways())
	case one.Needs != "":
		return Unseen(one.Needs, "whether users who are not cluster admins can act as the controller in namespace "+one.Namespace)
	case one.Err != nil:
		return Fail(w.Conn.Translate(one.Err))
	}
	return Pass()
}
