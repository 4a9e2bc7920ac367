package controller

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// policy judges the admission policy.
func (l *statusLook) policy() Policy {
	if l.admissionErr != nil {
		return Policy{Part: unseen(l.admissionErr), State: operator.PolicyUnknown}
	}
	if !l.admission.Served {
		return Policy{State: operator.PolicyNotServed, Part: part(status.Warning,
			"the cluster does not serve ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift 4.17); "+operator.AnyBucket,
			"upgrade the cluster; then oc ostoy-s3 controller install")}
	}
	seen := operator.Inspect(l.Facts, l.admission.Policy, l.admission.Binding)
	if state, what, why := seen.State(); state != operator.PolicyEnforced {
		return Policy{State: state, Part: part(status.Warning,
			strings.TrimSuffix(what+": "+why, ": ")+"; "+operator.AnyBucket, "oc ostoy-s3 controller install")}
	}
	enforced := Policy{State: operator.PolicyEnforced, Exempt: seen.Exempt, Part: part(status.OK, "enforced, unchanged; exempt: "+exempted(seen.Exempt), "")}
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
