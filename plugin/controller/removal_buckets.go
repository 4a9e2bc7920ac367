package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
)

// Bucket is an object of ACK's kind, somewhere in the cluster.
type Bucket struct {
	Namespace, Name string
	Managed         bool   // the controller has its finalizer on it
	Deleting        bool   //
	Ours            bool   // by its labels, of an install of OSToy
	DeliveredBy     string // Argo CD, Flux, Helm, or ""
}

func bucketOf(object *unstructured.Unstructured) Bucket {
	return Bucket{
		Namespace: object.GetNamespace(), Name: object.GetName(),
		Managed: ack.Managed(object), Deleting: object.GetDeletionTimestamp() != nil,
		Ours:        object.GetLabels()["app.kubernetes.io/part-of"] == "ostoy",
		DeliveredBy: apply.DeliveredBy(object),
	}
}

// String is its namespace and name.
func (b Bucket) String() string { return b.Namespace + "/" + b.Name }

// State is how it is, in words.
func (b Bucket) State() string {
	state := "managed"
	switch {
	case b.Deleting:
		state = "being deleted"
	case !b.Managed:
		state = "not managed by a controller yet"
	}
	if b.Ours {
		state += ", of an install of OSToy"
	}
	if b.DeliveredBy != "" {
		state += ", applied by " + b.DeliveredBy
	}
	return state
}

// listBuckets lists the Buckets of all namespaces, as they are now. If the kind is not
// served, there are none.
func listBuckets(ctx context.Context, r *Removal) ([]Bucket, error) {
	objects, err := cluster.ListAll(ctx, r.conn.Dynamic.Resource(kinds.Bucket.GVR()), metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Bucket
	for _, object := range objects {
		all = append(all, bucketOf(object))
	}
	slices.SortFunc(all, func(a, b Bucket) int { return strings.Compare(a.String(), b.String()) })
	return all, nil
}

// listed names Buckets with their states, one a line, and counts those that
// would be too many.
func listed(buckets []Bucket) string {
	const enough = 20
	var lines []string
	for n, b := range buckets {
		if n == enough {
			lines = append(lines, fmt.Sprintf("and %d more", len(buckets)-enough))
			break
		}
		lines = append(lines, b.String()+": "+b.State())
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
	are := "are"
	if len(r.buckets) == 1 {
		are = "is"
	}
	return problem.Refuse("the ACK S3 controller stays: there "+are+" "+phrase.Count(len(r.buckets), "Bucket"),
		"without a controller nothing removes its finalizer, and neither they nor their namespaces can be deleted:\n"+listed(r.buckets),
		strings.Join(waysOut(r), "\n")).See("docs/controller.md")
}

// waysOut are the commands that delete the Buckets.
func waysOut(r *Removal) []string {
	const enough = 5
	var ways []string
	others := false
	for _, b := range r.buckets {
		others = others || !b.Ours
		line := advice.Command("oc ostoy-s3 uninstall", "-n", b.Namespace)
		if b.Ours && !slices.Contains(ways, line) {
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
	if by := now[0].DeliveredBy; by != "" {
		next = "delete it where " + by + " takes it from, then run the same command again"
	}
	return problem.Refuse("Bucket "+now[0].String()+" was created while this command ran ("+now[0].State()+")",
		"without the controller it can never be deleted",
		next)
}

// stranded looks once more when no controller runs any more.
func stranded(ctx context.Context, r *Removal) error {
	now, err := listBuckets(ctx, r)
	if err != nil || !slices.ContainsFunc(now, func(b Bucket) bool { return b.Managed }) || len(staying(r)) > 0 {
		return err
	}
	return problem.Fail("a Bucket was created while the controller was being removed",
		"the controller's finalizer is on it, which nothing removes any more:\n"+listed(now),
		advice.Command("oc ostoy-s3 controller install")+"\nthen delete the Bucket, and run the same command again")
}
