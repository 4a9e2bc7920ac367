package plan

import (
	"context"
	"errors"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// planObjects decides what happens to each object. Without a namespace there is nothing
// to compare with and nothing the API server could judge.
func planObjects(ctx context.Context, d Desired) (*apply.Plan, error) {
	r, f := d.Request, d.Facts()
	var coming []schema.GroupKind
	if r.Controller == ControllerComes {
		coming = []schema.GroupKind{{Group: kinds.Bucket.GVR().Group, Kind: "Bucket"}}
	}
	how := apply.TryCreates
	if r.How == Guess {
		how = apply.Guess
	}
	set := apply.App()
	set.Extra = d.Extra
	applier := apply.New(d.Project.Conn, apply.Options{
		Namespace:      d.Project.Name(),
		Set:            set,
		Look:           r.How == Compare,
		Coming:         coming,
		ForceConflicts: r.ForceConflicts,
		Recognise:      tutorial.Differs,
		Adopt:          r.Adopt.Tutorial(),
		ForceOwner:     r.ForceOwner,
		Fresh:          !d.Project.State.Exists,
		How:            how,
		Now:            r.Now,
	})
	return applier.Plan(ctx, d.Objects, d.Project.Inventory, apply.Record{
		RoleARN:         d.Role.ARN,
		RoleOrigin:      d.RoleOrigin(),
		Bucket:          render.BucketName(d.Project.Name()),
		Account:         f.Account.Value,
		Partition:       f.Partition.Value,
		Region:          f.Region.Value,
		Issuer:          f.Issuer.Value,
		ClusterID:       f.ClusterID.Value,
		NamespaceOrigin: d.Project.State.Origin(),
		Version:         r.Version,
		Values:          d.Recalled.Record,
	})
}

// verdictOf is what the API server says of the objects that are planned, and of the pods
// of their Deployments. It has judged the objects while they were planned.
func verdictOf(how How, objects func() (*apply.Plan, error)) func(context.Context) (check.Verdict, error) {
	if how == Guess {
		return nil
	}
	return func(ctx context.Context) (check.Verdict, error) {
		planned, err := objects()
		refused, _ := apply.Refusals(planned, err) // the rest is said by the check of the objects
		verdict := check.Verdict{Refused: refused}
		if planned != nil {
			verdict.Unjudged, verdict.Pods = apply.Unjudged(planned), apply.TryPods(ctx, planned)
		}
		return verdict, ctx.Err()
	}
}

// bucketOrigin distinguishes a bucket that install creates from one that existed before,
// if the inventory does not say which it is. An existing bucket is one that an earlier
// install created if this tool's Bucket resource manages it and the controller does not
// call it adopted. If the resource is missing, its tags say so together with this tool's
// role and other objects: an inventory was lost. The tags alone do not: a bucket that was
// kept when its project was deleted has them, too, whether it had been created or adopted.
func bucketOrigin(p Plan) string {
	if !p.Bucket.Exists() {
		return apply.OriginCreated
	}
	ours := func(item *apply.Item) bool { return item.Live != nil && apply.Ours(item.Live) }
	for _, item := range p.Objects.Items {
		if item.Ref.IsBucket() && ours(item) && ack.Managed(item.Live) {
			if ack.Adopted(item.Live) {
				return apply.OriginAdopted
			}
			return apply.OriginCreated
		}
	}
	d := p.Desired
	ourRole := d.RoleOrigin() == "" && !d.Request.Role.Adopt && !p.Role.Creates()
	if p.Bucket.Kind == bucket.Ours && ourRole && slices.ContainsFunc(p.Objects.Items, ours) {
		return apply.OriginCreated
	}
	return apply.OriginAdopted
}

// lookAtBucket asks S3 whether the bucket may be used. If S3 does not show the tags of an
// earlier install, the app's role decides, and never what the project says alone.
func lookAtBucket(ctx context.Context, d Desired) (bucketPart, error) {
	f := d.Facts()
	if known := d.Request.Bucket; known != nil {
		return bucketPart{state: *known}, nil
	}
	state, err := d.Buckets.Look(ctx, f)
	if tagged := state.Tags; err == nil && f.IssuerPending() && tagged[render.TagManagedBy] == render.ManagedBy && tagged[render.TagIssuer] != "" {
		// Whether it is this cluster's is not known yet: it is not refused as another's.
		f.Issuer.Value = tagged[render.TagIssuer]
		state, err = d.Buckets.Look(ctx, f)
	}
	if err != nil {
		return bucketPart{state: state}, err
	}
	adopt := d.Request.Adopt.Bucket()
	refused := bucket.Guard(state, f, adopt)
	if refused != nil && d.Request.Adopt.Tutorial() && adoptable(ctx, d, state) {
		adopt = true
		refused = bucket.Guard(state, f, adopt)
	}
	if state.Kind == bucket.Foreign && !state.Unmarked() {
		refused = synced(ctx, d, refused)
	}
	if refused == nil || !state.Unmarked() || !d.Project.Inventory.Found || d.Project.Inventory.Foreign {
		return bucketPart{state, refused}, nil
	}
	if usable(ctx, d) {
		return bucketPart{state: state}, nil
	}
	if tagged, is := awaitTags(ctx, d, state); is {
		return bucketPart{tagged, bucket.Guard(tagged, f, adopt)}, nil
	}
	return bucketPart{state, refused}, nil
}

// synced is the refusal of a bucket with the tags of something else, for a project whose
// Bucket resource the controller has synced: it writes the tags again when the spec changes,
// and else every ten hours, so that --adopt=bucket alone would change nothing.
func synced(ctx context.Context, d Desired, refused error) error {
	var told *problem.Error
	object := bucketObject(ctx, d)
	if !errors.As(refused, &told) || object == nil || !apply.Ours(object) || ack.Account(object) != d.Facts().Account.Value {
		return refused
	}
	with := *told
	with.Next = "to have the controller write the tags of this project: " + check.Anew(d.World, "--adopt=bucket") +
		"\nor use another project: " + advice.Command("oc ostoy-s3 install --new-project")
	return &with
}

// usable reports whether the role names the bucket, and the controller manages it by the
// project's Bucket resource. A run that uses a role as it is gives it no access that it
// does not have, so there the Bucket resource is enough.
func usable(ctx context.Context, d Desired) bool {
	return (d.UsesRole() || d.ProvesBucket(ctx).Proven) && managed(ctx, d)
}

// bucketFinding is lookAtBucket for check. Where the user is not allowed to read the role
// either, nothing shows whose the bucket is.
func bucketFinding(ctx context.Context, d Desired) check.Finding {
	found, err := lookAtBucket(ctx, d)
	if err != nil || found.refused == nil {
		return check.Fail(err)
	}
	if !found.state.Unmarked() || !d.Project.Inventory.Found {
		return check.Fail(found.refused)
	}
	if actual, err := d.ActualRole(ctx); err == nil && actual != nil && !actual.Hidden {
		return check.Fail(found.refused)
	}
	return check.Unseen(found.state.Missing+" on the bucket, or iam:GetRole on role "+advice.RoleName(d.reading.desired.Name).String(),
		"whether the S3 bucket "+found.state.Name+" is the project's")
}

// adoptable reports whether the Bucket object of the project is what the tutorial made, or
// what an earlier run of this tool has brought in, and the controller manages this
// account's bucket by it.
func adoptable(ctx context.Context, d Desired, state bucket.State) bool {
	object := bucketObject(ctx, d)
	if object == nil || object.GetDeletionTimestamp() != nil || state.Tags[render.TagManagedBy] != "" {
		return false
	}
	owner, _, _ := unstructured.NestedString(object.Object, "status", "ackResourceMetadata", "ownerAccountID")
	return owner == d.Facts().Account.Value && (apply.Ours(object) || tutorial.Differs(object) == "")
}

// bucketObject is the project's Bucket, nil if there is none, or none to be seen.
func bucketObject(ctx context.Context, d Desired) *unstructured.Unstructured {
	kind := schema.FromAPIVersionAndKind(check.BucketAPI, "Bucket")
	client, err := d.Project.Conn.Resource(ctx, kind, d.Project.Name())
	if err != nil {
		return nil
	}
	object, err := client.Get(ctx, render.BucketName(d.Project.Name()), metav1.GetOptions{})
	if err != nil {
		return nil
	}
	return object
}

// How long a run waits for a controller that creates the bucket at this moment, for
// another run or for one that was interrupted.
const (
	creationPatience = 10 * time.Second
	creationPause    = 500 * time.Millisecond
)

// whileOurs polls the project's Bucket resource as long as it is this tool's and stays.
func whileOurs(ctx context.Context, d Desired, until func(live *unstructured.Unstructured) bool) {
	_ = wait.PollUntilContextTimeout(ctx, creationPause, creationPatience, true, func(ctx context.Context) (bool, error) {
		live := bucketObject(ctx, d)
		return live == nil || !apply.Ours(live) || live.GetDeletionTimestamp() != nil || until(live), nil
	})
}

// managed reports whether the controller manages the bucket by the project's Bucket
// resource. One that creates the bucket at this moment says so a little later.
func managed(ctx context.Context, d Desired) (is bool) {
	whileOurs(ctx, d, func(live *unstructured.Unstructured) bool {
		owner := ack.Account(live)
		is = owner == d.Facts().Account.Value
		return owner != "" || !ack.Managed(live)
	})
	return is
}

// awaitTags waits for the tags of a bucket that has none yet: the controller writes them
// after it has created the bucket. Then the bucket is one with the project's tags.
func awaitTags(ctx context.Context, d Desired, state bucket.State) (tagged bucket.State, is bool) {
	if state.Kind != bucket.Foreign {
		return state, false
	}
	whileOurs(ctx, d, func(*unstructured.Unstructured) bool {
		found, err := d.Buckets.Look(ctx, d.Facts())
		if err != nil || found.Unmarked() {
			return err != nil
		}
		tagged, is = found, true
		return true
	})
	return tagged, is
}

// lookAtGiven notes what somebody else's role does. The checks have read it: the answers
// are the same.
func lookAtGiven(ctx context.Context, p *Plan) {
	d := p.Desired
	if actual, err := d.World.Role(ctx); err == nil {
		p.Role.Role = d.Role.AsTagged(actual)
		p.Outlook = iam.LookAhead(ctx, d.World, p.Role.Role, actual, actual.OwnPolicy())
	}
}
