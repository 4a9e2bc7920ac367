package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// A Bucket resource that is created does not always create a bucket: one of the name that
// exists in the account is taken as it is, with what is in it. Its tags say that it is
// this project's, and whoever may write a Bucket resource can write them.

// lookAtExisting counts what is in a bucket that exists already and whose Bucket resource
// is to be created.
func (i *install) lookAtExisting(ctx context.Context) {
	if !i.bucket.Exists() || i.bucket.Kind == "" || !i.createsBucketResource() {
		return
	}
	inside := i.lookInside(ctx)
	i.existing = &adoptedBucket{Name: i.bucket.Name, Contents: inside.Contents, More: inside.More}
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
	if i.existing == nil {
		i.planned(ui.Added, "bucket", name+"   private, encrypted, TLS only, kept when the project goes")
		return
	}
	i.planned(ui.Changed, "bucket", name+"   exists, "+i.existing.inWords()+": OSToy will read and write it; its settings become private, encrypted, TLS only")
}

// inWords is what is in a bucket that exists.
func (b *adoptedBucket) inWords() string {
	if b.More {
		return "more than " + amount(b.Contents)
	}
	return amount(b.Contents)
}
