package limits

import (
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Fit are the values under "resources" of a pod with one container that have to change for
// the LimitRanges to accept it, as "limits.cpu=100m". None if no values are accepted.
func Fit(r core.ResourceRequirements, ranges []core.LimitRange) []string {
	have := *r.DeepCopy()
	defaultContainer(&have, ranges)
	var set []string
	for _, name := range computed() {
		bounds := boundsOf(name, ranges)
		if !bounds.some {
			continue
		}
		request, limit, possible := bounds.fit(have.Requests[name], have.Limits[name])
		if !possible {
			return nil
		}
		for _, side := range []struct {
			key  string
			want resource.Quantity
			have core.ResourceList
		}{{"requests", request, have.Requests}, {"limits", limit, have.Limits}} {
			if is, stated := side.have[name]; !side.want.IsZero() && (!stated || is.Cmp(side.want) != 0) {
				set = append(set, fmt.Sprintf("%s.%s=%s", side.key, name, side.want.String()))
			}
		}
	}
	return set
}

// bounds are what all LimitRanges together say of a resource of a pod with one container.
type bounds struct {
	some        bool
	least, most *resource.Quantity
	ratio       float64 // 0: any
	wantsLimit  bool
	coarse      int64 // the step of the values that are proposed, in thousandths
}

func boundsOf(name core.ResourceName, ranges []core.LimitRange) bounds {
	b := bounds{coarse: 1}
	if name != core.ResourceCPU {
		b.coarse = 1000 << 20 // whole Mi
	}
	each(ranges, func(_ string, limit core.LimitRangeItem) {
		if limit.Type != core.LimitTypeContainer && limit.Type != core.LimitTypePod {
			return
		}
		if least, set := limit.Min[name]; set && (b.least == nil || least.Cmp(*b.least) > 0) {
			b.least, b.some = &least, true
		}
		if most, set := limit.Max[name]; set && (b.most == nil || most.Cmp(*b.most) < 0) {
			b.most, b.some, b.wantsLimit = &most, true, true
		}
		if ratio, set := limit.MaxLimitRequestRatio[name]; set {
			b.some, b.wantsLimit = true, true
			if value := ratio.AsApproximateFloat64(); b.ratio == 0 || value < b.ratio {
				b.ratio = value
			}
		}
	})
	return b
}

// fit brings a request and a limit within the bounds, and changes as little as it can.
func (b bounds) fit(request, limit resource.Quantity) (resource.Quantity, resource.Quantity, bool) {
	if b.least != nil && b.most != nil && b.least.Cmp(*b.most) > 0 {
		return request, limit, false
	}
	if b.most != nil && (limit.IsZero() || limit.Cmp(*b.most) > 0) {
		limit = *b.most
	}
	if b.wantsLimit && limit.IsZero() {
		limit = request
	}
	if b.least != nil && request.Cmp(*b.least) < 0 {
		request = *b.least
	}
	if b.least != nil && !limit.IsZero() && limit.Cmp(*b.least) < 0 {
		limit = *b.least
	}
	if !limit.IsZero() && (request.Cmp(limit) > 0 || b.wantsLimit && request.IsZero()) {
		request = limit
	}
	if b.ratio > 0 && limit.AsApproximateFloat64() > b.ratio*request.AsApproximateFloat64() {
		least := int64(float64(limit.MilliValue())/b.ratio + 0.999999)
		least = (least + b.coarse - 1) / b.coarse * b.coarse
		request = thousandths(min(least, limit.MilliValue()), limit)
	}
	return request, limit, !b.wantsLimit || !limit.IsZero()
}

// thousandths is a quantity in the form of another.
func thousandths(n int64, like resource.Quantity) resource.Quantity {
	if n%1000 == 0 {
		return *resource.NewQuantity(n/1000, like.Format)
	}
	return *resource.NewMilliQuantity(n, like.Format)
}
