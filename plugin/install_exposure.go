package plugin

import (
	"context"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
)

// exposure is how the app will be reached once the plan is carried out.
func (i *install) exposure() exposure {
	return exposureOf(i.facts.Namespace.Value, i.objects, i.exposedBy())
}

// exposedBy is the Route or Ingress that will lead to the app: the rendered one, or one
// that exists and that the plan does not delete.
func (i *install) exposedBy() exposedBy {
	if object := exposing(i.objects); object != nil {
		if item := i.exposingItem(); item != nil && item.Would != nil {
			object = item.Would
		}
		return exposedBy{object: object, managed: true}
	}
	for _, item := range i.plan.Left {
		if isExposing(item.Ref.Kind) && item.Live != nil && item.Action == apply.Keep {
			return exposedBy{object: item.Live}
		}
	}
	return i.before.exposing
}

// exposureNow is the exposure at the end: if something was applied, as the server
// answered, and at the address that was waited for.
func (i *install) exposureNow(address string) exposure {
	e := i.exposure()
	if i.onlyLooks() {
		return e
	}
	if object := exposing(i.plan.Live()); object != nil {
		e = exposureOf(i.facts.Namespace.Value, i.objects, exposedBy{object: object, managed: true})
	}
	if host := hostOf(address); e.public() && host != "" {
		e.host, e.encrypted = host, strings.HasPrefix(address, "https://")
	}
	return e
}

// exposingItem is what the plan says about the rendered Route or Ingress, nil if there
// is none.
func (i *install) exposingItem() *apply.Item {
	for _, item := range i.plan.Items {
		if isExposing(item.Ref.Kind) {
			return item
		}
	}
	return nil
}

// exposedAlready reports whether a Route or an Ingress leads to the app before the run.
func (i *install) exposedAlready() bool {
	for _, item := range i.plan.All() {
		if isExposing(item.Ref.Kind) && item.Live != nil {
			return true
		}
	}
	return i.before.exposing.object != nil
}

// appExists reports whether the app is in the project before the run.
func (i *install) appExists() bool {
	return slices.ContainsFunc(i.plan.Items, func(item *apply.Item) bool {
		return item.Ref.Kind == "Deployment" && item.Live != nil
	})
}

// lookAtLeftExposing looks for a Route or an Ingress that the run neither creates nor
// deletes, if it creates none: the tutorial's, where the values say expose=none.
func (i *install) lookAtLeftExposing(ctx context.Context) {
	if i.project.exists && exposing(i.objects) == nil {
		i.before.exposing = leftExposing(ctx, i.conn, i.facts.Namespace.Value, i.plan)
	}
}
