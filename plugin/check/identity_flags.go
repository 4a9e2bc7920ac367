package check

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// roleFlags name the install's role, if it is not the one that install uses without them.
// Which one it is comes from the inventory, which an editor of the project can write. So
// the flags of a role that install creates and changes are given only if IAM has the role
// with the tags of this project: else that editor could have a cluster admin create a
// role with any path and name, which policies of the account may allow something. A role
// that is managed by something else is only used (--iam=skip), so any legal one is named.
func (i identityLook) roleFlags(ctx context.Context, inventory apply.Inventory) []string {
	arn, err := render.ParseARNOf(inventory.RoleARN, "iam", "role")
	if err != nil || !advice.RoleARN(inventory.RoleARN).Legal() || arn.Account != i.Facts.Account.Value {
		return nil
	}
	path, name := splitRole(arn)
	var flags []string
	if usual := render.RoleName(i.Facts.Issuer.Value, i.Namespace); name != usual {
		flags = append(flags, "--role-name", name)
	}
	if path != render.RolePath {
		flags = append(flags, "--role-path", path)
	}
	if len(flags) == 0 || inventory.RoleOrigin == apply.OriginExisting || i.isTagged(ctx, inventory.RoleARN) {
		return flags
	}
	return nil
}

// isTagged reports whether IAM has the role of this ARN with the tags of this project.
func (i identityLook) isTagged(ctx context.Context, arn string) bool {
	role, err := i.Role(ctx)
	return err == nil && role.Exists && role.ARN == arn && render.Ours(role.Tags, i.Facts)
}
