package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
)

// nodes compares the labels of the nodes with those that the app's pods need. OSToy's
// images are built for one architecture and one operating system.
func nodes(ctx context.Context, c clusterLook) Finding {
	wanted := map[string]map[string]string{} // by Deployment
	for _, object := range c.objects {
		if object.GetKind() == "Deployment" {
			if selector, _, _ := unstructured.NestedStringMap(object.Object, "spec", "template", "spec", "nodeSelector"); len(selector) > 0 {
				wanted[apply.RefOf(object).String()] = selector
			}
		}
	}
	if len(wanted) == 0 {
		return Pass()
	}
	all, err := listOf(ctx, c, kinds.Node, "")
	if apierrors.IsForbidden(err) {
		return Leave("you are not allowed to list nodes: if no node fits, the app's pods say so")
	}
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	return judgeNodes(all, wanted, func() bool { return addsNodes(ctx, c, all) })
}

// judgeNodes: a cluster without nodes, or one that adds nodes when pods need them, may get
// nodes that fit. Whether it adds nodes is asked only if none fits.
func judgeNodes(all []*unstructured.Unstructured, wanted map[string]map[string]string, adds func() bool) Finding {
	var unfit []string
	selector := map[string]string{}
	for _, deployment := range slices.Sorted(maps.Keys(wanted)) {
		chosen := labels.SelectorFromSet(wanted[deployment])
		if !slices.ContainsFunc(all, func(node *unstructured.Unstructured) bool { return chosen.Matches(labels.Set(node.GetLabels())) }) {
			unfit, selector = append(unfit, deployment), wanted[deployment]
		}
	}
	if len(unfit) == 0 || len(all) == 0 {
		return Pass()
	}
	what := "no node of the cluster has " + selected(selector)
	why := fmt.Sprintf("%s: %s; the pods of %s run on no other node", phrase.Count(len(all), "node"), platformsOf(all), strings.Join(unfit, ", "))
	next := "the images of OSToy are built for linux/amd64: ask a cluster admin for such a node"
	if !slices.ContainsFunc([]string{health.ArchLabel, health.OSLabel}, func(key string) bool { return selector[key] != "" }) {
		next = "ask a cluster admin for such a node"
	}
	next += "\nimages that you built for another architecture need: " + advice.Command("--set", `nodeSelector.kubernetes\.io/arch=ARCHITECTURE`) + " (docs/values.md)"
	if adds() {
		return Warn(what, why+"; the cluster adds nodes when pods need them, which may give one that fits", next)
	}
	return Refuse(what, why, next)
}

// selected are the labels of a node selector: "kubernetes.io/arch=amd64 and kubernetes.io/os=linux".
func selected(selector map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(selector)) {
		all = append(all, key+"="+selector[key])
	}
	return strings.Join(all, " and ")
}

// platformsOf are the platforms of nodes: "linux/arm64, windows/amd64".
func platformsOf(all []*unstructured.Unstructured) string {
	var platforms []string
	for _, node := range all {
		has := node.GetLabels()
		platforms = append(platforms, has[health.OSLabel]+"/"+has[health.ArchLabel])
	}
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(platforms))), ", ")
}

// addsNodes reports whether something is to be seen that adds nodes when pods need them:
// Karpenter, EKS in its auto mode or with Fargate, OpenShift's machine autoscaler, the
// cluster autoscaler.
func addsNodes(ctx context.Context, c clusterLook, all []*unstructured.Unstructured) bool {
	if slices.ContainsFunc(all, func(node *unstructured.Unstructured) bool {
		return node.GetLabels()["eks.amazonaws.com/compute-type"] != ""
	}) {
		return true
	}
	if served, err := c.Conn.Discovery(ctx); err == nil && served.ServesGroup("karpenter.sh") {
		return true
	}
	if scaled, err := c.List(ctx, kinds.MachineAutoscaler.GVR(), "", ""); err == nil && len(scaled) > 0 {
		return true
	}
	status, err := c.Get(ctx, kinds.ConfigMap.GVR(), "kube-system", "cluster-autoscaler-status")
	return err == nil && status != nil
}
