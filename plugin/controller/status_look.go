package controller

import (
	"context"
	"slices"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// statusLook is one look at all controllers. Unlike Look it goes on where it is
// refused something.
type statusLook struct {
	*live.World
	now time.Time

	found      Found
	judged     []ack.Controller // those that are reported in detail
	only       string           // the one namespace that Deployments were listed in
	definition answer
	olm        olmLook
	buckets    live.Everywhere
	bucketsErr error
	policy     policyLook
	trusts     []live.Trust
}

// answer is an object, nil if it does not exist, or why it is not known.
type answer struct {
	object *unstructured.Unstructured
	err    error
}

func (l *statusLook) get(ctx context.Context, kind kinds.Kind, namespace, name string) (a answer) {
	a.object, a.err = l.Get(ctx, kind.GVR(), namespace, name)
	return a
}

// olmLook is what OLM has of the operator, besides the Subscriptions.
type olmLook struct {
	err       error       // why the Subscriptions are not known
	offers    []olm.Offer // of the catalogs, where there is a Subscription
	offersErr error
	left      []planned // for each Subscription without a controller
}

// policyLook is what was seen of the admission policy.
type policyLook struct {
	found     live.Admission
	err       error
	seen      operator.Inspection // of what was found
	unused    []string            // accounts that the policy exempts and no controller uses
	unusedErr error
}

// everywhere asks what there is in the cluster, everything at the same time. Its
// error is that of the Deployments, without which there is nothing to tell.
func (l *statusLook) everywhere(ctx context.Context) error {
	l.found = Found{World: l.World, Namespace: l.Namespace}
	var group sync.WaitGroup
	var failed error
	group.Go(func() { failed = l.deployments(ctx) })
	group.Go(func() { l.olm.err = l.subscriptions(ctx) })
	group.Go(func() { l.definition = l.get(ctx, kinds.CustomResourceDefinition, "", Definition) })
	group.Go(func() { l.policy.found, l.policy.err = live.ReadAdmission(ctx, l.World) })
	group.Go(func() {
		// Who may not read it sees a controller that is not known to be ours.
		l.found.Inventory, _ = apply.New(l.Conn, apply.Options{Namespace: l.Namespace, Set: apply.Controller()}).ReadInventory(ctx)
	})
	group.Go(func() {
		l.buckets, l.bucketsErr = live.Search(ctx, l.World, []live.Wanted{{Resource: kinds.Bucket.GVR(), Marks: true}}, "")
		if l.bucketsErr == nil && len(l.buckets.Objects[kinds.Bucket.GVR()]) == 0 {
			l.bucketsErr = l.buckets.Unseen[kinds.Bucket.GVR()]
		}
		if unreadable := l.buckets.Unreadable; len(unreadable) > 0 && len(unreadable) == len(l.buckets.Searched) {
			l.bucketsErr = l.buckets.Refused[unreadable[0]][kinds.Bucket.GVR()]
		}
	})
	group.Wait()
	l.judged = slices.Concat(l.found.Controllers.Proven, those(l.found.Controllers.Unverified, l.found.isMine))
	l.policy.seen = operator.Inspect(l.policy.found.Policy, l.policy.found.Binding)
	return failed
}

// deployments looks for the controllers of the cluster, and, for a user who may
// not, of the one namespace. The error is then about the cluster.
func (l *statusLook) deployments(ctx context.Context) (err error) {
	l.found.Controllers, err = l.Controllers(ctx)
	if !apierrors.IsForbidden(err) {
		return err
	}
	here, refused := l.ControllersHere(ctx)
	if refused == nil {
		l.found.Controllers, l.only, err = here, l.Namespace, nil
	}
	return err
}

// subscriptions lists those to the operator, where there is OLM.
func (l *statusLook) subscriptions(ctx context.Context) error {
	served, err := l.Conn.Discovery(ctx)
	if err != nil {
		return err
	}
	if l.found.OLM = olm.Served(served); !l.found.OLM {
		return nil
	}
	list, err := l.List(ctx, kinds.Subscription.GVR(), "", "")
	if apierrors.IsForbidden(err) {
		if here, refused := l.List(ctx, kinds.Subscription.GVR(), l.Namespace, ""); refused == nil {
			list, err = here, nil
		}
	}
	if l.found.Subscriptions = those(list, ofPackage); len(l.found.Subscriptions) > 0 {
		l.olm.offers, l.olm.offersErr = Offers(ctx, l.Conn)
	}
	return err
}

// each looks closer at every controller, and at what OLM has done about the
// Subscriptions without one, everything at the same time.
func (l *statusLook) each(ctx context.Context) []*instance {
	var group sync.WaitGroup
	all := make([]*instance, len(l.judged))
	for i, c := range l.judged {
		one := &instance{Told: ack.Told{Controller: c}, ours: l.found.isMine(c)}
		if c.Installer == ack.OLM {
			one.subscription = l.subscriptionOf(c)
			one.ours = one.ours && l.olm.err == nil // else, whose its Subscription is cannot be seen
		}
		all[i] = one
		group.Go(func() { one.account = l.get(ctx, kinds.ServiceAccount, one.Namespace, one.Account()) })
		for _, question := range []func(context.Context, *instance){l.environment, l.pods, l.version} {
			group.Go(func() { question(ctx, one) })
		}
	}
	group.Go(func() { l.exempt(ctx) })
	group.Go(func() {
		l.trusts = live.Trusts(ctx, l.World, l.policy.seen.Exempt, live.AccountsOf(l.found.Controllers.All))
	})
	without := l.without()
	l.olm.left = make([]planned, len(without))
	for i, s := range without {
		group.Go(func() { l.olm.left[i] = l.planned(ctx, s.GetNamespace()) })
	}
	group.Wait()
	return all
}

// subscriptionOf is the one that a controller came of: of those in its namespace
// the one whose version owns the Deployment, else any.
func (l *statusLook) subscriptionOf(c ack.Controller) *unstructured.Unstructured {
	var some *unstructured.Unstructured
	for _, s := range l.found.Subscriptions {
		if s.GetNamespace() == c.Namespace && (some == nil || olm.InstallOf(s).Installed == c.Labels["olm.owner"]) {
			some = s
		}
	}
	return some
}

// without are the Subscriptions of which no controller has come.
func (l *statusLook) without() []*unstructured.Unstructured {
	return those(l.found.Subscriptions, func(s *unstructured.Unstructured) bool {
		return !slices.ContainsFunc(l.judged, func(c ack.Controller) bool { return c.Installer == ack.OLM && l.subscriptionOf(c) == s })
	})
}

// environment asks what it is told, and then for the Lease, whose namespace may
// be told, too.
func (l *statusLook) environment(ctx context.Context, one *instance) {
	if one.Env, one.envErr = live.ControllerEnvironment(ctx, l.World, one.Controller); one.envErr != nil {
		one.Env = ack.EnvironmentOf(one.Container, ack.Sources{}) // what the Deployment itself says
	}
	one.Flags = ack.FlagsOf(one.Container, one.Env)
	one.leaseNamespace = one.Namespace
	if namespaces := one.Flags.Pieces("leader-election-namespace"); len(namespaces) == 1 {
		one.leaseNamespace = namespaces[0]
	}
	one.lease = l.get(ctx, kinds.Lease, one.leaseNamespace, leaseName)
}

// version asks how far OLM is with the version that is there, and with the next.
func (l *statusLook) version(ctx context.Context, one *instance) {
	if one.Installer != ack.OLM {
		return
	}
	var group sync.WaitGroup
	if name := one.csvName(); name != "" {
		group.Go(func() { one.csv = l.get(ctx, kinds.ClusterServiceVersion, one.Namespace, name) })
	}
	if one.subscription != nil && olm.InstallOf(one.subscription).Pending() {
		group.Go(func() { one.planned = l.planned(ctx, one.Namespace) })
	}
	group.Wait()
}

func (l *statusLook) planned(ctx context.Context, namespace string) (p planned) {
	p.plans, p.err = l.List(ctx, kinds.InstallPlan.GVR(), namespace, "")
	return p
}

// csvName is the version that is there, as the Subscription or the Deployment
// tells.
func (one *instance) csvName() string {
	if one.subscription != nil {
		return olm.InstallOf(one.subscription).Installed
	}
	return one.Labels["olm.owner"]
}

// pods lists them, and reads the log of each.
func (l *statusLook) pods(ctx context.Context, one *instance) {
	if one.Pods, one.podsErr = one.Controller.Pods(ctx, l.World); one.podsErr != nil {
		return
	}
	slices.SortFunc(one.Pods, func(a, b ack.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	one.logs = make([]podLog, len(one.Pods))
	var group sync.WaitGroup
	for i, pod := range one.Pods {
		if begun(pod, one.Container.Name) {
			group.Go(func() { one.logs[i] = l.log(ctx, pod, one.Container.Name) })
		}
	}
	group.Wait()
}

// log reads the end of a pod's log; of one that crashes that of the run before,
// which says why.
func (l *statusLook) log(ctx context.Context, pod ack.Pod, container string) (log podLog) {
	if log.crashes = pod.Crashes(container); log.crashes {
		log.text, log.err = l.LastLog(ctx, pod.Namespace, pod.Name, container)
	} else {
		log.text, log.err = live.Log(ctx, l.Conn, pod.Namespace, pod.Name, container, false)
	}
	return log
}

// begun reports whether a container of a pod has run: else it has no log.
func begun(pod ack.Pod, container string) bool {
	return slices.ContainsFunc(pod.Status.ContainerStatuses, func(c core.ContainerStatus) bool {
		return c.Name == container && (c.State.Waiting == nil || c.RestartCount > 0 || c.LastTerminationState.Terminated != nil)
	})
}
