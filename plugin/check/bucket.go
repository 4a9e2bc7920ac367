package check

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// IDs of the checks of the bucket that others need.
const (
	IDBucketObject   = "bucket-object"
	IDBucketName     = "bucket-name"
	IDBucketDeleting = "bucket-deleting"
	IDBucketRegion   = "bucket-region"
	IDBucketSynced   = "bucket-synced"
	IDBucketGone     = "bucket-gone"
)

// bucketLook are the checks of the bucket, its object and what protects it.
type bucketLook struct{ *live.World }

// bucketChecks are about the bucket, its object and what protects it.
func bucketChecks(w *live.World) []Check {
	b := bucketLook{w}
	return append(b.objectChecks(), b.settingChecks()...)
}

// objectChecks are about the Bucket object, and whether the controller has created the
// bucket.
func (b bucketLook) objectChecks() []Check {
	return []Check{
		{
			ID: IDBucketObject, Group: Bucket, Severity: Error, Needs: []string{IDInstalled, IDBucketCRD},
			Title: "the project has its Bucket object", Run: b.there,
		},
		{
			ID: IDBucketName, Group: Bucket, Severity: Error, Needs: []string{IDBucketCRD},
			Title: "the Bucket object names the bucket that OSToy looks for", Run: b.of(b.named),
		},
		{
			ID: IDBucketDeleting, Group: Bucket, Severity: Error, Needs: []string{IDBucketCRD},
			Title: "the Bucket object is not on its way out", Run: b.of(b.deleting),
		},
		{
			ID: IDBucketRegion, Group: Bucket, Severity: Error, Needs: []string{IDBucketObject, IDBucketName, "aws-account"},
			Title: "the controller looks for the bucket where it is", Run: b.of(b.place),
		},
		{
			ID: IDBucketSynced, Group: Bucket, Severity: Error, Needs: []string{IDBucketObject, IDBucketName, IDBucketDeleting, IDBucketRegion},
			Title: "the controller has made the bucket as it is to be", Run: b.of(b.synced),
		},
		{
			ID: IDBucketGone, Group: Bucket, Severity: Error, Needs: []string{IDBucketSynced, IDBucket},
			Title: "the bucket is in S3", Run: b.gone,
		},
	}
}

// settingChecks are about the settings of the bucket, and about other Buckets.
func (b bucketLook) settingChecks() []Check {
	return []Check{
		{
			ID: "bucket-public", Group: Bucket, Severity: Error, Needs: []string{IDBucketObject, IDBucketName, IDBucketGone},
			Title: "nothing in the bucket can be made public", Run: b.of(b.public),
		},
		{
			ID: "bucket-tls", Group: Bucket, Severity: Error, Needs: []string{IDBucketGone},
			Title: "the bucket refuses requests without TLS", Run: b.tls,
		},
		{
			ID: "bucket-settings", Group: Bucket, Severity: Warning, Needs: []string{IDBucketGone},
			Title: "encryption and ownership are what install states", Run: b.settings,
		},
		{
			ID: "bucket-tags", Group: Bucket, Severity: Warning, Needs: []string{IDBucketGone},
			Title: "the bucket's tags say whose it is", Run: b.tagged,
		},
		{
			ID: "bucket-retain", Group: Bucket, Severity: Warning, Needs: []string{IDBucketObject, IDBucketDeleting},
			Title: "the bucket stays when the project goes", Run: b.of(b.retained),
		},
		{
			ID: "bucket-read-only", Group: Bucket, Severity: Warning, Needs: []string{IDBucketObject},
			Title: "the controller may write to the bucket", Run: b.of(b.writable),
		},
		{
			ID: "bucket-twice", Group: Bucket, Severity: Warning, Needs: []string{IDBucketObject},
			Title: "one object manages the bucket", Run: b.once,
		},
		{
			ID: IDBucketReach, Group: Bucket, Severity: Warning, Needs: []string{IDBucketCRD},
			Title: "every Bucket names an S3 bucket of its own project", Run: b.reach,
		},
	}
}

func (b bucketLook) name() string { return render.BucketName(b.Namespace) }

// again is the command that puts most things right.
func (b bucketLook) again() string { return installIn(b.Namespace) }

// of is a check of the Bucket object. That there is one is for another check to
// tell.
func (b bucketLook) of(judge func(context.Context, *unstructured.Unstructured) Finding) func(context.Context) Finding {
	return func(ctx context.Context) Finding {
		object, err := b.One(ctx, live.Buckets(), b.name())
		switch {
		case err != nil:
			return unreadable(b.Conn, err, "list buckets.s3.services.k8s.aws in "+b.Namespace, "how the Bucket object is")
		case object == nil:
			return Pass()
		}
		return judge(ctx, object)
	}
}

// unreadable is the finding of a check that could not read what it is about:
// needs and would as for Unseen.
func unreadable(conn *cluster.Conn, err error, needs, would string) Finding {
	if apierrors.IsForbidden(err) {
		return Unseen(needs, would)
	}
	return Fail(conn.Translate(err))
}

// there wants the object that makes the bucket. Another one in the project makes
// another bucket, which OSToy does not know.
func (b bucketLook) there(ctx context.Context) Finding {
	all, err := b.Here(ctx, live.Buckets())
	if err != nil {
		return unreadable(b.Conn, err, "list buckets.s3.services.k8s.aws in "+b.Namespace, "whether there is a Bucket object")
	}
	var others []string
	for _, one := range all {
		if one.GetName() == b.name() {
			return Pass()
		}
		others = append(others, fmt.Sprintf("%s (bucket %s)", one.GetName(), advice.BucketName(health.Text(one.Object, "spec", "name"))))
	}
	why := "without it no controller makes the bucket, or keeps it as it is to be; one that is in S3 already stays there"
	if len(others) > 0 {
		why = "there is only " + strings.Join(others, ", ") + ", and OSToy looks for nothing but " + b.name()
	}
	return Refuse("there is no Bucket "+b.name()+" in project "+b.Namespace, why, b.again())
}

// named: OSToy's rule is the only one (FACTS 7); the name cannot be changed.
func (b bucketLook) named(_ context.Context, object *unstructured.Unstructured) Finding {
	text := health.Text(object.Object, "spec", "name")
	if text == b.name() {
		return Pass()
	}
	name := advice.BucketName(text)
	return Refuse(
		fmt.Sprintf("Bucket %s is for the bucket %s", object.GetName(), name),
		"OSToy looks for "+b.name()+" and for no other, and the name of a Bucket cannot be changed",
		"the bucket "+name.String()+" stays, with what is in it:\n"+retain(object.GetName(), "-n", object.GetNamespace())+"\n"+b.again(),
	)
}

// anew is what makes the controller look at everything again: without its object
// the bucket stays, with what is in it, and is adopted by the next one.
func (b bucketLook) anew(flags ...string) string {
	return "delete the Bucket and install again (the S3 bucket stays, with what is in it):\n" + b.remove() + "\n" + installIn(b.Namespace, flags...)
}

// remove is the command that deletes the object.
func (b bucketLook) remove() string {
	return advice.Command("oc delete buckets.s3.services.k8s.aws", b.name(), "-n", b.Namespace)
}

// deleting tells of an object that hangs, unless the whole project goes: then
// that is what is to be told.
func (b bucketLook) deleting(ctx context.Context, object *unstructured.Unstructured) Finding {
	if object.GetDeletionTimestamp() == nil {
		return Pass()
	}
	if project, err := b.Project(ctx); err == nil && project != nil && project.GetDeletionTimestamp() != nil {
		return Leave("the project goes, and takes it along")
	}
	state, finalizers := health.Bucket(object, nil, false), object.GetFinalizers()
	if len(finalizers) == 0 {
		return Refuse("Bucket "+object.GetName()+" is being deleted", state.Text, state.Hint)
	}
	why := strings.TrimPrefix(state.Text, "it is being deleted: ") + "; it waits for " + strings.Join(finalizers, ", ")
	if ack.Complaint(object) == "" {
		why += ", which only the ACK S3 controller takes off: is it running?"
	}
	return Refuse(
		"Bucket "+object.GetName()+" is being deleted", why,
		health.Release(object)+"\nthen, to create the object again for the same bucket: "+b.again(),
	)
}

// synced is the judgement by which install waits.
func (b bucketLook) synced(ctx context.Context, object *unstructured.Unstructured) Finding {
	if state, stale := b.Stale(ctx, object, time.Now()); stale {
		return notReady("Bucket "+object.GetName(), object, state)
	}
	return notReady("Bucket "+object.GetName(), object, health.Bucket(object, nil, false))
}

// notReady makes a finding of how an object is. What has not lasted long is told
// as what it is, what has as what it then is called; who wants to see how it
// ends looks with --wait.
func notReady(what string, object *unstructured.Unstructured, state health.State) Finding {
	for state.Late != nil && time.Since(object.GetCreationTimestamp().Time) >= state.After {
		state = *state.Late
	}
	if state.Ready {
		return Pass()
	}
	next := state.Hint
	if next == "" {
		next = "to wait until it is: " + advice.Command("oc ostoy-s3 check --wait", "-n", object.GetNamespace())
	}
	return Refuse(what+" is not ready", state.Text, next)
}
