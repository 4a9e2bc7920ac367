// Package ack plays ACK's S3 controller (v1.10.0): it makes real buckets in
// the AWS emulator for Bucket objects and writes the conditions, texts and the
// finalizer of the real one.
//
// It follows aws-controllers-k8s/runtime 0.62 (pkg/runtime/reconciler.go: conditions,
// order, triggers, back-off) and the controller's hook.go (Block Public Access is stripped
// when the spec lacks it), both compared with the real controller run against the same
// servers. Of the bucket's settings it knows those our Bucket states and, of the
// others, what a test needs to show what a Bucket can do: lifecycle, CORS,
// website, versioning, logging, acceleration, who pays, notification, replication and the
// canned ACL. What the spec of an adopted bucket leaves out is deleted or switched off. It
// does not play CARM or read-only.
//
// What it writes to Buckets and their status it writes as the service account of
// its pod, with the permissions that OLM or the chart gave that one.
package ack

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Finalizer marks a Bucket the controller manages.
const Finalizer = "finalizers.s3.services.k8s.aws/Bucket"

// Config is what the controller has from its environment.
type Config struct {
	Cluster dynamic.Interface
	// As is the cluster for one service account.
	As func(namespace, account string) (dynamic.Interface, error)
	// Namespace and ServiceAccount are the service account until a pod says which it is.
	Namespace, ServiceAccount string
	// S3 makes the client of a region, with the controller's own key.
	S3 func(region string) *s3.Client
	// Assume lets the controller work with the session of its pod's role; nil: it
	// works with its own key, whatever role its pod has.
	Assume  Assume
	Account string
	Region  string
	// Client and LogDir, which takes a log per pod, are for the controller's pods.
	Client kubernetes.Interface
	LogDir string
	// Kubelet: nobody else starts the controller's pods, and the controller works
	// only while one of them runs. Without it the controller always works, and its
	// pods are taken as they are.
	Kubelet bool
}

// Controller runs until its context ends, and can be paused.
type Controller struct {
	config Config
	ctx    context.Context

	lock   sync.Mutex
	cancel context.CancelFunc
	done   chan struct{}
	// paused by a test, idle for want of a pod that runs.
	paused, idle bool

	pods     pods
	self     self
	lost     lost
	session  session
	followed chan struct{}
}

// Resource is the Bucket's.
func Resource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "s3.services.k8s.aws", Version: "v1alpha1", Resource: "buckets"}
}

// Start starts a controller; it ends with ctx, and Wait waits for that.
func Start(ctx context.Context, config Config) *Controller {
	c := &Controller{config: config, ctx: ctx, idle: config.Kubelet, followed: make(chan struct{})}
	c.pods.known = map[types.UID]*podState{}
	c.self.is(config.Namespace, config.ServiceAccount)
	c.decide(func() {})
	go func() {
		defer close(c.followed)
		c.follow(ctx)
	}()
	return c
}

// Pause stops the controller, as if it hung: Buckets get no status.
func (c *Controller) Pause() { c.decide(func() { c.paused = true }) }

// Resume starts it again. Like the real one it then looks at every Bucket.
func (c *Controller) Resume() { c.decide(func() { c.paused = false }) }

// decide changes what keeps the controller from working, and starts or stops it.
func (c *Controller) decide(change func()) {
	c.lock.Lock()
	defer c.lock.Unlock()
	change()
	switch works := !c.paused && !c.idle; {
	case !works && c.cancel != nil:
		c.cancel()
		<-c.done
		c.cancel = nil
	case works && c.cancel == nil:
		c.lost.forget()
		ctx, cancel := context.WithCancel(c.ctx)
		done := make(chan struct{})
		c.cancel, c.done = cancel, done
		go func() {
			defer close(done)
			c.run(ctx)
		}()
	}
}

// Works tells whether the controller is at work.
func (c *Controller) Works() bool {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.cancel != nil
}

// Wait returns when the controller has ended after its context has.
func (c *Controller) Wait() {
	<-c.ctx.Done()
	<-c.followed
	c.Pause()
}

type queue = workqueue.TypedRateLimitingInterface[cache.ObjectName]

// run watches Buckets and works through them one at a time, retrying with the
// real controller's back-off (5 ms doubling up to 1000 s).
func (c *Controller) run(ctx context.Context) {
	work := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[cache.ObjectName]())
	informers := dynamicinformer.NewDynamicSharedInformerFactory(c.config.Cluster, 10*time.Hour)
	informer := informers.ForResource(Resource()).Informer()
	// Adding a handler fails only on a stopped informer; this one is new.
	_, _ = informer.AddEventHandler(handlers(work))
	informers.Start(ctx.Done())
	defer informers.Shutdown()
	stop := context.AfterFunc(ctx, work.ShutDown)
	defer stop()
	for {
		name, quit := work.Get()
		if quit {
			return
		}
		again, err := c.reconcile(ctx, name)
		switch {
		case err != nil:
			work.AddRateLimited(name)
		case again > 0:
			work.Forget(name)
			work.AddAfter(name, again)
		default:
			work.Forget(name)
		}
		work.Done(name)
	}
}

// handlers queue what the real controller's event filter lets through: new
// objects and new generations. A change of metadata alone is neither (a
// deletion raises the generation).
func handlers(work queue) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(added any) {
			if object, ok := added.(*unstructured.Unstructured); ok {
				work.Add(cache.MetaObjectToName(object))
			}
		},
		UpdateFunc: func(before, after any) {
			old, ok1 := before.(*unstructured.Unstructured)
			now, ok2 := after.(*unstructured.Unstructured)
			if ok1 && ok2 && old.GetGeneration() != now.GetGeneration() {
				work.Add(cache.MetaObjectToName(now))
			}
		},
	}
}
