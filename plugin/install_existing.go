package plugin

import (
	"context"
	"sync"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// A Bucket resource that is created does not always create a bucket: one of the name that
// exists in the account is adopted, with what is in it. Its tags say that it is this
// project's, but everybody who can write a Bucket resource can have the controller write
// them, and everybody who can edit the project can write the inventory. Only the IAM role
// shows that the bucket is the project's, because writing its tags takes AWS permissions.

// foundBefore is what a run finds that exists before it.
type foundBefore struct {
	role     *roleOnce      // the app's role, in the way the run looks at it
	inside   *bucket.Inside // of the S3 bucket; nil: not counted
	bucket   *adoptedBucket // the S3 bucket, if the run gives it to the app
	exposing exposedBy      // a Route or Ingress that the run neither creates nor deletes
}

// roleOnce reads a role once in a run. It is safe for concurrent use.
type roleOnce struct {
	desired iam.Role

	mu     sync.Mutex
	asked  bool
	actual *iam.Actual
	err    error
}

// answer notes what IAM says of a role that was read before. An error is one of the
// findings of the survey.
func (r *roleOnce) answer(actual *iam.Actual, err error) {
	r.actual, r.err = iam.ToCreate(actual, err)
	r.asked = true
}

func (r *roleOnce) get(read func() (*iam.Actual, error)) (*iam.Actual, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked {
		r.actual, r.err = read()
		r.asked = true
	}
	return r.actual, r.err
}

// actualRole is the app's role as it is, nil if the user is not allowed to read it.
func (i *install) actualRole(ctx context.Context) (*iam.Actual, error) {
	switch {
	case i.adopted.asIs:
		return i.adopted.actual, nil
	case i.given != nil:
		return i.given.Role(ctx)
	}
	return i.before.role.get(func() (*iam.Actual, error) {
		return iam.ReadToCreate(ctx, i.roles, i.before.role.desired.Name, i.inventory.Found)
	})
}

// provesBucket is what the app's role says about the project's bucket.
func (i *install) provesBucket(ctx context.Context) iam.Proof {
	actual, err := i.actualRole(ctx)
	name := i.before.role.desired.Name
	if err != nil || actual == nil || actual.Hidden {
		return iam.Proof{Why: "the role " + advice.RoleName(name).String() + " cannot be read"}
	}
	return actual.Proves(name, render.BucketName(i.facts.Namespace.Value), i.facts)
}

// givesBucket says, of an existing bucket, that the run gives it to the app although no
// role shows that it is the project's; "" if the run does not. A run gives it by a role
// that it creates or changes, or by a Bucket resource that it creates. A role that is
// used as it is, or from which --tighten-role takes every bucket, lets the app in already.
func (i *install) givesBucket(ctx context.Context) string {
	changesRole := !i.role.Empty() && !(i.request.Tighten && i.adopted.found() && i.adopted.desired.FullAccess(i.adopted.actual))
	if !i.bucketExists() || !changesRole && !i.createsBucketResource() {
		return ""
	}
	proof := i.provesBucket(ctx)
	if proof.Proven {
		return ""
	}
	return "no IAM role shows that it is this project's: " + proof.Why
}

// bucketExists reports whether S3 has the bucket already.
func (i *install) bucketExists() bool { return i.bucket.Kind != "" && i.bucket.Exists() }

// lookAtExisting counts what is in a bucket that exists already, if its Bucket resource
// is to be created or the run gives it to the app.
func (i *install) lookAtExisting(ctx context.Context) {
	if !i.bucketExists() || !i.createsBucketResource() && i.givesBucket(ctx) == "" {
		return
	}
	inside := i.lookInside(ctx)
	i.before.bucket = &adoptedBucket{Name: i.bucket.Name, Contents: inside.Contents, More: inside.More}
}

// lookInside counts what is in the bucket, once for a run.
func (i *install) lookInside(ctx context.Context) bucket.Inside {
	if i.before.inside == nil {
		inside := bucket.LookInside(ctx, i.buckets, bucket.TargetOf(i.facts))
		i.before.inside = &inside
	}
	return *i.before.inside
}

func (i *install) createsBucketResource() bool {
	for _, item := range i.plan.All() {
		if item.Ref.IsBucket() && item.Action == apply.Create {
			return true
		}
	}
	return false
}

// announceBucket prints the line of the plan about the bucket.
func (i *install) announceBucket(name string) {
	if i.before.bucket == nil {
		i.planned(ui.Added, "bucket", name+"   private, encrypted, TLS only, kept when the project goes")
		return
	}
	i.planned(ui.Changed, "bucket", name+"   exists, "+i.before.bucket.inWords()+": OSToy will read and write it; its settings become private, encrypted, TLS only")
}

// inWords is what is in a bucket that exists.
func (b *adoptedBucket) inWords() string {
	if b.More {
		return "more than " + amount(b.Contents)
	}
	return amount(b.Contents)
}
