package controller

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// A controller that ostoy-s3 does not manage is used, not changed. Whether it runs is
// looked at nevertheless: if it does not, no Bucket ever gets its S3 bucket.

// Serves reports whether a pod of a controller is available, as its Deployment says.
func Serves(c ack.Controller) bool { return c.Replicas() > 0 && c.Status.AvailableReplicas > 0 }

// stopped is the controller that is used and does not run; false where one runs.
func (f *Found) stopped() (ack.Controller, bool) {
	others := f.Others()
	if len(others) == 0 || slices.ContainsFunc(others, Serves) {
		return ack.Controller{}, false
	}
	scaled := slices.IndexFunc(others, func(c ack.Controller) bool { return c.Replicas() > 0 })
	return others[max(0, scaled)], true
}

// noteStopped says in the plan why the controller that is used does not run. What
// cannot be seen is left out: the plan is not about that.
func noteStopped(ctx context.Context, p *Plan) {
	c, is := p.found.stopped()
	if p.Mode != Used || !is {
		return
	}
	pods, err := c.Pods(ctx, p.found.World)
	if err != nil {
		return
	}
	state := starting(c, pods, now(p.options.Now), func(pod ack.Pod) string {
		log, _ := p.found.World.LastLog(ctx, pod.Namespace, pod.Name, c.Container.Name)
		return log
	})
	p.Notes = append(p.Notes, c.String()+": "+state.Text)
}

// starting is how far a controller is with its start, and what keeps it from that.
func starting(c ack.Controller, pods []ack.Pod, now time.Time, logOf func(ack.Pod) string) health.State {
	for _, pod := range pods {
		if !pod.Crashes(c.Container.Name) {
			continue
		}
		fault := c.CrashFault(pod, logOf(pod))
		state := health.State{Text: "pod " + pod.Name + " crashes: " + awserr.Redact(fault.Why), Hint: awserr.RedactLines(fault.Next), Code: "crash"}
		return settled(health.Graced(state, configGrace), notReadySince(pod), now)
	}
	told := ack.Told{Controller: c, Pods: pods}
	state := told.Rollout()
	if i := slices.IndexFunc(pods, told.Current); i >= 0 {
		state = settled(state, notReadySince(pods[i]), now)
	}
	state.Text, state.Hint = awserr.Redact(state.Text), awserr.RedactLines(state.Hint)
	return state
}

// notReadySince is when a pod was last ready, or was created; zero if it does not say.
// The age of a pod tells nothing: one that has run for days may be restarting now.
func notReadySince(pod ack.Pod) time.Time {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == core.PodReady && condition.Status != core.ConditionTrue {
			return condition.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// settled is a State by how long it has lasted: what has lasted long enough before
// anybody looked is not waited for again. A zero time is not known.
func settled(s health.State, since, now time.Time) health.State {
	for s.Late != nil && !since.IsZero() && now.Sub(since) >= s.After {
		s = *s.Late
	}
	return s
}

// now is what a clock shows, if there is one.
func now(clock func() time.Time) time.Time {
	if clock == nil {
		return time.Now()
	}
	return clock()
}

// followUsed waits until the controller that is used runs. The error, of the kind
// NotReady, says that it is not managed by ostoy-s3, and what keeps it from running.
func followUsed(ctx context.Context, p *Plan, observe func(health.State)) error {
	c, is := p.found.stopped()
	if !is {
		return nil
	}
	f := &follower{Plan: p, logs: map[string]string{}}
	judge := func(ctx context.Context, seen wait.Seen) ([]health.State, error) {
		state := used(ctx, f, seen, c)
		state.Kind, state.Name = "Deployment", c.Name
		return []health.State{state}, nil
	}
	_, err := wait.States(ctx, p.found.World.Conn.Dynamic, c.Namespace, []kinds.Kind{kinds.Deployment, kinds.Pod}, judge, observe)
	if apierrors.IsForbidden(err) {
		err = &problem.Error{
			Kind: problem.NotReady,
			Why:  "no pod of it is available, and you are not allowed to see why",
			Next: "ask who installed it; oc ostoy-s3 controller status shows what you are allowed to see",
		}
	}
	return notStarted(c, err)
}

// used is one look.
func used(ctx context.Context, f *follower, seen wait.Seen, c ack.Controller) health.State {
	object := seen.Get(kinds.Deployment, c.Name)
	if object == nil {
		return health.Graced(health.State{Text: "its Deployment was deleted", Hint: advice.NewController("")}, health.MissingGrace)
	}
	if now, is := ack.ControllerOf(object); is {
		c = now
	}
	pods, err := ack.PodsOf(health.CurrentPods(object, seen.List(kinds.Pod)))
	if err != nil {
		return health.State{Text: awserr.Redact(err.Error())}
	}
	return starting(c, pods, now(f.options.Now), func(pod ack.Pod) string { return log(ctx, f, pod, c.Container.Name, restartsOf(pod)) })
}

func restartsOf(pod ack.Pod) (n int32) {
	for _, container := range pod.Status.ContainerStatuses {
		n += container.RestartCount
	}
	return n
}

// notStarted says of a wait that failed whose the controller is.
func notStarted(c ack.Controller, err error) error {
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.NotReady {
		return err
	}
	with := *told
	with.What = "the ACK S3 controller, which is not managed by ostoy-s3, does not run (" + c.String() + ")"
	return &with
}

// helms is how the Deployments are that Helm installed.
func (f *follower) helms(ctx context.Context, seen wait.Seen) []health.State {
	names := each(those(seen.List(kinds.Deployment), ack.IsController), (*unstructured.Unstructured).GetName)
	if len(names) == 0 {
		return []health.State{{Kind: "Deployment", Name: "controller", Text: "waiting for the Deployment that Helm creates", Hint: f.options.HelmLine}}
	}
	slices.Sort(names)
	return deployments(ctx, f, seen, names, "")
}

// HelmInstall is the command that installs ACK's chart, the newest there is unless version
// names one, with Helm itself; the words are further ones.
func HelmInstall(f render.Facts, version string, words ...string) string {
	all := operator.HelmWords(f)
	if version != "" {
		all = append(all, "--version", strings.TrimPrefix(version, "v"))
	}
	return advice.Command("helm install", append(all, words...)...)
}
