package plugin

import (
	"context"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
)

// surveyBesideOthers surveys. If the bucket exists and there was no inventory, another
// install of the same project may have begun since this one read the project: then it
// is read again, and surveyed with what the other install has created so far.
func (i *install) surveyBesideOthers(ctx context.Context) error {
	err := i.survey(ctx)
	there := i.bucket.Kind != "" && i.bucket.Exists()
	if !there || i.inventory.Found || i.request.ProjectName == AnyProject || ctx.Err() != nil {
		return err
	}
	if !i.otherHasBegun(ctx) {
		return err
	}
	if err := i.mayGoOn(); err != nil {
		return err
	}
	return i.survey(ctx)
}

// otherHasBegun reads project and inventory again, and reports whether there is an
// inventory now. If they cannot be read, nothing has changed.
func (i *install) otherHasBegun(ctx context.Context) bool {
	name := i.facts.Namespace.Value
	now, err := lookAtProject(ctx, i.conn, name)
	if err != nil || !now.exists {
		return false
	}
	inventory, err := i.applier(name, false).ReadInventory(ctx)
	if err != nil || !inventory.Found || inventory.Foreign {
		return false
	}
	i.project, i.inventory = now, inventory
	return true
}

// bucketOrigin distinguishes a bucket that install creates from one that existed
// before, if the inventory does not say which it is. An existing bucket is one that
// an earlier install created if our Bucket resource manages it and the controller
// does not call it adopted. If the resource is missing, its tags say so together
// with our role and other objects of ours: an inventory was lost. The tags alone do
// not: a bucket that was kept when its project was deleted has them, too, whether it
// had been created or adopted.
func (i *install) bucketOrigin() string {
	if !i.bucket.Exists() {
		return apply.OriginCreated
	}
	ours := func(item *apply.Item) bool { return item.Live != nil && apply.Ours(item.Live) }
	for _, item := range i.plan.Items {
		if item.Ref.IsBucket() && ours(item) && ack.Managed(item.Live) {
			if ack.Adopted(item.Live) {
				return apply.OriginAdopted
			}
			return apply.OriginCreated
		}
	}
	ourRole := i.roleOrigin() == "" && !i.request.Role.Adopt && i.role != nil && !i.role.Creates()
	if i.bucket.Kind == bucket.Ours && ourRole && slices.ContainsFunc(i.plan.Items, ours) {
		return apply.OriginCreated
	}
	return apply.OriginAdopted
}
