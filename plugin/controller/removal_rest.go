package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	waiting "k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// again is the command with another flag.
func (r *Removal) again(flags ...string) string {
	if r.found.Namespace != operator.DefaultNamespace {
		flags = slices.Concat([]string{"-n", r.found.Namespace}, flags)
	}
	return advice.Command("oc ostoy-s3 controller uninstall", flags...)
}

// decideDefinition keeps the definition of ACK's Bucket, with which every Bucket
// of the cluster would go, unless the user wants it gone and there is none. Those
// that all of ACK's controllers share are never looked at.
func (r *Removal) decideDefinition(definition *unstructured.Unstructured) {
	if definition == nil || !r.options.DeleteDefinition && !r.endsController() { // or not ours to talk about
		return
	}
	p := r.add(&Part{
		Subject: TheType, Object: "CustomResourceDefinition " + Definition, Ref: apply.RefOf(definition),
		Fate: Removed, uid: definition.GetUID(),
	})
	p.Ref.Name = Definition
	by := apply.DeliveredBy(definition)
	switch {
	case !r.options.DeleteDefinition:
		p.keep("with it would go every Bucket that is made from now on", r.again("--delete-crds"))
	case len(r.others()) > 0:
		p.keep(r.others()[0].String()+" needs it", "")
	case len(r.found.otherSubscriptions("")) > 0:
		other := r.found.otherSubscriptions("")[0]
		p.keep("Subscription "+other.GetName()+" in "+other.GetNamespace()+", which ostoy-s3 does not manage, needs it", "")
	case by != "" && !r.options.ForceOwner:
		p.keep(by+" brings it", r.again("--delete-crds", "--force-owner"))
	case len(r.buckets) > 0 && len(r.going(TheBucket, nil)) == 0:
		p.keep("with it would go "+numbered(len(r.buckets), "Bucket")+", such as "+r.buckets[0].String(), advice.Command("oc get buckets.s3.services.k8s.aws -A"))
	}
}

// mayCome reports whether OLM may bring the definition that is to go, and was not
// there when the removal was planned.
func (r *Removal) mayCome() bool {
	return r.options.DeleteDefinition && r.found.Definition == nil && r.found.OLM && r.endsController()
}

// removeDefinition looks once more: the API server deletes with a definition all
// objects of its kind.
func (r *Removal) removeDefinition(ctx context.Context) error {
	if r.mayCome() {
		definition, err := r.conn.Dynamic.Resource(live.CRDs()).Get(ctx, Definition, metav1.GetOptions{})
		switch {
		case err == nil:
			r.decideDefinition(definition)
		case !apierrors.IsNotFound(err):
			return err
		}
	}
	for _, p := range r.going(TheType, nil) {
		left, err := r.listBuckets(ctx)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			p.leave("with it would go "+numbered(len(left), "Bucket")+":\n"+listed(left), advice.Command("oc get buckets.s3.services.k8s.aws -A"))
			continue
		}
		if err := r.deleteAndWait(ctx, live.CRDs(), Definition, p.uid); err != nil {
			return err
		}
		p.Done = true
		r.observe(health.State{Kind: "CustomResourceDefinition", Name: "definition", Text: "removed", Ready: true})
	}
	return nil
}

// deleteAndWait deletes the very object that was looked at, which is in no
// namespace, and waits until it is gone.
func (r *Removal) deleteAndWait(ctx context.Context, resource schema.GroupVersionResource, name string, uid types.UID) error {
	const pause = 500 * time.Millisecond
	client := r.conn.Dynamic.Resource(resource)
	err := client.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	// 409: another one by now, or it is being deleted already; the look says which.
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return err
	}
	err = waiting.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
		object, err := client.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && object.GetUID() != uid:
			return true, nil
		case apierrors.IsUnauthorized(err), apierrors.IsForbidden(err): // neither passes
			return false, err
		}
		return false, nil
	})
	return problem.While(resource.Resource+" "+name+" to be gone", err)
}

// decideNamespace lets a namespace go that install made and that holds nothing of
// others.
func (r *Removal) decideNamespace(ctx context.Context) error {
	project := r.found.Project
	if project == nil {
		return nil
	}
	p := &Part{Subject: TheNamespace, Object: "namespace " + r.found.Namespace, Fate: Removed, uid: project.GetUID()}
	if !r.found.NamespaceOurs() {
		if r.recorded() {
			r.add(p).keep("this tool did not make it", "")
		}
		return nil
	}
	r.add(p)
	if project.GetDeletionTimestamp() != nil { // a run that was cut off may have come this far
		return nil
	}
	others, err := r.besides(ctx)
	if err == nil && len(others) > 0 {
		p.keep("others have something in it: "+few(others), advice.Command("oc delete namespace", r.found.Namespace))
	}
	return err
}

// besides is what is in the namespace and neither goes with the controller nor
// is there in every namespace. A version that OLM has brought since goes, too.
func (r *Removal) besides(ctx context.Context) ([]string, error) {
	return live.Others(ctx, r.conn, r.found.Namespace, func(object *unstructured.Unstructured) bool {
		if object.GetKind() == "ClusterServiceVersion" && ofOperator(object) && r.versionOurs(object.GetName()) {
			return true
		}
		if isLeftover(object) && r.removesLeftovers() {
			return true
		}
		for _, p := range r.parts {
			if p.uid != "" && p.uid == object.GetUID() && p.Fate == Removed {
				return true
			}
		}
		return isPlanOfOperator(object)
	})
}

// isPlanOfOperator: OLM's record of an installation of the operator, and of
// nothing else, is of no use to anybody without it.
func isPlanOfOperator(object *unstructured.Unstructured) bool {
	if object.GetKind() != "InstallPlan" {
		return false
	}
	csvs := olm.PlanOf(object).CSVs
	return len(csvs) > 0 && !slices.ContainsFunc(csvs, func(csv string) bool { return !namesOperator(csv) })
}

// few names some of many.
func few(names []string) string {
	const enough = 5
	if len(names) > enough {
		return strings.Join(names[:enough], ", ") + " and " + numbered(len(names)-enough, "other")
	}
	return strings.Join(names, ", ")
}

// removeNamespace looks once more whether the namespace is ours alone.
func (r *Removal) removeNamespace(ctx context.Context) error {
	for _, p := range r.going(TheNamespace, nil) {
		if r.found.Project.GetDeletionTimestamp() == nil {
			others, err := r.besides(ctx)
			if apierrors.IsNotFound(err) {
				p.Done = true
				continue
			}
			if err != nil {
				return err
			}
			if len(others) > 0 {
				p.keep("others have something in it: "+few(others), advice.Command("oc delete namespace", r.found.Namespace))
				continue
			}
		}
		r.observe(health.State{Kind: "Namespace", Name: "namespace", Text: "deleting " + r.found.Namespace})
		if err := r.deleteAndWait(ctx, live.Namespaces(), r.found.Namespace, p.uid); err != nil {
			return err
		}
		p.Done = true
		r.observe(health.State{Kind: "Namespace", Name: "namespace", Text: "removed", Ready: true})
	}
	return nil
}
