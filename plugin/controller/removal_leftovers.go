package controller

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// managedByOLM is the label that OLM gives whatever an InstallPlan creates.
const managedByOLM = "olm.managed"

func namespacedRoles() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: rbacGroup, Version: "v1", Resource: "roles"}
}

// bundleRoles are the Roles in the operator's bundle (ack-s3-reader_..._role.yaml and
// ack-s3-writer_..._role.yaml in the community catalogs).
func bundleRoles() []string { return []string{"ack-s3-reader", "ack-s3-writer"} }

// isLeftover reports whether a Role is one of the operator's bundle. OLM creates those
// without an owner, so that they stay when the ClusterServiceVersion is deleted. One
// with the label of another operator is not meant.
func isLeftover(role *unstructured.Unstructured) bool {
	const component = olmGroup + "/"
	labels := role.GetLabels()
	if role.GetKind() != "Role" || labels[managedByOLM] != "true" || len(role.GetOwnerReferences()) > 0 || labels["olm.owner"] != "" {
		return false
	}
	_, labelled := labels[component+operator.Package+"."+role.GetNamespace()]
	for label := range labels {
		if strings.HasPrefix(label, component) && !labelled {
			return false
		}
	}
	return labelled || slices.Contains(bundleRoles(), role.GetName())
}

// leftovers are the Roles that OLM leaves, where the version was installed for a
// Subscription that ostoy-s3 manages, and nobody else subscribes.
func (r *Removal) leftovers(ctx context.Context) ([]*unstructured.Unstructured, error) {
	if !r.removesLeftovers() {
		return nil, nil
	}
	all, err := cluster.ListAll(ctx, r.conn.Dynamic.Resource(namespacedRoles()).Namespace(r.found.Namespace),
		metav1.ListOptions{LabelSelector: managedByOLM + "=true"})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(o *unstructured.Unstructured) bool { return !isLeftover(o) }), nil
}

func (r *Removal) removesLeftovers() bool {
	return r.found.OLM && r.versionsOurs() && len(r.claimants()) == 0
}

// decideLeftovers plans their deletion. mayRemove reports that they may not be listed.
func (r *Removal) decideLeftovers(ctx context.Context) error {
	left, err := r.leftovers(ctx)
	if apierrors.IsForbidden(err) {
		return nil
	}
	for _, role := range left {
		r.addLeftover(role)
	}
	return err
}

func (r *Removal) addLeftover(role *unstructured.Unstructured) *Part {
	ref := apply.RefOf(role)
	return r.add(&Part{Subject: TheLeftover, Object: ref.String(), Ref: ref, Fate: Removed, uid: role.GetUID()})
}

// removeLeftovers deletes them when the version is gone. An InstallPlan that was still
// carried out may have created some since they were planned.
func (r *Removal) removeLeftovers(ctx context.Context) error {
	left, err := r.leftovers(ctx)
	for n := 0; err == nil && len(left) > 0; n++ {
		if n == tries {
			return &problem.Error{
				Kind: problem.Failed, What: "Role " + left[0].GetName() + " cannot be deleted", Why: "it is changed or created again each time",
				Next: advice.Command("oc get roles.rbac.authorization.k8s.io", "-n", r.found.Namespace, "--show-managed-fields", "-o", "yaml") + " shows who changes it",
			}
		}
		for _, role := range left {
			if err := r.removeLeftover(ctx, role); err != nil {
				return err
			}
		}
		left, err = r.leftovers(ctx)
	}
	if err != nil {
		return err
	}
	going := r.going(TheLeftover, nil)
	for _, p := range going {
		p.Done = true
	}
	if len(going) > 0 {
		r.observe(health.State{Kind: "Role", Name: "leftovers", Text: numbered(len(going), "Role") + " removed, which OLM leaves", Ready: true})
	}
	return nil
}

func (r *Removal) removeLeftover(ctx context.Context, role *unstructured.Unstructured) error {
	known := slices.ContainsFunc(r.going(TheLeftover, nil), func(p *Part) bool { return p.uid == role.GetUID() })
	if !known {
		r.addLeftover(role)
	}
	uid, version := role.GetUID(), role.GetResourceVersion()
	err := r.conn.Dynamic.Resource(namespacedRoles()).Namespace(r.found.Namespace).Delete(ctx, role.GetName(),
		metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // the next look decides
		return nil
	}
	return err
}
