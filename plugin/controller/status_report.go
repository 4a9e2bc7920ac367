package controller

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// part is a Part that may be shown: what it quotes is cleaned.
func part(mark report.Mark, text, hint string) report.Part {
	return report.Part{Mark: mark, Text: awserr.Redact(text), Hint: awserr.RedactLines(hint)}
}

func cleaned(p report.Part) report.Part { return part(p.Mark, p.Text, p.Hint) }

// unseen is what may not be looked at, or did not answer.
func unseen(err error) report.Part { return cleaned(report.Unseen(err)) }

// faulty is the Part of a fault; its text is the reason, since what it is about
// stands before it.
func faulty(f ack.Fault) report.Part {
	if f.Grave {
		return part(report.Wrong, f.Why, f.Next)
	}
	return part(report.Warning, f.Why, f.Next)
}

// report puts together what was seen.
func (l *statusLook) report(seen []*instance) *Report {
	r := &Report{Only: l.only, Controllers: []Instance{}, Kind: l.kind(), Policy: policy(l), Buckets: countBuckets(l)}
	marks := []report.Mark{r.Buckets.Mark, r.Policy.Mark}
	for _, one := range l.trusts {
		judged := TrustedNamespace{Part: trustPart(one, l.Namespace), Namespace: one.Namespace, Writers: one.Writers.Names()}
		r.Namespaces = append(r.Namespaces, judged)
		marks = append(marks, judged.Mark)
	}
	for _, one := range seen {
		i := l.instance(one)
		r.Controllers = append(r.Controllers, i)
		marks = append(marks, i.Mark)
	}
	slices.SortFunc(r.Controllers, func(a, b Instance) int {
		first := map[bool]int{true: -1}
		return cmp.Or(cmp.Compare(first[a.Ours], first[b.Ours]), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Deployment, b.Deployment))
	})
	for i, s := range l.without() {
		one := judgeWaiting(l, s, l.olm.left[i])
		r.Waiting = append(r.Waiting, one)
		if len(seen) == 0 || apply.Ours(s) { // on OpenShift every project editor can create one
			marks = append(marks, one.Mark)
		}
	}
	r.Unproven, r.Overlap = l.unproven(), overlap(seen)
	marks = append(marks, each(r.Unproven, func(u Unproven) report.Mark { return u.Mark })...)
	r.Mark = report.Worst(append(marks, r.Overlap.Mark)...)
	return r
}

// kind tells whether the cluster knows Buckets.
func (l *statusLook) kind() report.Part {
	switch {
	case l.definition.err != nil:
		return unseen(l.definition.err)
	case l.definition.object == nil:
		return part(report.Wrong, "the cluster does not know Buckets: "+Definition+" is not there", "")
	}
	return part(report.OK, Definition, "")
}

// instance judges one controller.
func (l *statusLook) instance(one *instance) Instance {
	i := Instance{
		Namespace: one.Namespace, Deployment: one.Name, Ours: one.ours, Installer: one.Installer,
		Version: one.VersionText(), Image: one.Container.Image, Watches: append([]string{}, one.Flags.Pieces("watch-namespace")...),
		Pods: []Pod{}, PodsSeen: report.Part{Mark: report.OK},
	}
	if one.Installer == ack.OLM {
		i.OLM = subscribed(l, one)
	}
	i.Role, i.Region = one.role(), one.region()
	i.Workload, i.Leader = one.workload(), one.leader(l.now)
	i.Settings, i.Errors = one.settings(), one.errors()
	if one.podsErr != nil {
		i.PodsSeen = unseen(one.podsErr)
	}
	marks := []report.Mark{i.Role.Mark, i.Region.Mark, i.Workload.Mark, i.Leader.Mark, i.Settings.Mark, i.Errors.Mark}
	for n := range one.Pods {
		p := one.pod(n, l.now)
		i.Pods = append(i.Pods, p)
		marks = append(marks, p.Mark)
	}
	if i.OLM != nil {
		marks = append(marks, i.OLM.Mark)
	}
	i.Mark = report.Worst(marks...)
	if i.Proof = l.proof(one.Controller); i.Proof.Mark != "" && i.Mark == report.OK {
		i.Mark = i.Proof.Mark
	}
	return i
}

// workload judges the Deployment, as kubectl rollout status would.
func (one *instance) workload() Workload {
	state := one.Rollout()
	w := Workload{Ready: one.Status.ReadyReplicas, Want: one.Replicas(), Part: part(report.MarkOf(state), state.Text, state.Hint)}
	if w.Want > 0 && w.Mark != report.OK && one.crashes() { // its pods say why, better than their exit codes
		w.Part = part(report.Wrong, "its pods crash", "")
	}
	return w
}

// crashes reports whether a pod does.
func (one *instance) crashes() bool {
	return slices.ContainsFunc(one.logs, func(log podLog) bool { return log.crashes })
}

// pod judges one pod; of one that crashes its log says why.
func (one *instance) pod(n int, now time.Time) Pod {
	pod, log := one.Pods[n], podLog{}
	if n < len(one.logs) {
		log = one.logs[n]
	}
	p := Pod{Name: pod.Name, Ready: pod.Ready(), Restarts: restartsOf(pod), Since: pod.CreationTimestamp.Time}
	role, _ := pod.Variable(one.Container.Name, "AWS_ROLE_ARN")
	p.RoleARN = awserr.Redact(role)
	switch {
	case log.crashes:
		fault := one.CrashFault(pod, log.text)
		fault.Why = "crashes: " + fault.Why
		p.Part = faulty(fault)
	case p.Ready:
		p.Part = report.Part{Mark: report.OK, Text: "ready"}
	default:
		p.Part = cleaned(report.Settled(health.Pod(pod.Object, health.Around{}), pod.Object, now))
		if p.Text == "" {
			p.Text = "not ready"
		}
	}
	return p
}

// settings are judged where they may be read.
func (one *instance) settings() Settings {
	if one.envErr != nil {
		return Settings{Part: unseen(one.envErr)}
	}
	flaws := one.Flaws(one.Env, one.PodRegion())
	if len(flaws) == 0 {
		return Settings{Part: part(report.OK, "every setting it needs", "")}
	}
	// How to mend them goes by what is meant: check says it at length.
	s := Settings{Part: part(report.Wrong, "wrong: "+strings.Join(ack.Settings(flaws), ", "), "oc ostoy-s3 check --only controller-config")}
	if one.ours {
		s.Hint = advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(one.Namespace)...)
	}
	s.Flaws = each(flaws, func(f ack.Flaw) Flaw { return Flaw{f.Setting, awserr.Redact(f.Why)} })
	return s
}

// errors are what the logs say has gone wrong.
func (one *instance) errors() Errors {
	if one.podsErr != nil {
		return Errors{Part: unseen(one.podsErr)}
	}
	var all strings.Builder
	var unread []error
	read := 0
	for _, log := range one.logs {
		all.WriteString(log.text + "\n")
		if log.err != nil {
			unread = append(unread, log.err)
		} else if log.text != "" {
			read++
		}
	}
	e := Errors{}
	for _, said := range ack.ErrorsOf(all.String()) {
		e.Count += said.Count
		e.Said = append(e.Said, explained(said))
	}
	switch {
	case e.Count > 0:
		e.Part = part(report.Warning, fmt.Sprintf("%d in the last 200 lines of its log", e.Count), e.Said[0].Next)
		if one.crashes() { // the pod has the hint
			e.Hint = ""
		}
	case len(unread) > 0:
		e.Part = unreadLog(unread[0])
	case read == 0:
		e.Part = part(report.Unknown, "its log says nothing yet", "")
	default:
		e.Part = part(report.OK, "none in the last 200 lines of its log", "")
	}
	return e
}

func unreadLog(err error) report.Part {
	if apierrors.IsForbidden(err) {
		return part(report.Unknown, "not allowed: needs get on pods/log", "")
	}
	var answer apierrors.APIStatus
	text := err.Error()
	if errors.As(err, &answer) {
		text = answer.Status().Message
	}
	return part(report.Unknown, "its log cannot be read: "+plain.Said(text), "")
}

// explained is an error of the log with its cause, where that is known.
func explained(said ack.LogError) Error {
	e := Error{Text: awserr.Redact(said.Text()), Objects: each(said.Objects, awserr.Redact), Count: said.Count, Last: said.Last}
	action := health.MissingAction(said.Text())
	switch cause, known := ack.CauseOf(said.Text()); {
	case awserr.StaysIn(said.Text()):
		decided := awserr.DecidedIn(said.Text(), "the controller")
		e.Why, e.Next = decided.Why, decided.Next
	case known:
		e.Why, e.Next = awserr.Redact(cause.Why), awserr.RedactLines(cause.Next)
	case strings.Contains(said.Text(), "AccessDenied") && action != "":
		e.Why = "its role may not do " + action
		e.Next = "give the role of the controller the permission, and look for a service control policy of the organisation that denies it"
	case strings.Contains(said.Text(), "but the desired state specifies region"):
		e.Why = "the controller ignores a Bucket that asks for another region than its bucket is in, its deletion too"
		e.Next = "set the annotation services.k8s.aws/region of the Bucket to the region its bucket is in"
	}
	return e
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
