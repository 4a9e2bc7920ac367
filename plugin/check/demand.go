package check

import (
	"context"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/limits"
)

// demand is what the app takes of the project once it is installed, and what of it exists.
type demand struct {
	needed, have []limits.Use
	hidden       string // the permission without which the storage class is not known
}

// demandOf is the demand of everything that install would apply, the inventory and what
// controllers create of it included.
func demandOf(ctx context.Context, c clusterLook) (demand, error) {
	var d demand
	pods, err := listOf(ctx, c, kinds.Pod, c.Namespace)
	if err != nil {
		return d, err
	}
	ranges, _ := rangesOf(ctx, c) // where they cannot be read, another check says so
	plan, _ := c.Plan(ctx)        // that it is refused is for another check to say
	recorded := plan != nil && plan.Recorded() != nil
	d.add(limits.OfObject("ConfigMap "+apply.InventoryName, schema.GroupResource{Resource: "configmaps"}), recorded)
	for _, object := range c.objects {
		item := planned(plan, object)
		exists := item != nil && item.Live != nil
		if object.GetKind() == "PersistentVolumeClaim" {
			d.addClaim(ctx, c, object, item)
			continue
		}
		gvk, name := object.GroupVersionKind(), apply.RefOf(object).String()
		plural, _ := meta.UnsafeGuessKindToResource(gvk)
		d.add(limits.OfObject(name, plural.GroupResource()), exists)
		if object.GetKind() == "Service" {
			d.add(limits.OfObject(name, schema.GroupResource{Group: "discovery.k8s.io", Resource: "endpointslices"}), exists)
		}
		if object.GetKind() == "Deployment" {
			d.addPods(object, item, pods, ranges)
		}
	}
	return d, nil
}

// planned is what a plan says of an object; nil if that is not known.
func planned(plan *apply.Plan, object *unstructured.Unstructured) *apply.Item {
	if plan == nil {
		return nil
	}
	for _, item := range plan.Items {
		if item.Ref == apply.RefOf(object) {
			return item
		}
	}
	return nil
}

func (d *demand) add(use limits.Use, exists bool) {
	d.needed = append(d.needed, use)
	if exists {
		d.have = append(d.have, use)
	}
}

func (d *demand) addClaim(ctx context.Context, c clusterLook, object *unstructured.Unstructured, item *apply.Item) {
	name := apply.RefOf(object).String()
	use := func(object *unstructured.Unstructured) limits.Use {
		var claim core.PersistentVolumeClaim
		_ = into(object, &claim) // of the chart, or of the API server
		class, known := classOf(ctx, c, claim, item)
		if !known {
			d.hidden = "list storageclasses"
		}
		return limits.OfClaimIn(name, class, claim.Spec.Resources.Requests[core.ResourceStorage])
	}
	d.needed = append(d.needed, use(object))
	if item != nil && item.Live != nil {
		d.have = append(d.have, use(item.Live))
	}
}

// addPods adds what a Deployment's controller creates.
func (d *demand) addPods(object *unstructured.Unstructured, item *apply.Item, pods []*unstructured.Unstructured, ranges []core.LimitRange) {
	var deployment apps.Deployment
	if !into(object, &deployment) || deployment.Spec.Selector == nil {
		return
	}
	name, exists, rolls := apply.RefOf(object).String(), item != nil && item.Live != nil, item != nil && apply.RollsOut(item)
	set := limits.OfObject(name, schema.GroupResource{Group: "apps", Resource: "replicasets"})
	d.add(set, exists)
	if exists && rolls {
		d.add(set, false)
	}
	selector := labels.SelectorFromSet(deployment.Spec.Selector.MatchLabels)
	var running []limits.Use
	for _, one := range pods {
		var pod core.Pod
		if selector.Matches(labels.Set(one.GetLabels())) && into(one, &pod) && !ended(pod) {
			running = append(running, limits.OfPodIn(name, pod.Spec))
		}
	}
	replicas := replicasOf(deployment, item)
	use := limits.OfPodIn(name, limits.Defaulted(deployment.Spec.Template.Spec, ranges))
	for range replicas {
		d.needed = append(d.needed, use)
	}
	if rolls && len(running) > 0 && limits.Surge(deployment.Spec.Strategy, replicas) > 0 {
		d.needed = append(d.needed, running[0])
	}
	d.have = append(d.have, running...)
}

// replicasOf is how many pods a Deployment is to have: by its manifest, or, if that leaves
// the number to others, as it is.
func replicasOf(deployment apps.Deployment, item *apply.Item) int32 {
	if deployment.Spec.Replicas != nil {
		return *deployment.Spec.Replicas
	}
	if item != nil && item.Live != nil {
		if n, stated, _ := unstructured.NestedInt64(item.Live.Object, "spec", "replicas"); stated {
			return int32(min(n, 1<<20))
		}
	}
	return 1
}

// ended reports whether a pod runs no more: neither a quota counts it, nor does it need
// an identity.
func ended(pod core.Pod) bool {
	return pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
}

// into reads an object into its type; what has another form is left out.
func into(object *unstructured.Unstructured, typed any) bool {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed) == nil
}
