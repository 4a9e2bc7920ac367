package controller

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// statusLook is one look at all controllers. Unlike Look it goes on where it is
// refused something.
type statusLook struct {
	*live.World
	now time.Time

	found            Found
	judged           []ack.Controller // those that are reported in detail
	only             string           // the one namespace that Deployments were listed in
	subscriptionsErr error
	definitionErr    error
	offers           []olm.Offer // of the catalogs, where there is a Subscription
	offersErr        error
	left             []planned // for each Subscription without a controller
	buckets          live.Everywhere
	bucketsErr       error
	admission        live.Admission
	admissionErr     error
	seen             operator.Inspection // of what admission has
	unused           []string            // accounts that the policy exempts and no controller uses
	unusedErr        error
	trusts           []live.Trust
}

// everywhere asks what there is in the cluster, everything at the same time. Its
// error is that of the Deployments, without which there is nothing to tell.
func (l *statusLook) everywhere(ctx context.Context) error {
	l.found = Found{World: l.World, Namespace: l.Namespace}
	var group errgroup.Group
	var failed error
	ask := func(question func()) { group.Go(func() error { question(); return nil }) }
	ask(func() { failed = l.deployments(ctx) })
	ask(func() { l.subscriptionsErr = l.subscriptions(ctx) })
	ask(func() { l.found.Definition, l.definitionErr = l.Get(ctx, live.CRDs(), "", Definition) })
	ask(func() { l.admission, l.admissionErr = l.Admission(ctx) })
	ask(func() {
		// Who may not read it sees a controller that is not known to be ours.
		l.found.Inventory, _ = apply.New(l.Conn, apply.Options{Namespace: l.Namespace, Set: apply.Controller()}).ReadInventory(ctx)
	})
	ask(func() {
		l.buckets, l.bucketsErr = l.Everywhere(ctx, []live.Wanted{{Resource: live.Buckets(), Marks: true}}, "")
		if l.bucketsErr == nil && len(l.buckets.Objects[live.Buckets()]) == 0 {
			l.bucketsErr = l.buckets.Unseen[live.Buckets()]
		}
		if unreadable := l.buckets.Unreadable; len(unreadable) > 0 && len(unreadable) == len(l.buckets.Searched) {
			l.bucketsErr = l.buckets.Refused[unreadable[0]][live.Buckets()]
		}
	})
	_ = group.Wait() // none gives an error
	l.judged = slices.Concat(l.found.Controllers.Proven, l.mineUnverified())
	l.seen = operator.Inspect(l.admission.Policy, l.admission.Binding)
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
	list, err := l.List(ctx, olm.Subscriptions(), "", "")
	if apierrors.IsForbidden(err) {
		if here, refused := l.List(ctx, olm.Subscriptions(), l.Namespace, ""); refused == nil {
			list, err = here, nil
		}
	}
	for _, one := range list {
		if ofPackage(one) {
			l.found.Subscriptions = append(l.found.Subscriptions, one)
		}
	}
	if len(l.found.Subscriptions) > 0 {
		l.offers, l.offersErr = Offers(ctx, l.Conn)
	}
	return err
}
