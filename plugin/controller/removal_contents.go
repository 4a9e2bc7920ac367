package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	waiting "k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// bucketName is the namespace and the name of a Bucket.
func bucketName(b *unstructured.Unstructured) string { return b.GetNamespace() + "/" + b.GetName() }

// ofOSToy reports whether a Bucket is, by its labels, of an install of OSToy.
func ofOSToy(b *unstructured.Unstructured) bool {
	return b.GetLabels()["app.kubernetes.io/part-of"] == "ostoy"
}

// bucketState is how a Bucket is, in words.
func bucketState(b *unstructured.Unstructured) string {
	state := "managed"
	switch {
	case b.GetDeletionTimestamp() != nil:
		state = "being deleted"
	case !ack.Managed(b):
		state = "not managed by a controller yet"
	}
	if ofOSToy(b) {
		state += ", of an install of OSToy"
	}
	if by := apply.DeliveredBy(b); by != "" {
		state += ", applied by " + by
	}
	return state
}

// listBuckets lists the Buckets of all namespaces, as they are now. If the kind is not
// served, there are none.
func listBuckets(ctx context.Context, r *Removal) ([]*unstructured.Unstructured, error) {
	all, err := cluster.ListAll(ctx, r.conn.Dynamic.Resource(kinds.Bucket.GVR()), metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int { return strings.Compare(bucketName(a), bucketName(b)) })
	return all, err
}

// listed names Buckets with their states, one a line, and counts those that
// would be too many.
func listed(buckets []*unstructured.Unstructured) string {
	const enough = 20
	lines := each(buckets, func(b *unstructured.Unstructured) string { return bucketName(b) + ": " + bucketState(b) })
	if more := len(lines) - enough; more > 0 {
		lines = append(lines[:enough], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// refuseBuckets refuses to remove anything while Buckets exist: only the controller
// removes its finalizer from them, and only the admission policy keeps them to the S3
// buckets of their project.
func refuseBuckets(r *Removal) error {
	if len(r.buckets) == 0 || r.Empty() {
		return nil
	}
	there := map[bool]string{true: "is", false: "are"}[len(r.buckets) == 1]
	return problem.Refuse("the ACK S3 controller stays: there "+there+" "+phrase.Count(len(r.buckets), "Bucket"),
		"without a controller nothing removes its finalizer, and neither they nor their namespaces can be deleted:\n"+listed(r.buckets),
		strings.Join(waysOut(r), "\n")).See("docs/controller.md")
}

// waysOut are the commands that delete the Buckets.
func waysOut(r *Removal) []string {
	const enough = 5
	var ways []string
	others := false
	for _, b := range r.buckets {
		others = others || !ofOSToy(b)
		line := advice.Command("oc ostoy-s3 uninstall", "-n", b.GetNamespace())
		if ofOSToy(b) && !slices.Contains(ways, line) {
			ways = append(ways, line)
		}
	}
	if len(ways) > enough {
		ways = append(ways[:enough], "and so on in every namespace that is listed")
	}
	if others {
		ways = append(ways,
			advice.Command("oc annotate buckets.s3.services.k8s.aws NAME -n NAMESPACE --overwrite services.k8s.aws/deletion-policy=retain")+", if the S3 bucket is to be kept",
			advice.Command("oc delete buckets.s3.services.k8s.aws NAME -n NAMESPACE"))
	}
	return append(ways, "then the same command again")
}

// newcomers refuses to continue if a Bucket was created since the plan was made, while
// the controller still runs.
func newcomers(ctx context.Context, r *Removal) error {
	now, err := listBuckets(ctx, r)
	if err != nil || len(now) == 0 {
		return err
	}
	next := "delete it, then run the same command again"
	if by := apply.DeliveredBy(now[0]); by != "" {
		next = "delete it where " + by + " takes it from, then run the same command again"
	}
	return problem.Refuse("Bucket "+bucketName(now[0])+" was created while this command ran ("+bucketState(now[0])+")",
		"without the controller it can never be deleted",
		next)
}

// stranded looks once more when no controller runs any more.
func stranded(ctx context.Context, r *Removal) error {
	now, err := listBuckets(ctx, r)
	if err != nil || !slices.ContainsFunc(now, ack.Managed) || len(staying(r)) > 0 {
		return err
	}
	return problem.Fail("a Bucket was created while the controller was being removed",
		"the controller's finalizer is on it, which nothing removes any more:\n"+listed(now),
		advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(r.found.Namespace)...)+"\nthen delete the Bucket, and run the same command again")
}

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
	return keepShared(ctx, r, r.add(p))
}

// keepShared keeps the namespace if it contains something of others.
func keepShared(ctx context.Context, r *Removal, p *removal.Line) error {
	const enough = 5
	if r.found.Project.GetDeletionTimestamp() != nil { // a run that was interrupted may have come this far
		return nil
	}
	others, err := besides(ctx, r)
	if err != nil || len(others) == 0 {
		return err
	}
	if n := len(others) - enough; n > 0 {
		others = append(slices.Clone(others[:enough]), phrase.Count(n, "other object"))
	}
	p.Keep("others have something in it: "+strings.Join(others, ", "), advice.Command("oc delete namespace", r.found.Namespace))
	return nil
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
		err := keepShared(ctx, r, p)
		if p.Done = apierrors.IsNotFound(err); p.Done {
			continue
		}
		if err != nil || p.Fate != removal.Removed {
			return err
		}
		r.observe(health.State{Kind: "Namespace", Name: "namespace", Text: "deleting " + r.found.Namespace})
		if err := deleteNamespace(ctx, r, p, r.found.Project.GetUID()); err != nil {
			return err
		}
		p.Done = true
		r.observe(health.State{Kind: "Namespace", Name: "namespace", Text: "removed", Ready: true})
	}
	return nil
}

// deleteNamespace deletes the very namespace that was looked at, and waits for its end.
func deleteNamespace(ctx context.Context, r *Removal, l *removal.Line, uid types.UID) error {
	const pause = 500 * time.Millisecond
	client, name := r.conn.Dynamic.Resource(kinds.Namespace.GVR()), r.found.Namespace
	err := client.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	// 409: another one by now, or it is being deleted already; the look says which.
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		return l.Sent(err)
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
