package controller

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
)

// instance is what was seen of one controller.
type instance struct {
	ack.Told
	ours bool

	envErr, podsErr error
	account         *unstructured.Unstructured
	accountErr      error
	lease           *unstructured.Unstructured
	leaseNamespace  string
	leaseErr        error
	subscription    *unstructured.Unstructured // nil: OLM did not install it, or it is gone
	csv             *unstructured.Unstructured
	csvErr          error
	planned
	logs []podLog // of each of its pods, in their order

	mu      sync.Mutex
	crashes map[string]string // by pod: what it said before its end
}

// planned are the InstallPlans of a namespace.
type planned struct {
	plans    []*unstructured.Unstructured
	plansErr error
}

// podLog is the end of a pod's log.
type podLog struct {
	pod  string
	text string
	err  error
}

// each looks closer at every controller, and at what OLM has done about the
// Subscriptions without one, everything at the same time.
func (l *statusLook) each(ctx context.Context) []*instance {
	var group errgroup.Group
	mine := l.found.Mine()
	all := make([]*instance, len(l.judged))
	for i, c := range l.judged {
		one := &instance{Told: ack.Told{Controller: c}, crashes: map[string]string{}}
		one.ours = slices.ContainsFunc(mine, func(m ack.Controller) bool { return m.String() == c.String() })
		if c.Installer == ack.OLM && l.subscriptionsErr != nil { // whose its Subscription is cannot be seen
			one.ours = false
		}
		if c.Installer == ack.OLM {
			one.subscription = l.subscriptionOf(c)
		}
		all[i] = one
		for _, question := range []func(context.Context, *instance){l.environment, l.pods, l.serviceAccount, l.version} {
			group.Go(func() error { question(ctx, one); return nil })
		}
	}
	group.Go(func() error { l.exempt(ctx); return nil })
	group.Go(func() error {
		l.trusts = l.Trusts(ctx, l.seen.Exempt, live.AccountsOf(l.found.Controllers.All))
		return nil
	})
	without := l.without()
	l.left = make([]planned, len(without))
	for i, s := range without {
		group.Go(func() error { l.left[i] = l.planned(ctx, s.GetNamespace()); return nil })
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
	if one.Env, one.envErr = l.ControllerEnvironment(ctx, one.Controller); one.envErr != nil {
		one.Env = ack.EnvironmentOf(one.Container, ack.Sources{}) // what the Deployment itself says
	}
	one.Flags = ack.FlagsOf(one.Container, one.Env)
	one.leaseNamespace = one.Namespace
	if namespaces := one.Flags.Pieces("leader-election-namespace"); len(namespaces) == 1 {
		one.leaseNamespace = namespaces[0]
	}
	one.lease, one.leaseErr = l.Get(ctx, live.Leases(), one.leaseNamespace, leaseName)
}

// serviceAccount asks for the one that its pods run as.
func (l *statusLook) serviceAccount(ctx context.Context, one *instance) {
	one.account, one.accountErr = l.Get(ctx, live.ServiceAccounts(), one.Namespace, one.Account())
}

// version asks how far OLM is with the version that is there, and with the next.
func (l *statusLook) version(ctx context.Context, one *instance) {
	if one.Installer != ack.OLM {
		return
	}
	var group errgroup.Group
	if name := one.csvName(); name != "" {
		group.Go(func() error {
			one.csv, one.csvErr = l.Get(ctx, olm.ServiceVersions(), one.Namespace, name)
			return nil
		})
	}
	if one.subscription != nil && olm.InstallOf(one.subscription).Pending() {
		group.Go(func() error { one.planned = l.planned(ctx, one.Namespace); return nil })
	}
	_ = group.Wait() // none gives an error
}

func (l *statusLook) planned(ctx context.Context, namespace string) (p planned) {
	p.plans, p.plansErr = l.List(ctx, olm.InstallPlans(), namespace, "")
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
	if one.Pods, one.podsErr = l.ControllerPods(ctx, one.Controller); one.podsErr != nil {
		return
	}
	slices.SortFunc(one.Pods, func(a, b ack.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	one.logs = make([]podLog, len(one.Pods))
	var group errgroup.Group
	for i, pod := range one.Pods {
		one.logs[i].pod = pod.Name
		if !begun(pod, one.Container.Name) {
			continue
		}
		group.Go(func() error {
			l.log(ctx, one, pod, &one.logs[i])
			return nil
		})
	}
	_ = group.Wait() // none gives an error
}

// log reads the end of a pod's log; of one that crashes that of the run before,
// which says why.
func (l *statusLook) log(ctx context.Context, one *instance, pod ack.Pod, into *podLog) {
	container := one.Container.Name
	if !pod.Crashes(container) {
		into.text, into.err = live.Log(ctx, l.Conn, pod.Namespace, pod.Name, container, false)
		return
	}
	into.text, into.err = l.LastLog(ctx, pod.Namespace, pod.Name, container)
	one.mu.Lock()
	defer one.mu.Unlock()
	one.crashes[pod.Name] = into.text
}

// begun reports whether a container of a pod has run: else it has no log.
func begun(pod ack.Pod, container string) bool {
	return slices.ContainsFunc(pod.Status.ContainerStatuses, func(c core.ContainerStatus) bool {
		return c.Name == container && (c.State.Waiting == nil || c.RestartCount > 0 || c.LastTerminationState.Terminated != nil)
	})
}
