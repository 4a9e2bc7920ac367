package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	waiting "k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// decideNamespace removes a namespace that install created and that contains nothing of
// others.
func decideNamespace(ctx context.Context, r *Removal) error {
	project := r.found.Project
	if project == nil {
		return nil
	}
	p := &removal.Line{Subject: removal.Project, Object: "namespace " + r.found.Namespace, Fate: removal.Removed}
	if !r.found.NamespaceOurs() {
		if r.recorded() {
			r.add(p).Keep("this tool did not create it", "")
		}
		return nil
	}
	r.add(p)
	if project.GetDeletionTimestamp() != nil { // a run that was interrupted may have come this far
		return nil
	}
	others, err := besides(ctx, r)
	if err == nil && len(others) > 0 {
		keepNamespace(r, p, others)
	}
	return err
}

func keepNamespace(r *Removal, p *removal.Line, others []string) {
	const enough = 5
	if n := len(others) - enough; n > 0 {
		others = append(slices.Clone(others[:enough]), phrase.Count(n, "other object"))
	}
	p.Keep("others have something in it: "+strings.Join(others, ", "), advice.Command("oc delete namespace", r.found.Namespace))
}

// besides is what is in the namespace and neither goes with the controller nor exists in
// every namespace. A version that OLM has installed since goes, too.
func besides(ctx context.Context, r *Removal) ([]string, error) {
	return live.Others(ctx, r.conn, r.found.Namespace, func(object *unstructured.Unstructured) bool {
		version := object.GetKind() == "ClusterServiceVersion" && ofOperator(object) && r.found.versionOurs(object.GetName())
		if version || len(r.found.claimants()) == 0 && ofBundle(object) {
			return true
		}
		goes := func(l *removal.Line) bool { return l.Item.Live.GetUID() == object.GetUID() }
		return slices.ContainsFunc(r.going(removal.Object), goes) || isPlanOfOperator(object)
	})
}

// bundleRoles are the Roles in the operator's bundle (ack-s3-reader_..._role.yaml and
// ack-s3-writer_..._role.yaml in the community catalogs).
func bundleRoles() []string { return []string{"ack-s3-reader", "ack-s3-writer"} }

// ofBundle reports whether a Role is one of the operator's bundle. OLM creates those
// without an owner, so that they stay when the ClusterServiceVersion is deleted. One
// with the label of another operator is not meant.
func ofBundle(role *unstructured.Unstructured) bool {
	const component = olmGroup + "/"
	labels := role.GetLabels()
	if role.GetKind() != "Role" || labels["olm.managed"] != "true" || len(role.GetOwnerReferences()) > 0 || labels["olm.owner"] != "" {
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

// isPlanOfOperator: OLM's record of an installation of the operator, and of
// nothing else, is of no use to anybody without it.
func isPlanOfOperator(object *unstructured.Unstructured) bool {
	if object.GetKind() != "InstallPlan" {
		return false
	}
	csvs := olm.PlanOf(object).CSVs
	return len(csvs) > 0 && !slices.ContainsFunc(csvs, func(csv string) bool { return !namesOperator(csv) })
}

// removeNamespace looks once more whether the namespace contains nothing of others.
func removeNamespace(ctx context.Context, r *Removal) error {
	for _, p := range r.going(removal.Project) {
		if r.found.Project.GetDeletionTimestamp() == nil {
			others, err := besides(ctx, r)
			if apierrors.IsNotFound(err) {
				p.Done = true
				continue
			}
			if err != nil {
				return err
			}
			if len(others) > 0 {
				keepNamespace(r, p, others)
				continue
			}
		}
		r.observe(health.State{Kind: "Namespace", Name: "namespace", Text: "deleting " + r.found.Namespace})
		if err := deleteNamespace(ctx, r, r.found.Project.GetUID()); err != nil {
			return err
		}
		p.Done = true
		r.observe(health.State{Kind: "Namespace", Name: "namespace", Text: "removed", Ready: true})
	}
	return nil
}

// deleteNamespace deletes the very namespace that was looked at, and waits for its end.
func deleteNamespace(ctx context.Context, r *Removal, uid types.UID) error {
	const pause = 500 * time.Millisecond
	client, name := r.conn.Dynamic.Resource(kinds.Namespace.GVR()), r.found.Namespace
	err := client.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	// 409: another one by now, or it is being deleted already; the look says which.
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return err
	}
	err = waiting.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
		object, err := client.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && object.GetUID() != uid:
			return true, nil
		case apierrors.IsUnauthorized(err), apierrors.IsForbidden(err): // neither passes
			return false, err
		}
		return false, nil
	})
	return problem.While("namespace "+name+" to be deleted", err)
}
