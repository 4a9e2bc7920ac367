// Package olm plays the Operator Lifecycle Manager (0.46, or before 0.33) for one package,
// ack-s3-controller: catalog operator (Subscription to InstallPlan to CRD,
// service account and CSV), OLM operator (CSV to Deployment) and package server.
//
// It follows operator-framework/operator-lifecycle-manager and the bundles in
// redhat-openshift-ecosystem/community-operators-prod: phases, reasons, texts, what it
// overwrites and who owns what. It works through its own installations only: objects of OLM's
// kinds that somebody else made in a finished state stay as they are, however
// a test changes them. It does not play other packages, dependencies, install
// modes, bundles being unpacked, or approvals by other means than spec.approved.
package olm

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// Config is what OLM plays with.
type Config struct {
	Cluster dynamic.Interface
	// Bundle gives what the operator's bundle of a version brings to a namespace:
	// CustomResourceDefinition, ClusterRoles and Deployment.
	Bundle func(version, namespace string) ([]*unstructured.Unstructured, error)
	// Versions are what the catalog offers at first, oldest first.
	Versions []string
	// Seed shuffles how long OLM takes.
	Seed uint64
}

// OLM runs until its context ends. Its methods may be called at any time; those
// that order something return when the cluster shows it.
type OLM struct {
	config Config
	ctx    context.Context
	poke   chan struct{}
	asked  chan chan struct{}
	done   chan struct{}

	lock   sync.Mutex
	orders orders
	random *rand.Rand // the loop's

	// What only the loop touches: the CSVs it installs, when a Subscription was
	// first found to need a plan and other times, the spec.config a Deployment was
	// made with, the Subscriptions that had their FirstPlan, and those that OLM has
	// stopped looking at.
	mine    map[types.UID]bool
	since   map[string]time.Time
	applied map[string]string
	misled  map[types.UID]string
	away    map[types.UID]string
}

// Start starts OLM and returns when its catalog is there. It ends with ctx, and
// Wait waits for that.
func Start(ctx context.Context, config Config) *OLM {
	o := &OLM{
		config: config, ctx: ctx, orders: orders{versions: config.Versions},
		random: rand.New(rand.NewPCG(config.Seed, 0)),
		poke:   make(chan struct{}, 1), asked: make(chan chan struct{}), done: make(chan struct{}),
		mine: map[types.UID]bool{}, since: map[string]time.Time{}, applied: map[string]string{}, misled: map[types.UID]string{},
		away: map[types.UID]string{},
	}
	go o.run(ctx)
	o.order(func(*orders) {})
	return o
}

// between is a time that nobody can foretell.
func (o *OLM) between(least, most time.Duration) time.Duration {
	return least + time.Duration(o.random.Int64N(int64(most-least)))
}

// pause takes such a time.
func (o *OLM) pause(ctx context.Context, least, most time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(o.between(least, most)):
	}
}

// Wait returns when OLM has ended after its context has.
func (o *OLM) Wait() { <-o.done }

func kind(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: resource}
}

var (
	subscriptions   = kind("subscriptions")
	installPlans    = kind("installplans")
	csvs            = kind("clusterserviceversions")
	operatorGroups  = schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1", Resource: "operatorgroups"}
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
)

// run looks at everything whenever something moved, somebody asked, or a pass
// left something to do.
func (o *OLM) run(ctx context.Context) {
	defer close(o.done)
	informers := dynamicinformer.NewDynamicSharedInformerFactory(o.config.Cluster, 0)
	moved := func(object any) {
		if others(object) {
			return
		}
		select {
		case o.poke <- struct{}{}:
		default:
		}
	}
	for _, resource := range []schema.GroupVersionResource{subscriptions, installPlans, csvs, operatorGroups, deployments} {
		// Adding a handler fails only on a stopped informer; these are new.
		_, _ = informers.ForResource(resource).Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: moved, UpdateFunc: func(before, now any) { moved(before); moved(now) }, DeleteFunc: moved,
		})
	}
	informers.Start(ctx.Done())
	defer informers.Shutdown()
	var waiting []chan struct{}
	for ctx.Err() == nil {
		again, err := o.pass(ctx)
		// A conflict, or a server that is away: the next pass sees it anew.
		if err == nil {
			for _, answer := range waiting {
				close(answer)
			}
			waiting = nil
		}
		var later <-chan time.Time
		if again || err != nil {
			later = time.After(50 * time.Millisecond)
		}
		select {
		case <-ctx.Done():
		case <-o.poke:
		case <-later:
		case answer := <-o.asked:
			waiting = append(waiting, answer)
		}
	}
}

// others: it is a Deployment that no CSV has made. OLM looks at nothing because of it.
func others(object any) bool {
	moved, known := object.(*unstructured.Unstructured)
	return known && moved.GetKind() == "Deployment" && moved.GetLabels()[ownerLabel] == "" && moved.GetName() != Package
}

// view is what one pass sees.
type view struct{ subscriptions, plans, csvs, groups []unstructured.Unstructured }

// pass brings each object forward by one step. It tells whether to look again
// soon without anything having moved.
func (o *OLM) pass(ctx context.Context) (again bool, err error) {
	v := &view{}
	orders := o.current()
	err = o.publish(ctx, orders)
	for _, list := range []struct {
		resource schema.GroupVersionResource
		into     *[]unstructured.Unstructured
	}{{subscriptions, &v.subscriptions}, {installPlans, &v.plans}, {csvs, &v.csvs}, {operatorGroups, &v.groups}} {
		found, failed := o.config.Cluster.Resource(list.resource).List(ctx, metav1.ListOptions{})
		if err = errors.Join(err, failed); err != nil {
			return true, err
		}
		*list.into = found.Items
	}
	for i := range v.subscriptions {
		waits, failed := o.subscription(ctx, v, orders, &v.subscriptions[i])
		again, err = again || waits, errors.Join(err, failed)
	}
	for i := range v.plans {
		err = errors.Join(err, o.plan(ctx, v, orders, &v.plans[i]))
	}
	for i := range v.csvs {
		waits, failed := o.csv(ctx, v, orders, &v.csvs[i])
		again, err = again || waits, errors.Join(err, failed)
	}
	return again, errors.Join(err, o.ungrant(ctx))
}
