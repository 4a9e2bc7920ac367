package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Bucket is an object of ACK's kind, somewhere in the cluster.
type Bucket struct {
	Namespace, Name string
	UID             types.UID
	Managed         bool   // the controller has its finalizer on it
	Deleting        bool   //
	Ours            bool   // by its labels, of an install of OSToy
	DeliveredBy     string // Argo CD, Flux, Helm, or ""
}

func bucketOf(object *unstructured.Unstructured) Bucket {
	return Bucket{
		Namespace: object.GetNamespace(), Name: object.GetName(), UID: object.GetUID(),
		Managed: ack.Managed(object), Deleting: object.GetDeletionTimestamp() != nil,
		Ours: ofTheApp(object), DeliveredBy: apply.DeliveredBy(object),
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
		state = "never managed: no controller has taken it up yet"
	}
	if b.Ours {
		state += ", of an install of OSToy"
	}
	if b.DeliveredBy != "" {
		state += ", brought by " + b.DeliveredBy
	}
	return state
}

// listBuckets lists the Buckets of all namespaces, as they are now. Where the
// kind is not served, there are none.
func (r *Removal) listBuckets(ctx context.Context) ([]Bucket, error) {
	objects, err := cluster.ListAll(ctx, r.conn.Dynamic.Resource(live.Buckets()), metav1.ListOptions{})
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

// decideBuckets: while there are Buckets, a controller of ours stays, because
// nobody else takes its finalizers off, unless the user wants them let go of.
// Where somebody else's controller stays, it keeps them.
func (r *Removal) decideBuckets() error {
	others := r.others()
	switch {
	case len(r.buckets) == 0 || !r.endsController():
		return nil
	case len(others) > 0 && len(r.mine()) == 0: // they are theirs
		return nil
	case !r.options.Force:
		return r.refuseBuckets()
	case len(others) > 0:
		r.add(&Part{
			Subject: TheRemark, Object: numbered(len(r.buckets), "Bucket"), Fate: Kept,
			Why: others[0].String() + " goes on managing them",
		})
		return nil
	}
	if text := r.lookalikes(); text != "" {
		r.Notes = append(r.Notes, text)
	}
	var names []string
	for _, b := range r.buckets {
		names = append(names, b.String())
		r.add(&Part{
			Subject: TheBucket, Object: "Bucket " + b.String(), Ref: apply.Ref{Kind: "Bucket", Name: b.String()},
			Fate: Removed, uid: b.UID,
		})
		if b.DeliveredBy != "" {
			r.Notes = append(r.Notes, "Bucket "+b.String()+" is brought by "+b.DeliveredBy+", and comes back unless it is removed there, too")
		}
	}
	r.add(&Part{
		Subject: TheRemark, Object: numbered(len(r.buckets), "S3 bucket"), Fate: Kept,
		Why: "with everything in them; only the cluster lets go: " + few(names),
	})
	return nil
}

func numbered(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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

func (r *Removal) refuseBuckets() error {
	var ways []string
	for _, b := range r.buckets {
		line := advice.Command("oc ostoy-s3 uninstall", "-n", b.Namespace)
		if b.Ours && !slices.Contains(ways, line) {
			ways = append(ways, line)
		}
	}
	const enough = 5
	if len(ways) > enough {
		ways = append(ways[:enough], "and so on in every namespace that is listed")
	}
	if len(ways) == 0 {
		ways = append(ways, advice.Command("oc delete buckets.s3.services.k8s.aws NAME -n NAMESPACE")+", which deletes the S3 bucket, too, unless its deletion policy is retain")
	}
	force := "or the same command with --force: the objects go, the S3 buckets and their data stay"
	why := "without a controller nobody takes its finalizer off them, and they, and their namespaces, can never be deleted:\n"
	if others := r.others(); len(others) > 0 {
		why = "whether ours or " + others[0].String() + " manages them cannot be seen:\n"
		force = "or the same command with --force: they stay, for the other controller to manage"
	}
	if text := r.lookalikes(); text != "" {
		why = text + "\n" + why
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "the ACK S3 controller stays: there " + are(len(r.buckets)) + " " + numbered(len(r.buckets), "Bucket"),
		Why:  why + listed(r.buckets),
		Next: strings.Join(append(ways, force), "\n"),
		More: "docs/controller.md",
	}
}

// lookalikes says that --force also releases the Buckets of a controller that watches only
// some projects: such a controller is not proven. It is "" if nothing looks like one.
func (r *Removal) lookalikes() string {
	var names []string
	for _, c := range r.notMine(r.found.Controllers.Unproven) {
		names = append(names, c.String())
	}
	if len(names) == 0 {
		return ""
	}
	return lookalike(names) + ": --force releases the Buckets that it manages, too"
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// newcomers refuses to go on where a Bucket has appeared that the plan does not
// know of, as long as there is a controller that can take care of it.
func (r *Removal) newcomers(ctx context.Context) error {
	if len(r.others()) > 0 {
		return nil
	}
	now, err := r.listBuckets(ctx)
	if err != nil {
		return err
	}
	for _, b := range now {
		if slices.ContainsFunc(r.buckets, func(known Bucket) bool { return known.UID == b.UID }) {
			continue
		}
		p := &problem.Error{
			Kind: problem.Refused,
			What: "Bucket " + b.String() + " has appeared meanwhile (" + b.State() + ")",
			Why:  "the controller is not removed from under a Bucket that nobody gave up",
			Next: "run the same command again: it says what can be done about it",
		}
		if b.DeliveredBy != "" {
			p.Next = "remove it where " + b.DeliveredBy + " takes it from; then run the same command again"
		}
		return p
	}
	return nil
}
