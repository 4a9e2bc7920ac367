package controller

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
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
	if unused := live.Unused(seen.Exempt, l.found.Deployments); l.only == "" && len(unused) > 0 {
		enforced.Part = part(status.Warning, "enforced, but exempts "+strings.Join(unused, ", ")+", which no controller uses", "oc ostoy-s3 controller install")
	}
	return enforced
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
