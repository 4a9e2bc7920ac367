package controller

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// replaced reports whether somebody deleted the Subscription and created one of the
// same name. Nothing that OLM does for that one is approved or changed.
func replaced(subscription *unstructured.Unstructured) (health.State, bool) {
	if apply.Ours(subscription) {
		return health.State{}, false
	}
	return health.Graced(health.State{
		Text: "its Subscription was replaced by one that ostoy-s3 does not manage",
		Hint: "oc ostoy-s3 controller status",
	}, subscriptionGrace), true
}

// refuseShared refuses an InstallPlan for another Subscription to the operator, which
// ostoy-s3 does not manage. Every Subscription of the namespace owns every plan there,
// those to other operators as well (OLM's catalog operator, createInstallPlan), so an
// owner alone means nothing: it has to be one to the operator, or, if it does not
// exist any more, the plan has to be without ours. A plan without owners is not
// refused, because nothing says whose it is.
func refuseShared(plan olm.InstallPlan, subscription *unstructured.Unstructured, all []*unstructured.Unstructured) error {
	owners := plan.Object.GetOwnerReferences()
	mine := slices.ContainsFunc(owners, func(o metav1.OwnerReference) bool { return o.UID == subscription.GetUID() })
	var others []string
	for _, owner := range owners {
		if owner.Kind != "Subscription" || owner.UID == subscription.GetUID() {
			continue
		}
		at := slices.IndexFunc(all, func(s *unstructured.Unstructured) bool { return s.GetUID() == owner.UID })
		if at < 0 && !mine || at >= 0 && ofPackage(all[at]) {
			others = append(others, "Subscription "+owner.Name)
		}
	}
	if len(others) == 0 {
		return nil
	}
	why := "OLM made it for " + strings.Join(others, ", ")
	if mine {
		why += " as well"
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "InstallPlan " + plan.Name + " in " + plan.Namespace + " is not approved",
		Why:  why + ", which ostoy-s3 does not manage",
		Next: "if you want it: " + plan.ApproveCommand(),
	}
}
