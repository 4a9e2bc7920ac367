package check

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// roleFlags name the install's role as iam.Recall allows.
func (i identityLook) roleFlags(ctx context.Context, inventory apply.Inventory) []string {
	return iam.Recall(inventory.RoleARN, inventory.RoleOrigin == apply.OriginExisting, i.Facts, ifRead(ctx, i.Role))
}

// ifRead is a role for package iam, nil if it cannot be read.
func ifRead(ctx context.Context, read func(context.Context) (*iam.Actual, error)) func() *iam.Actual {
	return func() *iam.Actual {
		role, err := read(ctx)
		if err != nil {
			return nil
		}
		return role
	}
}
