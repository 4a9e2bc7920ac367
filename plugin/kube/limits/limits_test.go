package limits

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// list reads "cpu=100m memory=1Gi".
func list(text string) core.ResourceList {
	all := core.ResourceList{}
	for _, one := range strings.Fields(text) {
		name, value, _ := strings.Cut(one, "=")
		all[core.ResourceName(name)] = resource.MustParse(value)
	}
	return all
}

func stated(requests, limits string) core.ResourceRequirements {
	return core.ResourceRequirements{Requests: list(requests), Limits: list(limits)}
}

func pod(requests, limits string) core.PodSpec {
	r := stated(requests, limits)
	return core.PodSpec{
		InitContainers: []core.Container{{Name: "wait", Resources: *r.DeepCopy()}},
		Containers:     []core.Container{{Name: "app", Resources: r}},
	}
}

func rangeOf(limits ...core.LimitRangeItem) []core.LimitRange {
	return []core.LimitRange{{ObjectMeta: metav1.ObjectMeta{Name: "bounds"}, Spec: core.LimitRangeSpec{Limits: limits}}}
}

// TestLimitRanges: what the API server refuses, in the cases of its own plugin's tests.
func TestLimitRanges(t *testing.T) {
	const container, whole = core.LimitTypeContainer, core.LimitTypePod
	for name, c := range map[string]struct {
		pod   core.PodSpec
		limit core.LimitRangeItem
		want  string // in the first violation; "": none
	}{
		"between":            {pod("cpu=100m", "cpu=200m"), core.LimitRangeItem{Type: container, Min: list("cpu=50m"), Max: list("cpu=200m")}, ""},
		"below the minimum":  {pod("cpu=100m", ""), core.LimitRangeItem{Type: container, Min: list("cpu=150m")}, "requests.cpu is 100m, and the minimum per Container is 150m"},
		"no request":         {pod("", ""), core.LimitRangeItem{Type: container, Min: list("cpu=150m")}, "requests.cpu is not set"},
		"above the maximum":  {pod("", "memory=2Gi"), core.LimitRangeItem{Type: container, Max: list("memory=1Gi")}, "limits.memory is 2Gi, and the maximum per Container is 1Gi"},
		"no limit":           {pod("cpu=1", ""), core.LimitRangeItem{Type: container, Max: list("cpu=2")}, "limits.cpu is not set"},
		"a default limit":    {pod("cpu=1", ""), core.LimitRangeItem{Type: container, Max: list("cpu=2"), Default: list("cpu=2")}, ""},
		"a default too high": {pod("", ""), core.LimitRangeItem{Type: container, Max: list("cpu=1"), Default: list("cpu=2")}, "limits.cpu is 2"},
		"a default request":  {pod("", ""), core.LimitRangeItem{Type: container, Min: list("cpu=50m"), DefaultRequest: list("cpu=60m")}, ""},
		"request from limit": {pod("", "cpu=100m"), core.LimitRangeItem{Type: container, Min: list("cpu=100m"), DefaultRequest: list("cpu=10m")}, ""},
		"ratio":              {pod("cpu=50m", "cpu=200m"), core.LimitRangeItem{Type: container, MaxLimitRequestRatio: list("cpu=2")}, "at most 2 times"},
		"ratio, in bounds":   {pod("cpu=100m", "cpu=200m"), core.LimitRangeItem{Type: container, MaxLimitRequestRatio: list("cpu=2")}, ""},
		"ratio, no limit":    {pod("cpu=50m", ""), core.LimitRangeItem{Type: container, MaxLimitRequestRatio: list("cpu=2")}, "must both be set"},
		"the pod":            {pod("", "memory=2Gi"), core.LimitRangeItem{Type: whole, Max: list("memory=1Gi")}, "maximum per Pod"},
		"the pod, in bounds": {pod("", "memory=1Gi"), core.LimitRangeItem{Type: whole, Max: list("memory=1Gi")}, ""},
		"of volumes":         {pod("", ""), core.LimitRangeItem{Type: core.LimitTypePersistentVolumeClaim, Min: list("storage=9Gi")}, ""},
	} {
		ranges := rangeOf(c.limit)
		got := OfPod(Defaulted(c.pod, ranges), ranges)
		text := Worded("x", got)
		if c.want == "" != (len(got) == 0) || !strings.Contains(text, c.want) {
			t.Errorf("%s: %q, want %q", name, text, c.want)
		}
		if len(got) > 0 && !strings.Contains(text, "LimitRange bounds refuses x") {
			t.Errorf("%s does not name its rule: %s", name, text)
		}
	}
}

func TestLimitRangeOfVolumes(t *testing.T) {
	for size, want := range map[string]string{"1Gi": "the minimum is 2Gi", "2Gi": "", "4Gi": "", "5Gi": "the maximum is 4Gi"} {
		claim := core.PersistentVolumeClaimSpec{Resources: core.VolumeResourceRequirements{Requests: list("storage=" + size)}}
		ranges := rangeOf(core.LimitRangeItem{Type: core.LimitTypePersistentVolumeClaim, Min: list("storage=2Gi"), Max: list("storage=4Gi")})
		if got := Worded("x", OfClaim(claim, ranges)); want == "" != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", size, got)
		}
	}
}

// TestFit: the values that are proposed are accepted, whatever is asked for, and only what
// has to change does.
func TestFit(t *testing.T) {
	for _, requests := range []string{"", "cpu=10m memory=32Mi", "cpu=100m memory=256Mi", "cpu=2 memory=2Gi"} {
		for _, most := range []string{"", "cpu=200m memory=512Mi", "cpu=4 memory=4Gi"} {
			for _, limit := range []core.LimitRangeItem{
				{Max: list("cpu=150m")},
				{Min: list("cpu=300m memory=300Mi")},
				{Max: list("cpu=1"), Min: list("cpu=500m")},
				{MaxLimitRequestRatio: list("cpu=3 memory=3")},
				{MaxLimitRequestRatio: list("cpu=1")},
				{Max: list("memory=100Mi"), MaxLimitRequestRatio: list("memory=2")},
			} {
				for _, of := range []core.LimitType{core.LimitTypeContainer, core.LimitTypePod} {
					limit.Type = of
					ranges, r := rangeOf(limit), stated(requests, most)
					before := Defaulted(core.PodSpec{Containers: []core.Container{{Name: "app", Resources: r}}}, ranges)
					if len(OfPod(before, ranges)) == 0 {
						if request := before.Containers[0].Resources.Requests[core.ResourceCPU]; request.Cmp(before.Containers[0].Resources.Limits[core.ResourceCPU]) <= 0 && len(Fit(r, ranges)) > 0 {
							t.Errorf("%q %q %v: proposes %v for what is accepted", requests, most, limit, Fit(r, ranges))
						}
						continue
					}
					set := Fit(r, ranges)
					if limit.MaxLimitRequestRatio != nil && requests == "" && most == "" {
						continue // nothing says how much it should be
					}
					after := *r.DeepCopy()
					for _, one := range set {
						side, value, _ := strings.Cut(one, ".")
						into := map[string]core.ResourceList{"requests": after.Requests, "limits": after.Limits}[side]
						for name, quantity := range list(value) {
							into[name] = quantity
						}
					}
					fitted := Defaulted(core.PodSpec{InitContainers: []core.Container{{Name: "wait", Resources: after}}, Containers: []core.Container{{Name: "app", Resources: after}}}, ranges)
					if left := OfPod(fitted, ranges); len(set) == 0 || len(left) > 0 {
						t.Errorf("%q %q under %v: %v leaves %v", requests, most, limit, set, left)
					}
				}
			}
		}
	}
	impossible := rangeOf(core.LimitRangeItem{Type: core.LimitTypeContainer, Min: list("cpu=2"), Max: list("cpu=1")})
	if set := Fit(stated("cpu=1", "cpu=1"), impossible); set != nil {
		t.Errorf("%v for what nothing fits", set)
	}
}

func TestScopes(t *testing.T) {
	ends := int64(1)
	job := pod("cpu=1", "")
	job.ActiveDeadlineSeconds = &ends
	ranked := pod("cpu=1", "")
	ranked.PriorityClassName = "high"
	by := func(operator core.ScopeSelectorOperator, values ...string) core.ResourceQuotaSpec {
		return core.ResourceQuotaSpec{ScopeSelector: &core.ScopeSelector{MatchExpressions: []core.ScopedResourceSelectorRequirement{
			{ScopeName: core.ResourceQuotaScopePriorityClass, Operator: operator, Values: values},
		}}}
	}
	scoped := func(scope core.ResourceQuotaScope) core.ResourceQuotaSpec {
		return core.ResourceQuotaSpec{Scopes: []core.ResourceQuotaScope{scope}}
	}
	for n, c := range []struct {
		spec  core.ResourceQuotaSpec
		pod   core.PodSpec
		count bool
	}{
		{core.ResourceQuotaSpec{}, job, true},
		{scoped(core.ResourceQuotaScopeTerminating), job, true},
		{scoped(core.ResourceQuotaScopeNotTerminating), job, false},
		{scoped(core.ResourceQuotaScopeBestEffort), pod("", ""), true},
		{scoped(core.ResourceQuotaScopeBestEffort), pod("ephemeral-storage=1Gi", ""), true},
		{scoped(core.ResourceQuotaScopeBestEffort), pod("", "cpu=1"), false},
		{scoped(core.ResourceQuotaScopeNotBestEffort), pod("memory=1", ""), true},
		{scoped(core.ResourceQuotaScopeCrossNamespacePodAffinity), job, false},
		{by(core.ScopeSelectorOpIn, "high"), ranked, true},
		{by(core.ScopeSelectorOpIn, "high"), job, false},
		{by(core.ScopeSelectorOpNotIn, "high"), job, true},
		{by(core.ScopeSelectorOpDoesNotExist), job, true},
		{by(core.ScopeSelectorOpDoesNotExist), ranked, false},
		{by(core.ScopeSelectorOpExists), job, false},
	} {
		quota := Quota{Spec: c.spec}
		sum, _ := quota.Sum("pods", []Use{OfPodIn("x", c.pod)})
		if sum.IsZero() == c.count {
			t.Errorf("%d: counts %s pods", n, sum.String())
		}
		others, _ := quota.Sum("services", []Use{{Amounts: Amounts{"services": one()}}})
		if others.IsZero() != (len(c.spec.Scopes) > 0 || c.spec.ScopeSelector != nil) {
			t.Errorf("%d: counts %s Services", n, others.String())
		}
	}
}

func TestUnstated(t *testing.T) {
	quota := Quota{Spec: core.ResourceQuotaSpec{Hard: list("limits.cpu=1 memory=1Gi pods=3 requests.ephemeral-storage=1Gi")}}
	if got := quota.Unstated(OfPodIn("x", pod("memory=1Mi", "cpu=1"))); got != nil {
		t.Error(got)
	}
	if got, want := fmt.Sprint(quota.Unstated(OfPodIn("x", pod("", "")))), "[limits.cpu of container app limits.cpu of container wait requests.memory of container app requests.memory of container wait]"; got != want {
		t.Error(got)
	}
}

// TestSurge: a rolling update that may not have a pod less needs room for one more.
func TestSurge(t *testing.T) {
	rolling := func(unavailable string) apps.DeploymentStrategy {
		value := intstr.Parse(unavailable)
		return apps.DeploymentStrategy{Type: apps.RollingUpdateDeploymentStrategyType, RollingUpdate: &apps.RollingUpdateDeployment{MaxUnavailable: &value}}
	}
	for n, c := range []struct {
		strategy apps.DeploymentStrategy
		replicas int32
		want     int32
	}{
		{apps.DeploymentStrategy{Type: apps.RecreateDeploymentStrategyType}, 1, 0},
		{apps.DeploymentStrategy{}, 1, 1},
		{apps.DeploymentStrategy{}, 3, 1},
		{apps.DeploymentStrategy{}, 4, 0},
		{apps.DeploymentStrategy{}, 0, 0},
		{rolling("1"), 1, 0},
		{rolling("0"), 9, 1},
	} {
		if got := Surge(c.strategy, c.replicas); got != c.want {
			t.Errorf("%d: %d, want %d", n, got, c.want)
		}
	}
}

func TestNamesOfQuotas(t *testing.T) {
	use := OfClaimIn("x", "gold", resource.MustParse("1Gi"))
	for _, name := range []core.ResourceName{"persistentvolumeclaims", "count/persistentvolumeclaims", "requests.storage", "gold.storageclass.storage.k8s.io/requests.storage", "gold.storageclass.storage.k8s.io/persistentvolumeclaims"} {
		if quantity := use.Amounts[name]; quantity.IsZero() {
			t.Errorf("no %s", name)
		}
	}
	names := []core.ResourceName{}
	for name := range OfPodIn("x", pod("cpu=1 memory=1Mi", "cpu=1")).Amounts {
		names = append(names, name)
	}
	slices.Sort(names)
	if got, want := fmt.Sprint(names), "[count/pods cpu limits.cpu memory pods requests.cpu requests.memory]"; got != want {
		t.Error(got)
	}
}
