package controller

import (
	"context"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
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
	state, what, why := l.seen.State()
	switch state {
	case operator.PolicyEnforced:
		return l.enforced(l.seen.Exempt)
	case operator.PolicyWarned:
		return Policy{State: state, Exempt: l.seen.Exempt, Part: part(status.Warning, what+": "+why+"; "+operator.WarnedMeans, operator.WarnedNext)}
	default:
		return Policy{State: state, Part: part(status.Warning,
			strings.TrimSuffix(what+": "+why, ": ")+"; "+operator.AnyBucket, "oc ostoy-s3 controller install")}
	}
}

// enforced judges whom a policy exempts that is in order.
func (l *statusLook) enforced(exempt []string) Policy {
	enforced := Policy{State: operator.PolicyEnforced, Exempt: exempt, Part: part(status.OK, "enforced, unchanged; exempt: "+exempted(exempt), "")}
	switch {
	case l.only != "":
	case len(l.unused) > 0:
		enforced.Part = part(status.Warning, "enforced, but exempts "+strings.Join(l.unused, ", ")+", which no controller uses", "oc ostoy-s3 controller install")
	case l.unusedErr != nil:
		enforced.Part = part(status.Unknown, "enforced, unchanged; exempt: "+exempted(exempt)+"; whether they are controllers is not known: "+unproven(l.unusedErr), "")
	}
	return enforced
}

// unrestricted says where Buckets are known and not restricted, although no controller was
// found: one may run outside of the cluster, or in a way that no Deployment shows.
func (r *Report) unrestricted() string {
	text := ""
	if r.Kind.Mark != status.OK {
		return text
	}
	if r.Policy.Mark != status.OK {
		text += "\nadmission policy " + operator.PolicyName + ": " + r.Policy.Text
	}
	for _, one := range r.Namespaces {
		if one.Mark != status.OK {
			text += "\nnamespace " + one.Namespace + ": " + one.Text
		}
	}
	return text
}

// exempt asks which of the accounts that the policy exempts no controller uses.
func (l *statusLook) exempt(ctx context.Context) {
	if l.only == "" {
		l.unused, l.unusedErr = l.UnusedAccounts(ctx, l.seen.Exempt, l.found.Controllers.All)
	}
}

// unproven is why a controller could not be proven.
func unproven(err error) string {
	if apierrors.IsForbidden(err) {
		return "you are not allowed to " + access.Reviewing
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
