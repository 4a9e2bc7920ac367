package plugin

import (
	"context"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Names of roles that earlier versions created are shorter than those of new ones. Such a
// role is kept. Which one a project has is known from its inventory, or from IAM. The
// inventory, which everybody who can edit the project can write, only chooses between the
// two names, and both belong to this project.

// settleRole decides which role the app has, and starts a new record of what exists.
func (i *install) settleRole(ctx context.Context, world *live.World) (iam.Role, error) {
	options, once := i.request.Role, &roleOnce{}
	if options.Name == "" {
		options.Name = usualNameIn(i.inventory.RoleARN, i.facts)
	}
	if options.Name == "" {
		usual := world.UsualRole(ctx, i.request.IAM == IAMSkip)
		options.Name = usual.Name
		once.asked = true // an error is one of the findings of the survey
		once.actual, once.err = iam.ToCreate(usual.Actual, usual.Err)
	}
	var err error
	once.desired, err = iam.Desired(i.facts, options)
	i.before = foundBefore{role: once}
	return once.desired, err
}

// usualNameIn is the name in the ARN of a role of this account, if it is one that the
// role of the project has without flags; "" otherwise.
func usualNameIn(recorded string, f render.Facts) string {
	arn, legal := roleNamed(recorded)
	if !legal || arn.Account != f.Account.Value || !slices.Contains(render.RoleNames(f.Issuer.Value, f.Namespace.Value), arn.Name()) {
		return ""
	}
	return arn.Name()
}
