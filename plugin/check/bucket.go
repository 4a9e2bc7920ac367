package check

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// IDs of the checks of the bucket that others need.
const (
	IDBucketObject = "bucket-object"
	IDBucketSynced = "bucket-synced"
	IDBucketGone   = "bucket-gone"
)

// bucketLook are the checks of the bucket, its object and what protects it.
type bucketLook struct{ *live.World }

// bucketChecks are about the bucket, its object and what protects it.
func bucketChecks(w *live.World) []Check {
	b := bucketLook{w}
	return inGroup(Bucket, []Check{
		{
			ID: IDBucketObject, Severity: Error, Vital: true, Needs: []string{IDBucketCRD}, Beside: []string{IDInstalled, IDAccount},
			Title: "the project's Bucket object names the right bucket, region and account, and keeps the bucket when it is deleted",
			Run:   every(b.there, b.of(b.object)),
		},
		{ID: IDBucketSynced, Severity: Error, Vital: true, Needs: []string{IDBucketObject, IDAccount}, Title: "the controller has created the bucket", Run: b.of(b.synced)},
		{ID: IDBucketGone, Severity: Error, Needs: []string{IDBucketSynced, IDBucket}, Title: "the bucket is in S3", Run: b.gone},
		{
			ID: "bucket-settings", Severity: Error, Needs: []string{IDBucketGone},
			Title: "the bucket has the settings and the tags that install states", Run: every(b.of(b.public), b.tls, b.settings, b.tagged),
		},
		{ID: IDBucketReach, Severity: Warning, Needs: []string{IDBucketCRD}, Title: "each Bucket names an S3 bucket of its own project, and one Bucket manages it", Run: b.reach},
	})
}

func (b bucketLook) name() string { return render.BucketName(b.Namespace) }

// again is the command that puts most things right.
func (b bucketLook) again() string { return installIn(b.World) }

// of is a look at the Bucket object. That there is one is for another look to tell.
func (b bucketLook) of(judge func(context.Context, *unstructured.Unstructured) Finding) look {
	return func(ctx context.Context) Finding {
		object, err := b.One(ctx, kinds.Bucket.GVR(), b.name())
		switch {
		case err != nil:
			return unreadable(b.Conn, err, "list buckets.s3.services.k8s.aws in "+b.Namespace, "how the Bucket object is")
		case object == nil:
			return Leave("there is no Bucket object")
		}
		return judge(ctx, object)
	}
}

// object judges what the Bucket object states. Where another bucket is does not matter,
// and neither does the deletion policy once the object is being deleted.
func (b bucketLook) object(ctx context.Context, object *unstructured.Unstructured) Finding {
	named := b.named(ctx, object)
	all := []Finding{named, b.deleting(ctx, object), writable(object)}
	if named.met() {
		all = append(all, b.place(ctx, object))
	}
	if object.GetDeletionTimestamp() == nil {
		all = append(all, b.retained(object))
	}
	return worstFirst(all)
}

// plannable is a look at what would keep install from planning the object.
func (b bucketLook) plannable() look { return every(b.of(b.named), b.of(b.deleting)) }

// there wants the object that makes the bucket. Another one in the project makes
// another bucket, which OSToy does not know.
func (b bucketLook) there(ctx context.Context) Finding {
	if seen, err := presence.InCluster(ctx, b.World); err != nil || !seen.Installed() {
		return Leave("needs " + IDInstalled)
	}
	all, err := b.Here(ctx, kinds.Bucket.GVR())
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

// named: OSToy looks for NAMESPACE-bucket and nothing else; the name cannot be changed.
func (b bucketLook) named(_ context.Context, object *unstructured.Unstructured) Finding {
	text := health.Text(object.Object, "spec", "name")
	if text == b.name() {
		return Pass()
	}
	name := advice.BucketName(text)
	return Refuse(fmt.Sprintf("Bucket %s is for the bucket %s", object.GetName(), name),
		"OSToy looks for "+b.name()+" and for no other, and the name of a Bucket cannot be changed",
		"the bucket "+name.String()+" stays, with what is in it:\n"+health.DeleteRetained(object.GetName(), object.GetNamespace())+"\n"+b.again())
}

// anew is health.Anew for the project's bucket.
func (b bucketLook) anew(flags ...string) string { return Anew(b.World, flags...) }

// Anew is anew for a project.
func Anew(w *live.World, flags ...string) string {
	return health.Anew(render.BucketName(w.Namespace), w.Namespace, installIn(w, flags...))
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
	state, finalizers := health.Bucket(object, nil, false, around(b.World)), object.GetFinalizers()
	if len(finalizers) == 0 {
		return Refuse("Bucket "+object.GetName()+" is being deleted", state.Text, state.Hint)
	}
	why := strings.TrimPrefix(state.Text, "it is being deleted: ") + "; it waits for " + strings.Join(finalizers, ", ")
	if ack.Complaint(object) == "" {
		why += ", which only the ACK S3 controller takes off: is it running?"
	}
	return Refuse("Bucket "+object.GetName()+" is being deleted", why,
		health.Release(object)+"\nthe controller tries again after 16 minutes at most; to wait for it: "+
			advice.Command("oc wait --for=delete", "buckets.s3.services.k8s.aws/"+object.GetName(), "-n", object.GetNamespace(), "--timeout=17m")+
			"\nthen, to create the Bucket resource again for the same S3 bucket: "+b.again())
}

// synced is the judgement by which install waits.
func (b bucketLook) synced(ctx context.Context, object *unstructured.Unstructured) Finding {
	if object.GetDeletionTimestamp() != nil {
		return Leave("the object is being deleted")
	}
	if state, stale := live.Stale(ctx, b.World, object, time.Now()); stale {
		return notReady("Bucket "+object.GetName(), object, state)
	}
	return notReady("Bucket "+object.GetName(), object, health.Bucket(object, nil, false, around(b.World)))
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
	return Refuse(what+" is not ready", state.Text,
		cmp.Or(state.Hint, "to wait until it is: "+advice.Command("oc ostoy-s3 check --wait", "-n", object.GetNamespace())))
}

// public looks at the object, which everybody here may read, and at S3. What the
// object does not state the controller takes off the bucket
// (syncPublicAccessBlock in its hook.go).
func (b bucketLook) public(ctx context.Context, object *unstructured.Unstructured) Finding {
	if missing := unstated(object); len(missing) > 0 {
		return Refuse("Bucket "+object.GetName()+" does not block public access: "+strings.Join(missing, ", "),
			"what spec.publicAccessBlock does not state as true the controller takes off the bucket, so that one careless policy or ACL makes its data public",
			b.again())
	}
	access, err := b.PublicAccess(ctx)
	if err != nil {
		return unreadAWS(err, bucket.ActionPublicAccess+" on the bucket", "whether S3 blocks public access to the bucket")
	}
	if open := access.Open(); len(open) > 0 {
		return Refuse("S3 does not block public access to bucket "+b.name()+": "+strings.Join(open, ", "),
			"the object states it, so somebody changed the bucket itself; the controller puts it back only every ten hours",
			advice.Command("aws s3api put-public-access-block", "--bucket", b.name(),
				"--public-access-block-configuration", "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"))
	}
	return Pass()
}

// unstated are the fields of the object's publicAccessBlock that are not true.
func unstated(object *unstructured.Unstructured) []string {
	var missing []string
	for _, field := range (bucket.PublicAccess{}).Open() {
		on, _, _ := unstructured.NestedBool(object.Object, "spec", "publicAccessBlock", field)
		if !on {
			missing = append(missing, "spec.publicAccessBlock."+field)
		}
	}
	return missing
}

// tls wants the statement that install puts into the bucket's policy. A policy
// may have others beside it.
func (b bucketLook) tls(ctx context.Context) Finding {
	policy, err := b.BucketPolicy(ctx)
	if err != nil {
		return unreadAWS(err, bucket.ActionPolicy+" on the bucket", "whether the bucket's policy refuses requests without TLS")
	}
	if why := iam.PlainHTTP(policy, render.BucketARN(b.Facts.Partition.Value, b.name())); why != "" {
		return Refuse("bucket "+b.name()+" takes requests without TLS", why, b.anew())
	}
	return Pass()
}

// settings are of less weight than the rest: S3 encrypts in any case, and who
// owns objects matters only where others may write.
func (b bucketLook) settings(ctx context.Context) Finding {
	encryption, err := b.Encryption(ctx)
	if err != nil {
		return unreadAWS(err, bucket.ActionEncryption+" on the bucket", "how the bucket is encrypted")
	}
	ownership, err := b.Ownership(ctx)
	if err != nil {
		return unreadAWS(err, bucket.ActionOwnership+" on the bucket", "who owns what is in the bucket")
	}
	return judgeSettings(b.name(), b.anew(), encryption, ownership)
}

func judgeSettings(name, restore string, encryption bucket.Encryption, ownership string) Finding {
	var all []Finding
	switch encryption.Algorithm {
	case "AES256":
	case "":
		all = append(all, Warn("bucket "+name+" has no default encryption", "install states SSE-S3 (AES256)", restore))
	default:
		all = append(all, Warn("bucket "+name+" is encrypted with "+encryption.Algorithm+", and not with SSE-S3 (AES256)",
			"with a key of your own in KMS the app's role needs kms:GenerateDataKey and kms:Decrypt on it, which install does not give",
			"to use SSE-S3: "+advice.Command("aws s3api put-bucket-encryption", "--bucket", name,
				"--server-side-encryption-configuration", `{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}`)+
				"\nto keep the key, give it in the Bucket and the rights in a policy of your own (--policy-arn)"))
	}
	if ownership != "BucketOwnerEnforced" {
		all = append(all, Warn("who owns what is in bucket "+name+" is "+cmp.Or(ownership, "not set")+", and not BucketOwnerEnforced",
			"access control lists count there, and objects that another account writes belong to it", restore))
	}
	return worstFirst(all)
}
