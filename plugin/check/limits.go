package check

import (
	"context"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/limits"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// rangesOf are the LimitRanges of the project.
func rangesOf(ctx context.Context, c clusterLook) ([]core.LimitRange, error) {
	objects, err := listOf(ctx, c, kinds.LimitRange, c.Namespace)
	var ranges []core.LimitRange
	for _, object := range objects {
		var one core.LimitRange
		if into(object, &one) {
			ranges = append(ranges, one)
		}
	}
	return ranges, err
}

// limitRanges compares the pods and the volume of the app with the LimitRanges of the
// project. For pods they are enforced when one is created, and not before.
func limitRanges(ctx context.Context, c clusterLook) Finding {
	ranges, err := rangesOf(ctx, c)
	if err != nil {
		return unreadable(c.Conn, err, "list limitranges in "+c.Namespace, "whether a LimitRange accepts the app's pods and volume")
	}
	plan, _ := c.Plan(ctx)
	fit := fitOf(c.objects, ranges)
	var found []Finding
	for _, object := range c.objects {
		item := planned(plan, object)
		exists := item != nil && item.Live != nil
		switch object.GetKind() {
		case "Deployment":
			var deployment apps.Deployment
			if into(object, &deployment) {
				found = append(found, judgePods(c.World, deployment, ranges, exists && !apply.RollsOut(item), fit))
			}
		case "PersistentVolumeClaim":
			var claim core.PersistentVolumeClaim
			if into(object, &claim) && !exists {
				found = append(found, judgeClaim(c.World, claim, ranges))
			}
		}
	}
	return worstFirst(append(found, Pass()))
}

// judgePods judges the pods of a Deployment. Those that run already were accepted earlier,
// and will not be again.
func judgePods(w *live.World, deployment apps.Deployment, ranges []core.LimitRange, running bool, fit []string) Finding {
	pod := limits.Defaulted(deployment.Spec.Template.Spec, ranges)
	all := limits.OfPod(pod, ranges)
	if len(all) == 0 || len(pod.Containers) == 0 {
		return Pass()
	}
	namespace := w.Namespace
	next := advice.Command("oc describe limitrange", "-n", namespace)
	if len(podFit(deployment, ranges)) > 0 {
		next = "values that it accepts: " + installIn(w, settings(fit)...) + "\n" + next + " shows what the project allows"
	}
	why := limits.Worded("the pods of Deployment "+deployment.Name, all)
	if running {
		return Warn("a LimitRange of project "+namespace+" refuses the app's pods when they are recreated", why, next)
	}
	return Refuse("a LimitRange of project "+namespace+" refuses what install would create", why, next)
}

// podFit are the values with which a LimitRange accepts the pods of a Deployment, none if
// the chart's values cannot bring that about.
func podFit(deployment apps.Deployment, ranges []core.LimitRange) []string {
	values, containers := valuesOf(deployment.Name), deployment.Spec.Template.Spec.Containers
	if values == "" || len(containers) != 1 {
		return nil
	}
	fit := limits.Fit(containers[0].Resources, ranges)
	for n := range fit {
		fit[n] = values + ".resources." + fit[n]
	}
	return fit
}

// fitOf are those of all Deployments: an install with the values of one alone is refused
// for the other.
func fitOf(objects []*unstructured.Unstructured, ranges []core.LimitRange) []string {
	var all []string
	for _, object := range objects {
		var deployment apps.Deployment
		if object.GetKind() == "Deployment" && into(object, &deployment) &&
			len(limits.OfPod(limits.Defaulted(deployment.Spec.Template.Spec, ranges), ranges)) > 0 {
			all = append(all, podFit(deployment, ranges)...)
		}
	}
	return all
}

func judgeClaim(w *live.World, claim core.PersistentVolumeClaim, ranges []core.LimitRange) Finding {
	all := limits.OfClaim(claim.Spec, ranges)
	if len(all) == 0 {
		return Pass()
	}
	namespace := w.Namespace
	next := advice.Command("oc describe limitrange", "-n", namespace)
	words := strings.Fields(all[0].Text)
	if bound := words[len(words)-1]; !slices.ContainsFunc(all, func(v limits.Violation) bool { return !strings.HasSuffix(v.Text, bound) }) {
		next = "a size that it accepts: " + installIn(w, "--set", "storage.size="+bound) + "\n" + next + " shows what the project allows"
	}
	return Refuse("a LimitRange of project "+namespace+" refuses what install would create", limits.Worded("PersistentVolumeClaim "+claim.Name, all), next)
}
