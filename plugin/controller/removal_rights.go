package controller

import (
	"context"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// MayLookToRemove refuses who may not see what there is, of controllers and of
// Buckets in the whole cluster: nobody else can tell whether one may be removed.
// It then names what else a removal usually takes and is missing, too.
func MayLookToRemove(ctx context.Context, conn *cluster.Conn, namespace string) error {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return err
	}
	withOLM := served.Serves("operators.coreos.com/v1alpha1", "Subscription")
	look := append(lookRights(withOLM), access.Right{Verb: "get", Resource: "configmaps", Namespace: namespace})
	if served.Serves("s3.services.k8s.aws/v1alpha1", "Bucket") {
		look = append(look, access.Right{Verb: "list", Group: live.Buckets().Group, Resource: "buckets"})
	}
	if withOLM {
		for _, resource := range []string{"operatorgroups", "installplans", "clusterserviceversions"} {
			look = append(look, access.Right{Verb: "list", Group: olmGroup, Resource: resource, Namespace: namespace})
		}
	}
	lacking, err := missing(ctx, conn, namespace, look)
	if err != nil || len(lacking) == 0 {
		return err
	}
	usual := usualRights(withOLM, namespace)
	if lacking, err = missing(ctx, conn, namespace, append(look, usual...)); err != nil {
		return err
	}
	return mayNotRemove(lacking)
}

func mayNotRemove(lacking []string) error {
	if len(lacking) == 0 {
		return nil
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "you may not remove the ACK S3 controller",
		Why:  "not allowed: " + strings.Join(lacking, "\n"),
		Next: "ask a cluster admin to run the same command",
		More: "docs/controller.md",
	}
}

// usualRights are what removing a controller of ours takes at least.
func usualRights(withOLM bool, namespace string) []access.Right {
	rights := endRights(withOLM, namespace)
	for _, resource := range []string{"configmaps", "serviceaccounts"} {
		rights = append(rights, access.Right{Verb: "delete", Resource: resource, Namespace: namespace})
	}
	if withOLM {
		rights = append(rights, access.Right{Verb: "delete", Group: olmGroup, Resource: "subscriptions", Namespace: namespace})
	}
	return append(rights, access.Right{Verb: "delete", Group: "rbac.authorization.k8s.io", Resource: "clusterroles"})
}

// endRights are what endController takes, but for the objects of a chart.
func endRights(withOLM bool, namespace string) []access.Right {
	var rights []access.Right
	add := func(group, resource string, verbs ...string) {
		for _, verb := range verbs {
			rights = append(rights, access.Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace})
		}
	}
	add("", "pods", "list", "watch")
	add("apps", "deployments", "list", "watch")
	if withOLM {
		add(olmGroup, olm.ServiceVersions().Resource, "list", "watch", "delete")
		add(olmGroup, olm.InstallPlans().Resource, "list", "watch")
	}
	return rights
}

// mayRemove refuses who may not do all that is planned, before any of it is done.
func (r *Removal) mayRemove(ctx context.Context) error {
	rights, err := r.rights(ctx)
	if err != nil {
		return err
	}
	lacking, err := missing(ctx, r.conn, r.found.Namespace, rights)
	if err != nil {
		return err
	}
	return mayNotRemove(lacking)
}

// rights are what Execute takes.
func (r *Removal) rights(ctx context.Context) ([]access.Right, error) {
	served, err := r.conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	var rights []access.Right
	add := func(right access.Right) {
		if !slices.Contains(rights, right) {
			rights = append(rights, right)
		}
	}
	if r.endsController() {
		rights = endRights(r.found.OLM && r.versionsOurs(), r.found.Namespace)
	}
	for _, p := range r.going(TheObject, nil) {
		mapping, err := served.Mapping(p.Ref.GVK())
		if err != nil {
			return nil, err
		}
		add(access.Right{
			Verb: "delete", Group: mapping.Resource.Group, Resource: mapping.Resource.Resource, Namespace: p.item.Live.GetNamespace(),
		})
	}
	if len(r.going(TheInventory, nil)) > 0 {
		add(access.Right{Verb: "delete", Resource: live.ConfigMaps().Resource, Namespace: r.found.Namespace})
	}
	if len(r.going(TheBucket, nil)) > 0 {
		for _, verb := range []string{"get", "list", "watch", "patch", "delete"} {
			add(access.Right{Verb: verb, Group: live.Buckets().Group, Resource: "buckets"})
		}
		add(access.Right{Verb: "list", Resource: "pods"}) // whether a controller runs, wherever
	}
	if len(r.going(TheType, nil)) > 0 || r.mayCome() {
		add(access.Right{Verb: "get", Group: live.CRDs().Group, Resource: live.CRDs().Resource})
		add(access.Right{Verb: "delete", Group: live.CRDs().Group, Resource: live.CRDs().Resource})
	}
	if len(r.going(TheNamespace, nil)) > 0 {
		add(access.Right{Verb: "delete", Resource: "namespaces"})
	}
	return rights, nil
}
