package check

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// roleFlags name the install's role as iam.Recall allows.
func (i identityLook) roleFlags(ctx context.Context, inventory apply.Inventory) []string {
	return iam.Recall(inventory.RoleARN, inventory.RoleOrigin == apply.OriginExisting, i.Facts, func() *iam.Actual {
		role, err := i.Role(ctx)
		if err != nil {
			return nil
		}
		return role
	})
}
