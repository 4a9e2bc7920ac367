package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// recallRole looks at the role of the last install where the flags name no
// other. What is on record is a hint: one that no role can have is passed over.
func (c *checkup) recallRole() {
	role := &c.install.request.Role
	arn, legal := roleNamed(c.inventory.RoleARN)
	if !legal || arn.Account != c.facts.Account.Value || role.Name != "" || role.Path != "" {
		return
	}
	named := *role
	named.Name = arn.Name()
	named.Path = arn.Path()
	if _, err := iam.Desired(c.facts, named); err == nil {
		*role = named
	}
}

// lookAtRole asks whether the next install may change the role. The role that
// other checks look at as well is asked for once.
func (c *checkup) lookAtRole(ctx context.Context) check.Finding {
	if c.inventory.RoleOrigin == apply.OriginExisting {
		return check.Leave("somebody else makes the role: it was installed with --iam=skip")
	}
	desired := c.before.role.desired
	actual, err := c.world.RoleOf(ctx, desired.Name)
	if awserr.Denied(err) {
		return check.Unseen("iam:GetRole on role "+desired.Name, "whether the role is free or ours")
	}
	if err == nil {
		_, err = iam.NewPlan(desired, actual, c.facts)
		if err != nil && c.inventory.RoleOrigin == apply.OriginAdopted {
			return check.Leave("the role was there before install, and is used as it is")
		}
	}
	return check.Fail(err)
}
