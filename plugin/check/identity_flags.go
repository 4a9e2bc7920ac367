package check

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// roleFlags name the install's role as iam.Recall allows.
func (i identityLook) roleFlags(ctx context.Context, inventory apply.Inventory) []string {
	return iam.Recall(inventory.RoleARN, inventory.RoleOrigin == apply.OriginExisting, i.Facts, ifRead(ctx, i.Role))
}

// againWithout is again for a role that another tool manages, as the inventory says.
func (i identityLook) againWithout(ctx context.Context, inventory apply.Inventory) string {
	words, skip := iam.RecallUsed(inventory.RoleARN, i.Facts, ifRead(ctx, i.Role), ifRead(ctx, i.UsualRole))
	if !skip {
		return installIn(i.Namespace) + "\n" + advice.ManagedByOthers
	}
	return installIn(i.Namespace, append([]string{"--iam=skip"}, words...)...)
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
