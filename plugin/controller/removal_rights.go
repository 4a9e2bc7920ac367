package controller

import (
	"context"
	"slices"

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
	withOLM := olm.Served(served)
	look := lookRights(withOLM, namespace)
	if served.Serves("s3.services.k8s.aws/v1alpha1", "Bucket") {
		look = append(look, rightsIn("", grant{live.Buckets().Group, "buckets", "list"})...)
	}
	usual := usualRights(withOLM, namespace)
	if live.ServesAdmission(served) {
		usual = append(usual, policyRights()...)
	}
	lacking, err := deniedFirst(ctx, conn, namespace, look, usual)
	return orNotRemoved(lacking, err, namespace)
}

func orNotRemoved(lacking []access.Right, err error, namespace string) error {
	if err != nil || len(lacking) == 0 {
		return err
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "you may not remove the ACK S3 controller",
		Why:  "not allowed: " + inWords(lacking, namespace),
		Next: "ask a cluster admin to run the same command",
		More: "docs/controller.md",
	}
}

// usualRights are what removing a controller of ours takes at least.
func usualRights(withOLM bool, namespace string) []access.Right {
	grants := []grant{{"", "configmaps", "delete"}, {"", "serviceaccounts", "delete"}}
	if withOLM {
		grants = append(grants, grant{olmGroup, "subscriptions", "delete"})
	}
	return slices.Concat(endRights(withOLM, namespace), rightsIn(namespace, grants...), rightsIn("", grant{rbacGroup, "clusterroles", "delete"}))
}

// endRights are what endController takes, but for the objects of a chart.
func endRights(withOLM bool, namespace string) []access.Right {
	grants := []grant{{"", "pods", "list watch"}, {"apps", "deployments", "list watch"}}
	if withOLM {
		grants = append(grants, grant{olmGroup, "clusterserviceversions", "list watch delete"}, grant{olmGroup, "installplans", "list watch"}, grant{rbacGroup, "roles", "list delete"})
	}
	return rightsIn(namespace, grants...)
}

// mayRemove refuses who may not do all that is planned, before any of it is done.
func (r *Removal) mayRemove(ctx context.Context) error {
	rights, err := r.rights(ctx)
	if err != nil {
		return err
	}
	lacking, err := denied(ctx, r.conn, r.found.Namespace, rights)
	return orNotRemoved(lacking, err, r.found.Namespace)
}

// rights are what Execute takes.
func (r *Removal) rights(ctx context.Context) ([]access.Right, error) {
	served, err := r.conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	var rights []access.Right
	add := func(namespace string, grants ...grant) { rights = append(rights, rightsIn(namespace, grants...)...) }
	if r.endsController() {
		rights = endRights(r.found.OLM && r.versionsOurs(), r.found.Namespace)
	}
	for _, p := range r.going(TheObject, nil) {
		mapping, err := served.Mapping(p.Ref.GVK())
		if err != nil {
			return nil, err
		}
		add(p.item.Live.GetNamespace(), grant{mapping.Resource.Group, mapping.Resource.Resource, "delete"})
	}
	if len(r.going(TheInventory, nil)) > 0 {
		add(r.found.Namespace, grant{"", "configmaps", "delete"})
	}
	if len(r.going(TheBucket, nil)) > 0 {
		add("", grant{live.Buckets().Group, "buckets", "get list watch patch delete"})
		add("", grant{"", "pods", "list"}) // whether a controller runs, wherever
	}
	if len(r.going(TheType, nil)) > 0 || r.mayCome() {
		add("", grant{live.CRDs().Group, live.CRDs().Resource, "get delete"})
	}
	if len(r.going(TheNamespace, nil)) > 0 {
		add("", grant{"", "namespaces", "delete"})
	}
	return rights, nil
}
