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
	recorded := usualNameIn(i.inventory.RoleARN, i.facts)
	switch {
	case options.Name != "":
	case recorded == "":
		also := iam.Counts{Trusting: i.request.IAM == IAMSkip, Any: options.Adopt}
		usual := world.UsualRole(ctx, also)
		if ctx.Err() != nil {
			return iam.Role{}, usual.Err
		}
		options.Name = usual.Name
		once.answer(usual.Actual, usual.Err)
	case recorded == render.EarlierRoleName(i.facts.Issuer.Value, i.facts.Namespace.Value):
		// If it does not exist, the role is a new one, with the name of a new one.
		actual, err := world.RoleOf(ctx, recorded)
		if ctx.Err() != nil {
			return iam.Role{}, err
		}
		if err == nil && !actual.Exists && i.request.IAM != IAMSkip {
			break
		}
		options.Name = recorded
		once.answer(actual, err)
	default:
		options.Name = recorded
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
