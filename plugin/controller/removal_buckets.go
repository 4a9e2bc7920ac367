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
	var lines []string
	for n, b := range buckets {
		if n == enough {
			lines = append(lines, fmt.Sprintf("and %d more", len(buckets)-enough))
			break
		}
		lines = append(lines, bucketName(b)+": "+bucketState(b))
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
		advice.Command("oc ostoy-s3 controller install")+"\nthen delete the Bucket, and run the same command again")
}
