package limits

import (
	"maps"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Amounts are how much of each resource, by the names that quotas use.
type Amounts map[core.ResourceName]resource.Quantity

func (a Amounts) add(name core.ResourceName, more resource.Quantity) {
	sum := a[name].DeepCopy()
	sum.Add(more)
	a[name] = sum
}

func one() resource.Quantity { return *resource.NewQuantity(1, resource.DecimalSI) }

// Use is what one object takes of a quota.
type Use struct {
	Object  string // "Deployment ostoy-frontend"
	Pod     *core.PodSpec
	Amounts Amounts
}

// OfObject is one object of a resource. Some resources of the core group have a second
// name in quotas, from before the others could be counted.
func OfObject(object string, of schema.GroupResource) Use {
	a := Amounts{core.ResourceName("count/" + of.String()): one()}
	if of.Group == "" && slices.Contains([]string{"services", "secrets", "configmaps", "persistentvolumeclaims"}, of.Resource) {
		a[core.ResourceName(of.Resource)] = one()
	}
	return Use{Object: object, Amounts: a}
}

// OfPodIn is a pod, which must be Defaulted.
func OfPodIn(object string, spec core.PodSpec) Use {
	a := Amounts{"pods": one(), "count/pods": one()}
	sum := total(spec)
	for name, quantity := range sum.Requests {
		a.add("requests."+name, quantity)
		if slices.Contains(computed(), name) {
			a.add(name, quantity) // the short name of the same
		}
	}
	for name, quantity := range sum.Limits {
		a.add("limits."+name, quantity)
	}
	return Use{Object: object, Pod: &spec, Amounts: a}
}

// ClassAmount is the name of a quota of one storage class.
func ClassAmount(class, what string) core.ResourceName {
	return core.ResourceName(class + ".storageclass.storage.k8s.io/" + what)
}

// ByClass reports whether a quota's resource is one of a storage class.
func ByClass(name core.ResourceName) bool {
	return strings.Contains(string(name), ".storageclass.storage.k8s.io/")
}

// OfClaimIn is a claim for a volume of a class; "": not known, or none.
func OfClaimIn(object, class string, size resource.Quantity) Use {
	use := OfObject(object, schema.GroupResource{Resource: "persistentvolumeclaims"})
	use.Amounts["requests.storage"] = size
	if class != "" {
		use.Amounts[ClassAmount(class, "requests.storage")] = size
		use.Amounts[ClassAmount(class, "persistentvolumeclaims")] = one()
	}
	return use
}

// Quota is a ResourceQuota, or a ClusterResourceQuota as it applies to the project.
type Quota struct {
	Name string // "ResourceQuota compute"
	Spec core.ResourceQuotaSpec
	Used core.ResourceList
}

// Sum is how much of a resource some uses are, as the quota counts them, and which objects
// have a part in it.
func (q Quota) Sum(name core.ResourceName, uses []Use) (sum resource.Quantity, objects []string) {
	for _, use := range uses {
		amount, has := use.Amounts[name]
		if !has || amount.IsZero() || !q.counts(use) {
			continue
		}
		sum.Add(amount)
		if !slices.Contains(objects, use.Object) {
			objects = append(objects, use.Object)
		}
	}
	return sum, objects
}

// Unstated are the requests and limits that a quota wants every container to state and a
// pod does not, as "limits.cpu of container x".
func (q Quota) Unstated(use Use) []string {
	if use.Pod == nil || !q.counts(use) {
		return nil
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
		side, of, sided := strings.Cut(string(name), ".")
		if !sided {
			side, of = "requests", string(name)
		}
		if of != "cpu" && of != "memory" || side != "requests" && side != "limits" {
			continue
		}
		for _, c := range slices.Concat(use.Pod.InitContainers, use.Pod.Containers) {
			list := c.Resources.Requests
			if side == "limits" {
				list = c.Resources.Limits
			}
			if _, stated := list[core.ResourceName(of)]; !stated {
				missing = append(missing, side+"."+of+" of container "+c.Name)
			}
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// counts reports whether a quota's scopes contain an object. Quotas with scopes count pods
// alone.
func (q Quota) counts(use Use) bool {
	var scopes []core.ScopedResourceSelectorRequirement
	for _, scope := range q.Spec.Scopes {
		scopes = append(scopes, core.ScopedResourceSelectorRequirement{ScopeName: scope, Operator: core.ScopeSelectorOpExists})
	}
	if q.Spec.ScopeSelector != nil {
		scopes = append(scopes, q.Spec.ScopeSelector.MatchExpressions...)
	}
	return len(scopes) == 0 || use.Pod != nil && !slices.ContainsFunc(scopes, func(s core.ScopedResourceSelectorRequirement) bool {
		return !inScope(*use.Pod, s)
	})
}

// inScope reports whether a scope contains a pod.
func inScope(pod core.PodSpec, scope core.ScopedResourceSelectorRequirement) bool {
	switch scope.ScopeName {
	case core.ResourceQuotaScopeTerminating:
		return pod.ActiveDeadlineSeconds != nil
	case core.ResourceQuotaScopeNotTerminating:
		return pod.ActiveDeadlineSeconds == nil
	case core.ResourceQuotaScopeBestEffort:
		return bestEffort(pod)
	case core.ResourceQuotaScopeNotBestEffort:
		return !bestEffort(pod)
	case core.ResourceQuotaScopePriorityClass:
		return ofClass(pod.PriorityClassName, scope)
	}
	return false // pods with affinity to other namespaces, and what is not known
}

func bestEffort(pod core.PodSpec) bool {
	sum := total(pod)
	for _, list := range []core.ResourceList{sum.Requests, sum.Limits} {
		for _, name := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
			if quantity := list[name]; !quantity.IsZero() {
				return false
			}
		}
	}
	return true
}

func ofClass(class string, scope core.ScopedResourceSelectorRequirement) bool {
	operators := map[core.ScopeSelectorOperator]selection.Operator{
		core.ScopeSelectorOpIn: selection.In, core.ScopeSelectorOpNotIn: selection.NotIn,
		core.ScopeSelectorOpExists: selection.Exists, core.ScopeSelectorOpDoesNotExist: selection.DoesNotExist,
	}
	requirement, err := labels.NewRequirement("class", operators[scope.Operator], scope.Values)
	set := labels.Set{}
	if class != "" {
		set["class"] = class
	}
	return err == nil && requirement.Matches(set)
}

// Surge is how many pods of the old template a Deployment still has to have while the
// first pod of another one starts: one, unless it deletes old pods first.
func Surge(strategy apps.DeploymentStrategy, replicas int32) int32 {
	if strategy.Type == apps.RecreateDeploymentStrategyType || replicas == 0 {
		return 0
	}
	unavailable := intstr.FromString("25%") // what the API server fills in
	if r := strategy.RollingUpdate; r != nil && r.MaxUnavailable != nil {
		unavailable = *r.MaxUnavailable
	}
	if n, err := intstr.GetScaledValueFromIntOrPercent(&unavailable, int(replicas), false); err == nil && n > 0 {
		return 0
	}
	return 1
}
