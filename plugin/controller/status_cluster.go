package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// countBuckets counts the Buckets by their state.
func countBuckets(l *statusLook) Buckets {
	if l.bucketsErr != nil {
		return Buckets{Part: unseen(l.bucketsErr)}
	}
	unreadable := len(l.buckets.Unreadable)
	b := Buckets{Searched: len(l.buckets.Searched) - unreadable, Unreadable: unreadable}
	for _, object := range l.buckets.Objects[kinds.Bucket.GVR()] {
		b.Total++
		b.count(object, l)
	}
	slices.SortFunc(b.Of, func(x, y BucketStatus) int {
		bad := map[report.Mark]int{report.Wrong: -1}
		return cmp.Or(cmp.Compare(bad[x.Mark], bad[y.Mark]), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.Name, y.Name))
	})
	b.OfOtherProjects = operator.OfOtherProjects(l.buckets.Objects[kinds.Bucket.GVR()])
	b.Part = part(b.mark(), b.states(), "")
	return b
}

// count files one Bucket.
func (b *Buckets) count(object *unstructured.Unstructured, l *statusLook) {
	state := health.Bucket(object, nil, false, health.Around{})
	one := BucketStatus{
		Namespace: object.GetNamespace(), Name: object.GetName(), Finalizer: ack.Managed(object),
		Part: cleaned(report.Settled(state, object, l.now)),
	}
	switch {
	case object.GetDeletionTimestamp() != nil:
		b.Deleting++
		if ack.Complaint(object) == "" && len(l.judged) > 0 {
			one.Mark, one.Hint = report.Busy, "" // on its way out, nothing speaks against it
		}
	case !one.Finalizer && len(health.Conditions(object)) == 0:
		b.NotSeen++
	case one.Mark == report.OK:
		b.Synced++
		return
	case one.Mark == report.Busy:
		b.OnTheWay++
		return
	default:
		b.Failing++
	}
	b.Of = append(b.Of, one)
}

// mark is the worst of those that are not as they should be.
func (b *Buckets) mark() report.Mark {
	marks := each(b.Of, func(one BucketStatus) report.Mark { return one.Mark })
	if len(b.OfOtherProjects) > 0 {
		marks = append(marks, report.Warning)
	}
	if b.OnTheWay > 0 {
		marks = append(marks, report.Busy)
	}
	return report.Worst(marks...)
}

// states are the numbers that are not 0.
func (b *Buckets) states() string {
	var words []string
	for _, one := range []struct {
		n    int
		what string
	}{
		{b.Synced, "synced"},
		{b.OnTheWay, "on their way"},
		{b.Failing, "failing"},
		{b.Deleting, "being deleted"},
		{b.NotSeen, "not seen by a controller yet"},
	} {
		if one.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", one.n, one.what))
		}
	}
	if len(words) == 0 {
		words = append(words, "none")
	}
	if b.Searched > 0 {
		words = append(words, fmt.Sprintf("in the %d projects that you may see", b.Searched))
	}
	if b.Unreadable > 0 {
		words = append(words, fmt.Sprintf("%d more could not be read", b.Unreadable))
	}
	return strings.Join(words, ", ")
}

// policy judges the admission policy.
func policy(l *statusLook) Policy {
	if l.policy.err != nil {
		return Policy{Part: unseen(l.policy.err), State: operator.PolicyUnknown}
	}
	if !l.policy.found.Served {
		return Policy{State: operator.PolicyNotServed, Part: part(report.Warning,
			"the cluster does not serve ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift 4.17); "+operator.AnyBucket,
			"upgrade the cluster; then "+advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(l.Namespace)...))}
	}
	state, what, why := l.policy.seen.State()
	switch state {
	case operator.PolicyEnforced:
		return enforced(l, l.policy.seen.Exempt)
	case operator.PolicyWarned:
		return Policy{State: state, Exempt: l.policy.seen.Exempt, Part: part(report.Warning, what+": "+why+"; "+operator.WarnedMeans, operator.WarnedNext)}
	default:
		return Policy{State: state, Part: part(report.Warning,
			strings.TrimSuffix(what+": "+why, ": ")+"; "+operator.AnyBucket, l.policy.found.Restore(state))}
	}
}

// enforced judges whom a policy exempts that is in order.
func enforced(l *statusLook, exempt []string) Policy {
	enforced := Policy{State: operator.PolicyEnforced, Exempt: exempt, Part: part(report.OK, "enforced, unchanged; exempt: "+exempted(exempt), "")}
	switch {
	case l.only != "":
	case len(l.policy.unused) > 0:
		enforced.Part = part(report.Warning, "enforced, but exempts "+strings.Join(l.policy.unused, ", ")+", which no controller uses", advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(l.Namespace)...))
	case l.policy.unusedErr != nil:
		enforced.Part = part(report.Unknown, "enforced, unchanged; exempt: "+exempted(exempt)+"; whether they are controllers is not known: "+unproven(l.policy.unusedErr), "")
	}
	return enforced
}

// unrestricted says where Buckets are known and not restricted, although no controller was
// found: one may run outside of the cluster, or in a way that no Deployment shows.
func (r *Report) unrestricted() string {
	text := ""
	if r.Kind.Mark != report.OK {
		return text
	}
	if r.Policy.Mark != report.OK {
		text += "\nadmission policy " + operator.PolicyName + ": " + r.Policy.Text
	}
	for _, one := range r.Namespaces {
		if one.Mark != report.OK {
			text += "\nnamespace " + one.Namespace + ": " + one.Text
		}
	}
	return text
}

// exempt asks which of the accounts that the policy exempts no controller uses.
func (l *statusLook) exempt(ctx context.Context) {
	if l.only == "" {
		l.policy.unused, l.policy.unusedErr = l.UnusedAccounts(ctx, l.policy.seen.Exempt, l.found.Controllers.All)
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
	return strings.Join(each(accounts, func(account string) string {
		return strings.Replace(strings.TrimPrefix(account, "system:serviceaccount:"), ":", "/", 1)
	}), ", ")
}

// TrustedNamespace is a namespace that the permissions of a controller depend on.
type TrustedNamespace struct {
	report.Part
	Namespace string `json:"namespace"`
	// Writers are those who can write to it, and could not do so in every namespace; the
	// first of them.
	Writers []string `json:"writers,omitempty"`
}

func trustPart(t live.Trust, own string) report.Part {
	switch {
	case t.Missing:
		return part(report.Warning, "does not exist: a user who can create it can create the service account that the policy exempts", advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(own)...))
	case len(t.Writers) > 0:
		return part(report.Warning, t.Writers.Why(), t.Ways())
	case t.Needs != "":
		return part(report.Unknown, "who can write to it was not checked: requires "+t.Needs, "")
	case t.Err != nil:
		return unseen(t.Err)
	}
	return part(report.OK, "no RoleBinding lets anybody but cluster admins write to it", "")
}

// Unproven is a Deployment that looks like a controller, and of which nothing more is
// reported: every project editor can create one, with any environment.
type Unproven struct {
	report.Part        // Unknown if you are not allowed to ask what it is
	Namespace   string `json:"namespace"`
	Deployment  string `json:"deployment"`
}

// String names it as an argument of oc and kubectl.
func (u Unproven) String() string { return "deployment/" + u.Deployment + " -n " + u.Namespace }

const (
	notAController = "not a controller of the cluster: its service account is not allowed to list and update Buckets in all projects"
	notVerified    = "whether it is a controller is not verified: you are not allowed to " + access.Reviewing
)

// unproven are the Deployments that are not judged, first those that may be controllers.
func (l *statusLook) unproven() []Unproven {
	all := each(l.found.unverified(), func(c ack.Controller) Unproven {
		return Unproven{part(report.Unknown, notVerified, ""), c.Namespace, c.Name}
	})
	for _, c := range l.found.Controllers.Unproven {
		one := Unproven{part("", notAController, ""), c.Namespace, c.Name}
		if l.found.isMine(c) {
			one.Part = part(report.Wrong, "managed by ostoy-s3, and "+notAController, lacking(c))
		}
		all = append(all, one)
	}
	return all
}

// lacking shows which permissions a controller lacks. OLM gives them, or the chart, and
// controller install does not change them.
func lacking(c ack.Controller) string {
	if csv := c.Labels["olm.owner"]; c.Installer == ack.OLM && csv != "" {
		return advice.Command("oc describe clusterserviceversions.operators.coreos.com", csv, "-n", c.Namespace)
	}
	return advice.Command("oc auth can-i list buckets.s3.services.k8s.aws -A", "--as="+operator.AccountName(c.Namespace, c.Account()))
}

// proof is about a controller whose details are reported although it is not proven.
func (l *statusLook) proof(c ack.Controller) report.Part {
	if slices.ContainsFunc(l.found.Controllers.Proven, func(p ack.Controller) bool { return p.String() == c.String() }) {
		return report.Part{}
	}
	return part(report.Unknown, notVerified, "")
}

// unverified is the error if no controller is proven and one may be: that is no verdict.
func (r *Report) unverified() *problem.Error {
	names := r.unjudged(true)
	if names == "" {
		return nil
	}
	return problem.Fail("whether an ACK S3 controller is installed is not verified",
		names+": "+notVerified,
		"ask a cluster admin to run the same command, or for that permission")
}

// lookalikes are the Deployments that are no controllers, as an explanation that no
// controller was found.
func (r *Report) lookalikes() string {
	if names := r.unjudged(false); names != "" {
		return "\n" + names + ": " + notAController
	}
	return ""
}

// unjudged names the first few Deployments that are not judged: those that may be
// controllers, or those that are none.
func (r *Report) unjudged(maybe bool) string {
	return some(each(those(r.Unproven, func(u Unproven) bool { return maybe == (u.Mark == report.Unknown) }), Unproven.String))
}
