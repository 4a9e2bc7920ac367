package plugin

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

// judge is the report of what was found. left is what leftExposing found.
func (s *statusRun) judge(found status.Found, left exposedBy) status.Report {
	report := status.Of(found)
	report.Access = exposureFound(report.Namespace, found.Plan, left).words()
	return report
}

// leftExposing is the Route or Ingress that exists although the values ask for none.
func (s *statusRun) leftExposing(ctx context.Context, plan *apply.Plan) exposedBy {
	if exposing(s.objects) != nil {
		return exposedBy{}
	}
	return leftExposing(ctx, s.conn, s.facts.Namespace.Value, plan)
}

// exposureFound is the exposure by the objects that exist: what the app shows are the
// Secrets of its running Deployments, whatever the values say.
func exposureFound(namespace string, plan *apply.Plan, left exposedBy) exposure {
	var live []*unstructured.Unstructured
	for _, item := range plan.All() {
		if item.Live != nil {
			live = append(live, item.Live)
		}
	}
	by := left
	for _, item := range plan.Items {
		if isExposing(item.Ref.Kind) && item.Err != nil {
			by.unread = item.Ref.String()
		}
	}
	if object := exposing(live); object != nil {
		by = exposedBy{object: object, managed: apply.Ours(object)}
	}
	created := slices.DeleteFunc(live, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == "Secret" && !apply.Ours(object)
	})
	return exposureOf(namespace, created, by)
}
