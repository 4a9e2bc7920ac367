// Package limits computes what the LimitRanges and quotas of a project mean for pods and
// volumes that are about to be created, as the admission plugins of the API server and its
// quota controller do (kubernetes, plugin/pkg/admission/limitranger and
// pkg/quota/v1/evaluator/core). The API server itself says so only when a pod is created,
// which is after everything else. It asks nobody.
package limits

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// computed are the resources of a container that quotas and limits are about.
func computed() []core.ResourceName {
	return []core.ResourceName{core.ResourceCPU, core.ResourceMemory, core.ResourceEphemeralStorage}
}

// Defaulted is a pod with the requests and limits that the API server fills in: a request
// that is not stated is the limit, and what is stated in neither is the default of a
// LimitRange.
func Defaulted(spec core.PodSpec, ranges []core.LimitRange) core.PodSpec {
	spec = *spec.DeepCopy()
	for _, containers := range [][]core.Container{spec.InitContainers, spec.Containers} {
		for n := range containers {
			defaultContainer(&containers[n].Resources, ranges)
		}
	}
	return spec
}

func defaultContainer(r *core.ResourceRequirements, ranges []core.LimitRange) {
	if r.Requests == nil {
		r.Requests = core.ResourceList{}
	}
	if r.Limits == nil {
		r.Limits = core.ResourceList{}
	}
	fill(r.Requests, r.Limits)
	for _, one := range ranges {
		for _, limit := range one.Spec.Limits {
			if limit.Type == core.LimitTypeContainer {
				fill(r.Requests, limit.DefaultRequest)
				fill(r.Limits, limit.Default)
			}
		}
	}
}

// fill adds what a list does not have.
func fill(list, from core.ResourceList) {
	for name, quantity := range from {
		if _, stated := list[name]; !stated {
			list[name] = quantity
		}
	}
}

// Violation is something that a LimitRange refuses.
type Violation struct {
	Range     string // the name of the LimitRange
	Container string // "": the pod as a whole, or a volume
	Resource  core.ResourceName
	Text      string // "limits.cpu is 200m, and the maximum per Container is 100m"
}

// OfPod are the violations of a pod, which must be Defaulted.
func OfPod(spec core.PodSpec, ranges []core.LimitRange) []Violation {
	var all []Violation
	each(ranges, func(of string, limit core.LimitRangeItem) {
		switch limit.Type {
		case core.LimitTypeContainer:
			for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
				all = append(all, violations(of, c.Name, limit, c.Resources)...)
			}
		case core.LimitTypePod:
			all = append(all, violations(of, "", limit, total(spec))...)
		}
	})
	return all
}

// OfClaim are the violations of a claim for a volume.
func OfClaim(spec core.PersistentVolumeClaimSpec, ranges []core.LimitRange) []Violation {
	size := spec.Resources.Requests[core.ResourceStorage]
	var all []Violation
	each(ranges, func(of string, limit core.LimitRangeItem) {
		if limit.Type != core.LimitTypePersistentVolumeClaim {
			return
		}
		if least, set := limit.Min[core.ResourceStorage]; set && size.Cmp(least) < 0 {
			all = append(all, Violation{of, "", core.ResourceStorage, fmt.Sprintf("its size is %s, and the minimum is %s", size.String(), least.String())})
		}
		if most, set := limit.Max[core.ResourceStorage]; set && size.Cmp(most) > 0 {
			all = append(all, Violation{of, "", core.ResourceStorage, fmt.Sprintf("its size is %s, and the maximum is %s", size.String(), most.String())})
		}
	})
	return all
}

func each(ranges []core.LimitRange, do func(of string, limit core.LimitRangeItem)) {
	for _, one := range ranges {
		for _, limit := range one.Spec.Limits {
			do(one.Name, limit)
		}
	}
}

// violations holds requests and limits against one row of a LimitRange. What a row limits
// has to be stated.
func violations(of, container string, limit core.LimitRangeItem, r core.ResourceRequirements) []Violation {
	var all []Violation
	add := func(name core.ResourceName, format string, args ...any) {
		all = append(all, Violation{of, container, name, fmt.Sprintf(format, args...)})
	}
	for _, name := range slices.Sorted(maps.Keys(limit.Min)) {
		least := limit.Min[name]
		request, stated := r.Requests[name]
		most, limited := r.Limits[name]
		switch {
		case !stated:
			add(name, "requests.%s is not set, and the minimum per %s is %s", name, limit.Type, least.String())
		case request.Cmp(least) < 0:
			add(name, "requests.%s is %s, and the minimum per %s is %s", name, request.String(), limit.Type, least.String())
		case limited && most.Cmp(least) < 0:
			add(name, "limits.%s is %s, and the minimum per %s is %s", name, most.String(), limit.Type, least.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(limit.Max)) {
		allowed := limit.Max[name]
		request, stated := r.Requests[name]
		most, limited := r.Limits[name]
		switch {
		case !limited:
			add(name, "limits.%s is not set, and the maximum per %s is %s", name, limit.Type, allowed.String())
		case most.Cmp(allowed) > 0:
			add(name, "limits.%s is %s, and the maximum per %s is %s", name, most.String(), limit.Type, allowed.String())
		case stated && request.Cmp(allowed) > 0:
			add(name, "requests.%s is %s, and the maximum per %s is %s", name, request.String(), limit.Type, allowed.String())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(limit.MaxLimitRequestRatio)) {
		ratio := limit.MaxLimitRequestRatio[name]
		request, most := r.Requests[name], r.Limits[name]
		switch {
		case request.IsZero() || most.IsZero():
			add(name, "requests.%s and limits.%s must both be set, because the limit may be at most %s times the request per %s", name, name, ratio.String(), limit.Type)
		case most.AsApproximateFloat64()/request.AsApproximateFloat64() > ratio.AsApproximateFloat64():
			add(name, "limits.%s is %s and requests.%s is %s, and the limit may be at most %s times the request per %s",
				name, most.String(), name, request.String(), ratio.String(), limit.Type)
		}
	}
	return all
}

// total are the requests and limits of a pod: the larger of its containers' sum and of
// each init container. A pod has one if one of its containers has it.
func total(spec core.PodSpec) core.ResourceRequirements {
	sum := core.ResourceRequirements{Requests: core.ResourceList{}, Limits: core.ResourceList{}}
	for _, side := range []struct {
		of   func(core.ResourceRequirements) core.ResourceList
		into core.ResourceList
	}{
		{func(r core.ResourceRequirements) core.ResourceList { return r.Requests }, sum.Requests},
		{func(r core.ResourceRequirements) core.ResourceList { return r.Limits }, sum.Limits},
	} {
		for _, c := range spec.Containers {
			for name, quantity := range side.of(c.Resources) {
				all := side.into[name].DeepCopy()
				all.Add(quantity)
				side.into[name] = all
			}
		}
		for _, c := range spec.InitContainers {
			for name, quantity := range side.of(c.Resources) {
				if all := side.into[name]; quantity.Cmp(all) > 0 {
					side.into[name] = quantity
				}
			}
		}
	}
	return sum
}

// Worded are violations in words, by LimitRange, each text once.
func Worded(object string, all []Violation) string {
	var texts []string
	for _, v := range all {
		where := object
		if v.Container != "" {
			where += ", container " + v.Container
		}
		if text := "LimitRange " + v.Range + " refuses " + where + ": " + v.Text; !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	slices.SortStableFunc(texts, cmp.Compare)
	return strings.Join(texts, "; ")
}
