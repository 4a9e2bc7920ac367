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

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Execute carries the removal out. The Subscription is deleted before what it installed,
// which OLM would install again otherwise; what the controller needs goes when its pods
// are gone, the admission policy when the permissions on Buckets are removed; and the
// inventory lasts as long as anything it lists. Each step looks at what is there, so that
// a run that was interrupted is continued by another. What cannot be removed is a Line
// with the fate Left; the inventory and the namespace then stay, for the next run. observe
// is told of each part, one call at a time.
//
// S3 is never asked anything.
func (r *Removal) Execute(ctx context.Context, observe func(health.State)) error {
	r.observe = observe
	for _, step := range []func(context.Context, *Removal) error{
		endSubscription, endController,
		removing(func(l *removal.Line) bool { return !l.Done && isFurniture(l) }, ""), removeRole, removing(isRight, "rights"),
		// Until the permissions on Buckets and the controller are removed, somebody may write
		// a Bucket that a controller acts on.
		removing(isPolicy, "policy"), removeInventory, removeNamespace,
	} {
		if err := step(ctx, r); err != nil {
			return r.conn.Translate(err)
		}
	}
	return nil
}

// endSubscription keeps OLM from installing anything more.
func endSubscription(ctx context.Context, r *Removal) error {
	going := r.objects(ofKind("Subscription"))
	if len(going) == 0 {
		return nil
	}
	if err := newcomers(ctx, r); err != nil {
		return err
	}
	if err := removal.Delete(ctx, r.applier, going); err != nil {
		return err
	}
	for _, p := range going {
		if p.Fate != removal.Removed { // what it installed is not ours any more, either
			return problem.Refuse(p.Object+" was taken over by somebody else meanwhile",
				p.Why,
				"oc ostoy-s3 controller status shows what there is now")
		}
	}
	return nil
}

// removing is the step that removes some of the objects, and reports it if there were any:
// all as what they are on the board, or, without a name, counted.
func removing(which func(*removal.Line) bool, name string) func(context.Context, *Removal) error {
	return func(ctx context.Context, r *Removal) error {
		those := r.objects(which)
		if err := removal.Delete(ctx, r.applier, those); err != nil || len(those) == 0 {
			return err
		}
		state := health.State{Kind: "Object", Name: name, Text: "removed", Ready: true}
		if name == "" {
			state.Name, state.Text = "objects", phrase.Count(len(those), "object")+" removed"
		}
		r.observe(state)
		return nil
	}
}

// removeRole removes the role, when nobody needs it any more. One that cannot be
// removed does not keep the rest.
func removeRole(ctx context.Context, r *Removal) error {
	for _, l := range r.going(removal.Role) {
		if err := removal.DeleteRole(ctx, r.roles, r.role, l); err != nil {
			return err
		}
		if l.Done {
			r.observe(health.State{Kind: "Role", Name: "role", Text: "removed", Ready: true})
		} else {
			r.observe(health.State{Kind: "Role", Name: "role", Text: "not removed", Level: health.Fail})
		}
	}
	return nil
}

// removeInventory is last of what it lists.
func removeInventory(ctx context.Context, r *Removal) error {
	if len(r.lines.With(removal.Left)) > 0 {
		r.lines.Postpone(removal.Inventory, removal.Project)
	}
	for _, l := range r.going(removal.Inventory) {
		if err := l.Sent(r.applier.RemoveInventory(ctx, r.looked)); err != nil {
			return err
		}
		l.Done = true
	}
	return nil
}

// endController deletes what runs the controller, and waits until no pod of it is
// left: until then one may still take up a Bucket.
func endController(ctx context.Context, r *Removal) error {
	if !endsController(r) {
		return nil
	}
	if err := newcomers(ctx, r); err != nil {
		return err
	}
	if err := removal.Delete(ctx, r.applier, r.objects(ofKind("Deployment"))); err != nil {
		return err
	}
	for _, step := range []func(context.Context, *Removal) error{plansGone, versionsGone, deploymentsGone, podsGone} {
		if err := step(ctx, r); err != nil {
			return err
		}
	}
	if len(r.found.Mine()) > 0 {
		r.observe(health.State{Kind: "Controller", Name: "controller", Text: "ended", Ready: true})
	}
	return stranded(ctx, r)
}

// until waits until none is left of the objects of a kind that are picked. What
// hint says of the first is reported when the time is over.
func until(ctx context.Context, r *Removal, kind kinds.Kind, pick func(*unstructured.Unstructured) bool, hint string) error {
	first := "the " + kind.String() + "s of " + r.found.Namespace + " to be listed"
	return removal.Await(ctx, r.conn, r.found.Namespace, kind, first, func(all []*unstructured.Unstructured) (string, error) {
		left := each(those(all, pick), func(object *unstructured.Unstructured) string { return kind.String() + " " + object.GetName() })
		if len(left) == 0 {
			return "", nil
		}
		awaited := strings.Join(left, ", ") + " to be deleted"
		r.observe(health.State{Kind: "Controller", Name: "controller", Text: "waiting for " + awaited})
		return awaited + hint, nil
	}, r.observe)
}

// plansGone waits for the end of what OLM is still installing. An approved
// InstallPlan belongs to its Subscription and goes with it, but a moment later, and
// until then it may bring definition and version back.
func plansGone(ctx context.Context, r *Removal) error {
	if !versionsOurs(r) {
		return nil
	}
	return until(ctx, r, kinds.InstallPlan, underWay, ", which OLM carries out")
}

// underWay picks approved plans for the operator that OLM made when our Subscription
// existed. Where the namespace has other Subscriptions, they own the plan as well, so
// that it stays when ours is deleted: it is over once OLM has carried it out, if OLM
// has begun.
func underWay(object *unstructured.Unstructured) bool {
	plan, owners := olm.PlanOf(object), object.GetOwnerReferences()
	ours := those(owners, func(o metav1.OwnerReference) bool {
		return o.Kind == "Subscription" && o.Name == operator.SubscriptionName
	})
	stays := len(ours) < len(owners)
	over := slices.Contains([]string{"Complete", "Failed"}, plan.Phase) || stays && !plan.Installing()
	return len(ours) > 0 && plan.Approved && !over && slices.ContainsFunc(plan.CSVs, namesOperator)
}

// versionsGone deletes the operator's versions, those included that an approved
// InstallPlan still installed, and waits until OLM has finished with them.
func versionsGone(ctx context.Context, r *Removal) error {
	if !versionsOurs(r) {
		return nil
	}
	versions, err := versionsNow(ctx, r)
	if err != nil {
		return err
	}
	going := map[types.UID]bool{}
	for _, version := range versions {
		uid, background := version.GetUID(), metav1.DeletePropagationBackground
		going[uid] = true
		err := r.conn.Dynamic.Resource(kinds.ClusterServiceVersion.GVR()).Namespace(r.found.Namespace).Delete(ctx, version.GetName(),
			metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &background})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) { // deleted, or another one by now
			for _, l := range r.versions() {
				if l.Item.Live.GetUID() == uid {
					return l.Sent(err)
				}
			}
			return err
		}
	}
	pick := func(object *unstructured.Unstructured) bool { return going[object.GetUID()] }
	if err := until(ctx, r, kinds.ClusterServiceVersion, pick, ", which OLM finishes (oc get pods -A | grep olm-operator)"); err != nil {
		return err
	}
	for _, p := range r.versions() {
		p.Done = true
	}
	return nil
}

// versionsNow are the versions to delete: those of the plan, and those that OLM installed
// since, unless there is a Subscription now that ostoy-s3 does not manage.
func versionsNow(ctx context.Context, r *Removal) ([]*unstructured.Unstructured, error) {
	all, err := cluster.ListAll(ctx, r.conn.Dynamic.Resource(kinds.ClusterServiceVersion.GVR()).Namespace(r.found.Namespace), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	subscriptions, err := cluster.ListAll(ctx, r.conn.Dynamic.Resource(kinds.Subscription.GVR()).Namespace(r.found.Namespace), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	claimed := slices.ContainsFunc(subscriptions, func(s *unstructured.Unstructured) bool { return ofPackage(s) && !apply.Ours(s) })
	return slices.DeleteFunc(all, func(version *unstructured.Unstructured) bool {
		planned := slices.ContainsFunc(r.versions(), func(l *removal.Line) bool { return l.Item.Live.GetUID() == version.GetUID() })
		return !planned && (claimed || !ofOperator(version) || !r.found.versionOurs(version.GetName()))
	}), nil
}

// deploymentsGone waits for the cluster's garbage collection.
func deploymentsGone(ctx context.Context, r *Removal) error {
	return until(ctx, r, kinds.Deployment, func(object *unstructured.Unstructured) bool {
		same := func(c ack.Controller) bool { return c.Namespace == object.GetNamespace() && c.Name == object.GetName() }
		return ack.IsController(object) && !slices.ContainsFunc(r.found.notMine(r.found.Controllers.All), same)
	}, "")
}

// podsGone waits for the end of the pods, whose Deployment may be gone since a
// run before this one.
func podsGone(ctx context.Context, r *Removal) error {
	return until(ctx, r, kinds.Pod, func(pod *unstructured.Unstructured) bool {
		over := slices.Contains([]string{"Succeeded", "Failed"}, health.Text(pod.Object, "status", "phase"))
		return !over && ack.IsPod(pod) && !slices.ContainsFunc(r.found.notMine(r.found.Controllers.All), func(c ack.Controller) bool { return owns(c, pod) })
	}, "")
}

func owns(c ack.Controller, pod *unstructured.Unstructured) bool {
	selector, err := metav1.LabelSelectorAsSelector(c.Spec.Selector)
	return err == nil && c.Namespace == pod.GetNamespace() && selector.Matches(labels.Set(pod.GetLabels()))
}
