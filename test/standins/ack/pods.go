package ack

import (
	"context"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
)

// LeaseName is the leader election's, as in the controller's main.go.
const LeaseName = "ack-s3.services.k8s.aws"

// imageMark is in the name of every image of the controller.
const imageMark = "/s3-controller:"

// pods is what is known of the controller's pods, and what tests want of them.
type pods struct {
	lock  sync.Mutex
	known map[types.UID]*podState
	crash string
	renew time.Time
}

// podState is how a pod was last shown: not at all, running, or ending with a
// line over and over.
type podState struct {
	pod     *corev1.Pod
	running bool
	trouble trouble
}

// trouble keeps a container from running: it ended with a line on stderr, or
// could not be made.
type trouble struct{ line, config string }

// Crash lets the controller's pods end over and over with a text in their log,
// now and when they are made anew; "" lets them run. The controller does not
// work meanwhile.
func (c *Controller) Crash(line string) {
	c.pods.lock.Lock()
	defer c.pods.lock.Unlock()
	c.pods.crash = line
}

// Log adds lines to the log of every pod of the controller that runs.
func (c *Controller) Log(lines ...string) {
	c.pods.lock.Lock()
	defer c.pods.lock.Unlock()
	for _, known := range c.pods.known {
		if known.running {
			c.write(known.pod, "", lines...)
		}
	}
}

// follow looks after the controller's pods until ctx ends.
func (c *Controller) follow(ctx context.Context) {
	factory := informers.NewSharedInformerFactory(c.config.Client, 0)
	lister := factory.Core().V1().Pods().Lister()
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	leads := types.UID("")
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		found, err := lister.List(labels.Everything())
		if err != nil {
			continue // a lister of a cache has no errors
		}
		leader := c.look(ctx, found)
		if leader != nil {
			c.become(ctx, leader)
		}
		if leader != nil && leader.UID != leads {
			c.restarted(leads)
			leads = leader.UID
		}
		ordered := c.ordered() != ""
		c.decide(func() { c.idle = ordered || c.config.Kubelet && leader == nil })
		if leader != nil && c.Works() {
			c.lead(ctx, leader)
		}
	}
}

func (c *Controller) ordered() string {
	c.pods.lock.Lock()
	defer c.pods.lock.Unlock()
	return c.pods.crash
}

// look brings the pods to where they belong and returns one that runs.
func (c *Controller) look(ctx context.Context, found []*corev1.Pod) *corev1.Pod {
	c.pods.lock.Lock()
	defer c.pods.lock.Unlock()
	var leader *corev1.Pod
	here := map[types.UID]bool{}
	for _, pod := range found {
		at := containerOf(pod)
		if at < 0 || pod.DeletionTimestamp != nil || pod.Spec.NodeName == "" || pod.Annotations["testbed/fail"] != "" {
			continue
		}
		here[pod.UID] = true
		known := c.pods.known[pod.UID]
		if known == nil {
			if known = c.begin(ctx, pod); known == nil {
				continue
			}
			c.pods.known[pod.UID] = known
		}
		c.bring(ctx, known, at)
		if known.running {
			leader = pod
		}
	}
	for uid := range c.pods.known {
		if !here[uid] {
			delete(c.pods.known, uid)
		}
	}
	return leader
}

// begin takes a pod in hand, nil if it is too early.
func (c *Controller) begin(ctx context.Context, pod *corev1.Pod) *podState {
	if !c.config.Kubelet && !isReady(pod) || !c.announce(ctx, pod) {
		return nil
	}
	if c.config.Kubelet {
		return &podState{pod: pod}
	}
	c.write(pod, "", started())
	return &podState{pod: pod, running: true}
}

// bring lets a pod run or fail. Like a container, one that runs keeps the
// environment it started with.
func (c *Controller) bring(ctx context.Context, known *podState, at int) {
	want := trouble{line: c.pods.crash}
	if want.line == "" && !known.running && c.config.Kubelet {
		var err error
		if want, err = c.startup(ctx, known.pod, &known.pod.Spec.Containers[at]); err != nil {
			return // the API server is away: later
		}
	}
	runs := want == trouble{}
	if runs && known.running || !runs && want == known.trouble {
		return
	}
	if c.show(ctx, known.pod, want) != nil {
		return
	}
	known.running, known.trouble = runs, want
	switch {
	case runs:
		c.write(known.pod, "", started())
	case want.line != "":
		lines := strings.Split(strings.Replace(want.line, unstamped, unstamped+`"ts":"`+stamp()+`",`, 1), "\n")
		c.write(known.pod, "", lines...)
		c.write(known.pod, ".previous", lines...)
	}
}

func containerOf(pod *corev1.Pod) int {
	for i, container := range pod.Spec.Containers {
		if strings.Contains(container.Image, imageMark) {
			return i
		}
	}
	return -1
}

// lead holds the leader's lease, if the pod's arguments ask for one.
func (c *Controller) lead(ctx context.Context, pod *corev1.Pod) {
	if time.Since(c.pods.renew) < 2*time.Second {
		return
	}
	container := &pod.Spec.Containers[containerOf(pod)]
	env, _, err := c.environment(ctx, pod, container)
	if err != nil {
		return // tried again
	}
	c.pods.renew = time.Now()
	arguments := flagsOf(container, env)
	if arguments["enable-leader-election"] != "true" {
		return
	}
	namespace := arguments["leader-election-namespace"]
	if namespace == "" {
		namespace = pod.Namespace
	}
	leases := c.config.Client.CoordinationV1().Leases(namespace)
	holder, now, seconds := pod.Name+"_"+string(pod.UID), metav1.NowMicro(), int32(15)
	lease, err := leases.Get(ctx, LeaseName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: LeaseName}}
		lease, err = leases.Create(ctx, lease, metav1.CreateOptions{})
	}
	if err != nil {
		return
	}
	if lease.Spec.HolderIdentity == nil || *lease.Spec.HolderIdentity != holder {
		lease.Spec.AcquireTime = &now
	}
	lease.Spec.HolderIdentity, lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = &holder, &now, &seconds
	// What fails is done two seconds later.
	_, _ = leases.Update(ctx, lease, metav1.UpdateOptions{})
}
