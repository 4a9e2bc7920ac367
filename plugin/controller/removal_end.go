package controller

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// endController deletes what runs the controller, and waits until no pod of it is
// left: until then one may still take up a Bucket.
func (r *Removal) endController(ctx context.Context) error {
	if !r.endsController() {
		return nil
	}
	if err := r.newcomers(ctx); err != nil {
		return err
	}
	if err := r.removeObjects(ctx, r.going(TheObject, ofKind("Deployment"))); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{r.plansGone, r.versionsGone, r.deploymentsGone, r.podsGone} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if len(r.mine()) > 0 {
		r.observe(health.State{Kind: "Controller", Name: "controller", Text: "ended", Ready: true})
	}
	return nil
}

// until waits until none is left of the objects of a kind that are picked. What
// hint says of the first is told where the time is over.
func (r *Removal) until(ctx context.Context, kind string, pick func(*unstructured.Unstructured) bool, each func(*unstructured.Unstructured) error, hint string) error {
	awaited := "the " + kind + "s of " + r.found.Namespace + " to be listed"
	err := wait.Until(ctx, r.conn.Dynamic, r.found.Namespace, kind, func(all []*unstructured.Unstructured) (bool, error) {
		var left []string
		for _, object := range all {
			if !pick(object) {
				continue
			}
			left = append(left, kind+" "+object.GetName())
			if err := each(object); err != nil {
				return false, err
			}
		}
		if len(left) > 0 {
			awaited = strings.Join(left, ", ") + " to be gone" + hint
			r.observe(health.State{Kind: "Controller", Name: "controller", Text: "waiting for " + strings.Join(left, ", ") + " to be gone"})
		}
		return len(left) == 0, nil
	}, r.observe)
	return problem.While(awaited, err)
}

func nothing(*unstructured.Unstructured) error { return nil }

// plansGone waits for the end of what OLM is still installing. An approved
// InstallPlan belongs to its Subscription and goes with it, but a moment later, and
// until then it may bring definition and version back.
func (r *Removal) plansGone(ctx context.Context) error {
	if !r.found.OLM || !r.versionsOurs() {
		return nil
	}
	return r.until(ctx, "InstallPlan", underWay, nothing, ", which OLM carries out")
}

// underWay picks approved plans for the operator that OLM made when our Subscription
// existed. Where the namespace has other Subscriptions, they own the plan as well, so
// that it stays when ours is deleted: it is over once OLM has carried it out, if OLM
// has begun.
func underWay(object *unstructured.Unstructured) bool {
	plan, owners := olm.PlanOf(object), object.GetOwnerReferences()
	ours := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool {
		return o.Kind == "Subscription" && o.Name == operator.SubscriptionName
	})
	stays := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool {
		return o.Kind != "Subscription" || o.Name != operator.SubscriptionName
	})
	over := slices.Contains([]string{"Complete", "Failed"}, plan.Phase) || stays && !plan.Installing()
	return ours && plan.Approved && !over && slices.ContainsFunc(plan.CSVs, namesOperator)
}

// versionsGone deletes the operator's versions, those included that an approved
// InstallPlan still brought, and waits until OLM has let go of them.
func (r *Removal) versionsGone(ctx context.Context) error {
	if !r.found.OLM || !r.versionsOurs() {
		return nil
	}
	asked := map[types.UID]bool{}
	decided := &newVersions{r, map[types.UID]bool{}}
	var failure error
	pick := func(object *unstructured.Unstructured) bool {
		if !ofOperator(object) || failure != nil {
			return false
		}
		goes, err := decided.goes(ctx, object)
		failure = err
		return goes
	}
	err := r.until(ctx, "ClusterServiceVersion", pick, func(object *unstructured.Unstructured) error {
		uid := object.GetUID()
		if object.GetDeletionTimestamp() != nil || asked[uid] {
			return nil
		}
		asked[uid] = true
		background := metav1.DeletePropagationBackground
		err := r.conn.Dynamic.Resource(olm.ServiceVersions()).Namespace(r.found.Namespace).Delete(ctx, object.GetName(),
			metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &background})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or another one by now
			return nil
		}
		return err
	}, ", which OLM lets go of (oc get pods -A | grep olm-operator)")
	if failure != nil {
		return failure
	}
	if err != nil {
		return err
	}
	for _, p := range r.going(TheVersion, nil) {
		p.Done = true
	}
	return nil
}

// deploymentsGone waits for the cluster's garbage collection.
func (r *Removal) deploymentsGone(ctx context.Context) error {
	return r.until(ctx, "Deployment", func(object *unstructured.Unstructured) bool {
		return ack.IsController(object) && !r.isNotMine(object)
	}, nothing, "")
}

// podsGone waits for the end of the pods, whose Deployment may be gone since a
// run before this one.
func (r *Removal) podsGone(ctx context.Context) error {
	return r.until(ctx, "Pod", func(pod *unstructured.Unstructured) bool {
		over := slices.Contains([]string{"Succeeded", "Failed"}, health.Text(pod.Object, "status", "phase"))
		return !over && ack.IsPod(pod) && !slices.ContainsFunc(r.notMine(r.found.Controllers.All), func(c ack.Controller) bool { return owns(c, pod) })
	}, nothing, "")
}

func owns(c ack.Controller, pod *unstructured.Unstructured) bool {
	selector, err := metav1.LabelSelectorAsSelector(c.Spec.Selector)
	return err == nil && c.Namespace == pod.GetNamespace() && selector.Matches(labels.Set(pod.GetLabels()))
}
