package controller

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// anyBucket is what follows where Buckets are not restricted.
const anyBucket = "users of any project who can create Buckets can change every S3 bucket that the controller's role covers"

// policy judges the admission policy.
func (l *statusLook) policy() Policy {
	if l.admissionErr != nil {
		return Policy{Part: unseen(l.admissionErr), State: PolicyUnknown}
	}
	is := func(state PolicyState, text string) Policy {
		return Policy{State: state, Part: part(status.Warning, text+"; "+anyBucket, "oc ostoy-s3 controller install")}
	}
	seen := operator.Inspect(l.Facts, l.admission.Policy, l.admission.Binding)
	switch {
	case !l.admission.Served:
		// To install does not help: there is nothing to apply.
		return Policy{State: PolicyNotServed, Part: part(status.Warning,
			"the cluster does not serve ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift 4.17); "+anyBucket, "")}
	case !seen.Found:
		return is(PolicyMissing, "does not exist")
	case !seen.Bound:
		return is(PolicyUnbound, "not enforced: its binding does not exist, or does not deny in all projects")
	case !seen.Unchanged():
		return is(PolicyChanged, "changed: "+seen.Changed)
	}
	enforced := Policy{State: PolicyEnforced, Exempt: seen.Exempt, Part: part(status.OK, "enforced, unchanged; exempt: "+exempted(seen.Exempt), "")}
	switch {
	case l.only != "":
	case len(l.unused) > 0:
		enforced.Part = part(status.Warning, "enforced, but exempts "+strings.Join(l.unused, ", ")+", which no controller uses", "oc ostoy-s3 controller install")
	case l.unusedErr != nil:
		enforced.Part = part(status.Unknown, "enforced, unchanged; exempt: "+exempted(seen.Exempt)+"; whether they are controllers is not known: "+unproven(l.unusedErr), "")
	}
	return enforced
}

// exempt asks which of the accounts that the policy exempts no controller uses.
func (l *statusLook) exempt(ctx context.Context) {
	seen := operator.Inspect(l.Facts, l.admission.Policy, l.admission.Binding)
	if l.only == "" && l.admissionErr == nil && l.admission.Served && seen.Found {
		l.unused, l.unusedErr = l.UnusedAccounts(ctx, seen.Exempt, l.found.Deployments)
	}
}

// unproven is why a controller could not be proven.
func unproven(err error) string {
	if apierrors.IsForbidden(err) {
		return "you are not allowed to create subjectaccessreviews.authorization.k8s.io"
	}
	return unseen(err).Text
}

// exempted are the service accounts by their short names, NAMESPACE/NAME.
func exempted(accounts []string) string {
	if len(accounts) == 0 {
		return "nobody but cluster admins"
	}
	var names []string
	for _, account := range accounts {
		names = append(names, strings.Replace(strings.TrimPrefix(account, "system:serviceaccount:"), ":", "/", 1))
	}
	return strings.Join(names, ", ")
}
