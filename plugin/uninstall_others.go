package plugin

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// In AWS, tags say what is ours; they stay when the objects of an install are
// released to Argo CD or Flux. What an object of somebody else's still stands on
// is in use, and stays.

// bucketUser is why the bucket stays: a Bucket of its name that is not ours; ""
// without one.
func (u *uninstall) bucketUser() string {
	for _, item := range u.removal.Kept {
		if item.Ref.IsBucket() && item.Ref.Name == render.BucketName(u.namespace()) {
			return usedBy(item)
		}
	}
	return ""
}

// roleUser is the same for a role: the service account that the role is for, and
// that names it.
func (u *uninstall) roleUser(role string) string {
	for _, item := range u.removal.Kept {
		if item.Ref.Kind == "ServiceAccount" && item.Ref.Name == render.ServiceAccount && item.Live != nil &&
			u.nameOf(item.Live.GetAnnotations()[ack.RoleAnnotation]) == role {
			return usedBy(item)
		}
	}
	return ""
}

// unseenUsers are the resources among which there might be a user of what is to go,
// and which may not be listed. What the inventory names has been looked at all the
// same.
func (u *uninstall) unseenUsers() []string {
	var unseen []string
	for _, user := range []struct {
		of             subject
		kind, resource string
	}{
		{theBucket, "Bucket", "buckets.s3.services.k8s.aws"},
		{theRole, "ServiceAccount", "serviceaccounts"},
	} {
		l := u.one(user.of)
		unlisted := slices.ContainsFunc(u.removal.Unlisted, func(k schema.GroupVersionKind) bool { return k.Kind == user.kind })
		named := slices.ContainsFunc(u.removal.Inventory.Objects, func(r apply.Ref) bool { return r.Kind == user.kind })
		if l != nil && l.fate == fateRemoved && unlisted && !named {
			unseen = append(unseen, user.resource)
		}
	}
	return unseen
}

func usedBy(item *apply.Item) string {
	who := strings.TrimPrefix(item.Why, "it is not ours: ")
	return item.Ref.String() + " uses it, and is not ours: " + who
}
