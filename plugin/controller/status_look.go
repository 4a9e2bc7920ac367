package controller

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
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

	found         Found
	judged        []ack.Controller // those that are reported in detail
	only          string           // the one namespace that Deployments were listed in
	definitionErr error
	olm           olmLook
	buckets       live.Everywhere
	bucketsErr    error
	policy        policyLook
	trusts        []live.Trust
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
	var group errgroup.Group
	var failed error
	ask := func(question func()) { group.Go(func() error { question(); return nil }) }
	ask(func() { failed = l.deployments(ctx) })
	ask(func() { l.olm.err = l.subscriptions(ctx) })
	ask(func() {
		l.found.Definition, l.definitionErr = l.Get(ctx, kinds.CustomResourceDefinition.GVR(), "", Definition)
	})
	ask(func() { l.policy.found, l.policy.err = live.ReadAdmission(ctx, l.World) })
	ask(func() {
		// Who may not read it sees a controller that is not known to be ours.
		l.found.Inventory, _ = apply.New(l.Conn, apply.Options{Namespace: l.Namespace, Set: apply.Controller()}).ReadInventory(ctx)
	})
	ask(func() {
		l.buckets, l.bucketsErr = live.Search(ctx, l.World, []live.Wanted{{Resource: kinds.Bucket.GVR(), Marks: true}}, "")
		if l.bucketsErr == nil && len(l.buckets.Objects[kinds.Bucket.GVR()]) == 0 {
			l.bucketsErr = l.buckets.Unseen[kinds.Bucket.GVR()]
		}
		if unreadable := l.buckets.Unreadable; len(unreadable) > 0 && len(unreadable) == len(l.buckets.Searched) {
			l.bucketsErr = l.buckets.Refused[unreadable[0]][kinds.Bucket.GVR()]
		}
	})
	_ = group.Wait() // none gives an error
	l.judged = slices.Concat(l.found.Controllers.Proven, mineUnverified(l))
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
	for _, one := range list {
		if ofPackage(one) {
			l.found.Subscriptions = append(l.found.Subscriptions, one)
		}
	}
	if len(l.found.Subscriptions) > 0 {
		l.olm.offers, l.olm.offersErr = Offers(ctx, l.Conn)
	}
	return err
}

// each looks closer at every controller, and at what OLM has done about the
// Subscriptions without one, everything at the same time.
func (l *statusLook) each(ctx context.Context) []*instance {
	var group errgroup.Group
	mine := l.found.Mine()
	all := make([]*instance, len(l.judged))
	for i, c := range l.judged {
		one := &instance{Told: ack.Told{Controller: c}}
		one.ours = slices.ContainsFunc(mine, func(m ack.Controller) bool { return m.String() == c.String() })
		if c.Installer == ack.OLM && l.olm.err != nil { // whose its Subscription is cannot be seen
			one.ours = false
		}
		if c.Installer == ack.OLM {
			one.subscription = l.subscriptionOf(c)
		}
		all[i] = one
		group.Go(func() error {
			one.account.object, one.account.err = l.Get(ctx, kinds.ServiceAccount.GVR(), one.Namespace, one.Account())
			return nil
		})
		for _, question := range []func(context.Context, *instance){l.environment, l.pods, l.version} {
			group.Go(func() error { question(ctx, one); return nil })
		}
	}
	group.Go(func() error { l.exempt(ctx); return nil })
	group.Go(func() error {
		l.trusts = live.Trusts(ctx, l.World, l.policy.seen.Exempt, live.AccountsOf(l.found.Controllers.All))
		return nil
	})
	without := l.without()
	l.olm.left = make([]planned, len(without))
	for i, s := range without {
		group.Go(func() error { l.olm.left[i] = l.planned(ctx, s.GetNamespace()); return nil })
	}
	_ = group.Wait() // none gives an error
	return all
}

// subscriptionOf is the one that a controller came of: of those in its namespace
// the one whose version owns the Deployment, else any.
func (l *statusLook) subscriptionOf(c ack.Controller) *unstructured.Unstructured {
	var some *unstructured.Unstructured
	for _, s := range l.found.Subscriptions {
		if s.GetNamespace() != c.Namespace {
			continue
		}
		if some == nil || olm.InstallOf(s).Installed == c.Labels["olm.owner"] {
			some = s
		}
	}
	return some
}

// without are the Subscriptions of which no controller has come.
func (l *statusLook) without() []*unstructured.Unstructured {
	var some []*unstructured.Unstructured
	for _, s := range l.found.Subscriptions {
		if !slices.ContainsFunc(l.judged, func(c ack.Controller) bool {
			return c.Installer == ack.OLM && l.subscriptionOf(c) == s
		}) {
			some = append(some, s)
		}
	}
	return some
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
	one.lease.object, one.lease.err = l.Get(ctx, kinds.Lease.GVR(), one.leaseNamespace, leaseName)
}

// version asks how far OLM is with the version that is there, and with the next.
func (l *statusLook) version(ctx context.Context, one *instance) {
	if one.Installer != ack.OLM {
		return
	}
	var group errgroup.Group
	if name := one.csvName(); name != "" {
		group.Go(func() error {
			one.csv.object, one.csv.err = l.Get(ctx, kinds.ClusterServiceVersion.GVR(), one.Namespace, name)
			return nil
		})
	}
	if one.subscription != nil && olm.InstallOf(one.subscription).Pending() {
		group.Go(func() error { one.planned = l.planned(ctx, one.Namespace); return nil })
	}
	_ = group.Wait() // none gives an error
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
	var group errgroup.Group
	for i, pod := range one.Pods {
		if begun(pod, one.Container.Name) {
			group.Go(func() error { one.logs[i] = l.log(ctx, pod, one.Container.Name); return nil })
		}
	}
	_ = group.Wait() // none gives an error
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
