package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// amounts are how much of each resource, by the names that quotas use.
type amounts map[core.ResourceName]resource.Quantity

func (a amounts) add(name core.ResourceName, more resource.Quantity) {
	sum := a[name].DeepCopy()
	sum.Add(more)
	a[name] = sum
}

// addPod counts a pod as the quota controller does: the larger of its containers'
// sum and of each init container.
func (a amounts) addPod(spec core.PodSpec) {
	a.add("pods", resource.MustParse("1"))
	a.add("count/pods", resource.MustParse("1"))
	for _, kind := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory, core.ResourceEphemeralStorage} {
		for _, side := range []string{"requests.", "limits."} {
			of := func(c core.Container) resource.Quantity {
				if side == "limits." {
					return c.Resources.Limits[kind]
				}
				return c.Resources.Requests[kind]
			}
			var most resource.Quantity
			for _, c := range spec.Containers {
				most.Add(of(c))
			}
			for _, c := range spec.InitContainers {
				if one := of(c); one.Cmp(most) > 0 {
					most = one
				}
			}
			a.add(core.ResourceName(side)+kind, most)
			if side == "requests." {
				a.add(kind, most) // the short name of the same
			}
		}
	}
}

func (a amounts) addClaim(spec core.PersistentVolumeClaimSpec) {
	a.add("persistentvolumeclaims", resource.MustParse("1"))
	a.add("count/persistentvolumeclaims", resource.MustParse("1"))
	a.add("requests.storage", spec.Resources.Requests[core.ResourceStorage])
}

// quota holds what is still to be made of the app against what the project's
// quotas leave.
func (c clusterLook) quota(ctx context.Context) Finding {
	quotas, err := c.Here(ctx, kinds.ResourceQuota.GVR())
	switch {
	case err != nil:
		return unreadable(c.Conn, err, "list resourcequotas in "+c.Namespace, "whether a quota leaves room for the app")
	case len(quotas) == 0:
		return Pass()
	}
	pods, err := c.Here(ctx, kinds.Pod.GVR())
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	claims, err := c.Here(ctx, kinds.PersistentVolumeClaim.GVR())
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	needed, have := need(c.objects, pods, claims)
	return judgeQuotas(c.Namespace, quotas, needed, have)
}

// need is what the whole app takes, and what of it is there.
func need(objects, pods, claims []*unstructured.Unstructured) (needed, have amounts) {
	needed, have = amounts{}, amounts{}
	for _, object := range objects {
		switch object.GetKind() {
		case "Deployment":
			needDeployment(object, pods, needed, have)
		case "PersistentVolumeClaim":
			claim := core.PersistentVolumeClaim{}
			if into(object, &claim) {
				needed.addClaim(claim.Spec)
			}
			if one := named(claims, object.GetName()); one != nil && into(one, &claim) {
				have.addClaim(claim.Spec)
			}
		}
	}
	return needed, have
}

func needDeployment(object *unstructured.Unstructured, pods []*unstructured.Unstructured, needed, have amounts) {
	var deployment apps.Deployment
	if !into(object, &deployment) || deployment.Spec.Selector == nil {
		return
	}
	replicas := int32(1)
	if deployment.Spec.Replicas != nil {
		replicas = *deployment.Spec.Replicas
	}
	for range replicas {
		needed.addPod(deployment.Spec.Template.Spec)
	}
	selector := labels.SelectorFromSet(deployment.Spec.Selector.MatchLabels)
	for _, one := range pods {
		var pod core.Pod
		if selector.Matches(labels.Set(one.GetLabels())) && into(one, &pod) && !ended(pod) {
			have.addPod(pod.Spec)
		}
	}
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

// judgeQuotas: too little room for what is missing is an error; for what runs,
// but would not be let in again, a warning.
func judgeQuotas(namespace string, quotas []*unstructured.Unstructured, needed, have amounts) Finding {
	var missing, later []string
	for _, object := range quotas {
		var quota core.ResourceQuota
		if !into(object, &quota) || !concerns(quota.Spec) {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(quota.Spec.Hard)) {
			hard, want := quota.Spec.Hard[name], needed[name]
			// What others use stays used.
			used := quota.Status.Used[name].DeepCopy()
			used.Sub(have[name])
			if used.Sign() < 0 {
				used = resource.Quantity{}
			}
			others := used.DeepCopy()
			used.Add(want)
			if want.IsZero() || used.Cmp(hard) <= 0 {
				continue
			}
			text := fmt.Sprintf("quota %s allows %s of %s, others use %s, the app takes %s", object.GetName(), hard.String(), name, others.String(), want.String())
			if here := have[name]; here.Cmp(want) < 0 {
				missing = append(missing, text)
			} else {
				later = append(later, text)
			}
		}
	}
	next := advice.Command("oc describe resourcequotas", "-n", namespace) + "\nfree something there, or ask for more; set smaller requests with -f or --set, for example frontend.resources.requests.cpu=50m"
	if len(missing) > 0 {
		return Refuse("the quota of project "+namespace+" leaves no room for the app", strings.Join(missing, "; "), next)
	}
	if len(later) > 0 {
		return Warn("the quota of project "+namespace+" leaves no room for the app when its pods are made anew", strings.Join(later, "; "), next)
	}
	return Pass()
}

// concerns reports whether a quota counts pods like the app's: they run for ever
// and state requests, and have no priority class.
func concerns(spec core.ResourceQuotaSpec) bool {
	scopes := slices.Clone(spec.Scopes)
	if spec.ScopeSelector != nil {
		for _, one := range spec.ScopeSelector.MatchExpressions {
			scopes = append(scopes, one.ScopeName)
		}
	}
	return !slices.ContainsFunc(scopes, func(s core.ResourceQuotaScope) bool {
		return s != core.ResourceQuotaScopeNotTerminating && s != core.ResourceQuotaScopeNotBestEffort
	})
}
