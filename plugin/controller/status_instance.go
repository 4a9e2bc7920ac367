package controller

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// instance is what was seen of one controller.
type instance struct {
	ack.Told
	ours bool

	envErr, podsErr error
	account         answer
	lease           answer
	leaseNamespace  string
	subscription    *unstructured.Unstructured // nil: OLM did not install it, or it is gone
	csv             answer
	planned         planned
	logs            []podLog // of each of its pods, in their order
}

// answer is an object, nil if it does not exist, or why it is not known.
type answer struct {
	object *unstructured.Unstructured
	err    error
}

// planned are the InstallPlans of a namespace.
type planned struct {
	plans []*unstructured.Unstructured
	err   error
}

// podLog is the end of a pod's log; of one that crashes, of the run before.
type podLog struct {
	text    string
	err     error
	crashes bool
}

// role is whom AWS takes the controller for, as far as the cluster knows.
func (one *instance) role() Role {
	r := Role{}
	switch from := one.CredentialsFrom(); from {
	case ack.FromAnnotation:
		r = one.annotated()
	case ack.FromPod:
		r = one.inPod()
	default:
		r = Role{From: From(from), Part: part(report.OK, "AWS says whose: the cluster does not know", "")}
	}
	r.ARN = awserr.Redact(r.ARN)
	return r
}

// inPod: token and role are in the Deployment, by the Subscription's config, the
// chart's values or somebody's hand.
func (one *instance) inPod() Role {
	r := Role{ARN: one.Env.Values["AWS_ROLE_ARN"], From: From(ack.FromPod)}
	if one.subscription != nil && namesRole(one.subscription) {
		r.From = FromSubscription
	}
	var other string
	for _, pod := range one.Pods {
		// What is not in the pod's own spec comes of a ConfigMap or Secret, as in the
		// Deployment.
		if has, set := pod.Variable(one.Container.Name, "AWS_ROLE_ARN"); !set || has == r.ARN {
			r.Pods++
		} else {
			other = has
		}
	}
	switch {
	case r.ARN == "":
		r.Part = part(report.Wrong, "it has a token, and nothing names its role (AWS_ROLE_ARN)", advice.Command("oc set env", append(one.Words(), "--list")...))
	case other != "":
		r.Part = part(report.Warning, "a pod is older than that, and has "+advice.RoleARN(other).String(), one.Restart())
	default:
		r.Part = one.inPods(r.Pods)
	}
	return r
}

// annotated: the service account's annotation says it, which the pod identity
// webhook puts into pods as they are made.
func (one *instance) annotated() Role {
	r := Role{From: From(ack.FromAnnotation)}
	if one.account.object != nil {
		r.ARN = one.account.object.GetAnnotations()[ack.RoleAnnotation]
	}
	inPod := ""
	for _, pod := range one.Pods {
		has, set := pod.Variable(one.Container.Name, "AWS_ROLE_ARN")
		if set {
			inPod = has
		}
		if set && (has == r.ARN || one.account.err != nil) {
			r.Pods++
		}
	}
	if one.account.err != nil {
		r.ARN, r.Part = inPod, unseen(one.account.err)
		return r
	}
	if fault, is := one.RoleFault(one.account.object); is {
		r.Part = faulty(fault)
		if r.ARN == "" {
			r.ARN, r.From = inPod, FromNode
		}
		if inPod != "" && r.From == FromNode {
			r.From = From(ack.FromAnnotation) // as long as that pod lives
		}
		return r
	}
	r.Part = one.inPods(r.Pods)
	return r
}

// inPods says how many pods carry the role.
func (one *instance) inPods(n int) report.Part {
	if one.podsErr != nil {
		return part(report.OK, "whether its pods have it cannot be seen", "")
	}
	return part(report.OK, fmt.Sprintf("in %d of %d pods", n, len(one.Pods)), "")
}

// region is where it works, and where two say different things about that.
func (one *instance) region() Region {
	r := Region{Name: one.Told.Region(), Settings: one.Env.Values["AWS_REGION"], InPods: one.PodRegion()}
	fault, differ := one.RegionFault()
	switch {
	case r.Name == "" && one.envErr != nil:
		r.Part = unseen(one.envErr)
	case r.Name == "":
		r.Part = part(report.Wrong, "nothing tells it a region, and it does not start without", "give AWS_REGION a value in the ConfigMap "+one.ConfigMap()+" in "+one.Namespace)
	case differ:
		r.Part = part(report.Warning, "its settings say "+advice.Region(r.Settings).String()+"; "+fault.Why, fault.Next)
	default:
		r.Part = part(report.OK, "", "")
	}
	r.Name, r.Settings, r.InPods = awserr.Redact(r.Name), awserr.Redact(r.Settings), awserr.Redact(r.InPods)
	return r
}

// leaseName is the Lease that the controller's pods want: its leader election's.
const leaseName = "ack-s3.services.k8s.aws"

// lateRenewal is how long a Lease may go without being renewed before it is told:
// leaders renew every two seconds, for fifteen (client-go's leaderelection, as
// controller-runtime sets it up), and clocks differ.
const lateRenewal = time.Minute

// leader is who holds the Lease.
func (one *instance) leader(now time.Time) Leader {
	l := Leader{Lease: one.leaseNamespace + "/" + leaseName}
	value, given := one.Flags.Get("enable-leader-election")
	on, err := strconv.ParseBool(value)
	if one.envErr == nil && (!given || err == nil && !on) {
		return Leader{Part: part(report.OK, "its pods elect none (leader election is off)", "")}
	}
	if one.lease.err != nil {
		l.Part = unseen(one.lease.err)
		return l
	}
	if one.lease.object == nil {
		return one.noLeader(l, "there is no Lease "+leaseName+" in "+one.leaseNamespace)
	}
	identity := health.Text(one.lease.object.Object, "spec", "holderIdentity")
	if identity == "" {
		return one.noLeader(l, "nobody holds the Lease "+leaseName+" in "+one.leaseNamespace)
	}
	// An identity is the host's name, which is the pod's, "_" and a UUID.
	pod, _, _ := strings.Cut(identity, "_")
	l.Holder = awserr.Redact(pod)
	l.Renewed, _ = time.Parse(time.RFC3339Nano, health.Text(one.lease.object.Object, "spec", "renewTime"))
	gone := one.podsErr == nil && !slices.ContainsFunc(one.Pods, func(p ack.Pod) bool { return p.Name == pod })
	switch {
	case !l.Renewed.IsZero() && now.Sub(l.Renewed) > lateRenewal:
		l.Part = part(report.Warning, "it does not renew its Lease any more: no Bucket is reconciled until another pod takes over", advice.Command("oc get pods", "-n", one.Namespace))
	case gone:
		l.Part = part(report.Busy, "that pod is gone: another takes over when its Lease runs out", "")
	default:
		l.Part = part(report.OK, "", "")
	}
	return l
}

// noLeader: without a ready pod that is no news; with one it is not working yet.
func (one *instance) noLeader(l Leader, why string) Leader {
	l.Part = part(report.Warning, why+": no Bucket is reconciled", advice.Command("oc logs", one.Words()...))
	if !slices.ContainsFunc(one.Pods, ack.Pod.Ready) {
		l.Part = part(report.Busy, why, "")
	}
	return l
}

// overlap is wrong where two look at the same Buckets; else it has no mark.
func overlap(seen []*instance) report.Part {
	all := make([]ack.Told, len(seen))
	for i, one := range seen {
		all[i] = one.Told
	}
	fault, is := ack.Overlap(all)
	if !is {
		return report.Part{}
	}
	fault.Why = fault.What + ": " + fault.Why
	return faulty(fault)
}
