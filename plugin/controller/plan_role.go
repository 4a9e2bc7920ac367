package controller

import (
	"cmp"
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// A role that is there is kept: where it is, because its path cannot be changed, with
// its pattern or managed policy, unless you asked for another. The name in the
// inventory is looked at first, then the usual one: names are unique in an account,
// so that one request finds a role under whatever path.

// lookAtRole reads the role that is there, and describes it as it should be. Where
// nothing says which pattern it is for, it has one that withPattern replaces: what
// the objects need of it is its ARN.
func (p *Plan) lookAtRole(ctx context.Context) (iam.Role, error) {
	if err := p.readRole(ctx); err != nil {
		return iam.Role{}, err
	}
	options := &p.options.Role
	*options = options.Keeping(p.actual, p.recordedPolicy(), p.facts)
	known := *options
	if known.PolicyARN == "" {
		known.BucketPattern = cmp.Or(known.BucketPattern, iam.OwnBucketPattern)
	}
	return iam.DesiredController(p.facts, known)
}

// readRole finds the role. One that the inventory names counts only if it is ours.
func (p *Plan) readRole(ctx context.Context) (err error) {
	usual := render.ControllerRoleName(p.facts.Issuer.Value)
	name := cmp.Or(p.options.Role.Name, usual)
	known := p.found.Inventory.Found
	if recorded := nameIn(p.found.Inventory.RoleARN, p.facts); p.options.Role.Name == "" && p.found.Inventory.Applied() && recorded != "" && recorded != usual {
		if p.actual, err = iam.Read(ctx, p.roles, recorded, true); err != nil {
			return err
		}
		if iam.ControllerOwns(recorded, p.actual, p.facts) {
			p.options.Role.Name = recorded
			return nil
		}
	}
	p.actual, err = iam.Read(ctx, p.roles, name, known)
	return err
}

// recordedPolicy is the managed policy that an earlier run attached. The inventory is
// in the controller's namespace, which only cluster admins write to.
func (p *Plan) recordedPolicy() string {
	if !p.found.Inventory.Applied() {
		return ""
	}
	return p.found.Inventory.PolicyARN
}

// withPattern asks for the bucket pattern of a role that has none, and gives the role
// with it.
func (p *Plan) withPattern(ctx context.Context, desired *iam.Role) (*iam.Role, error) {
	options := &p.options.Role
	if desired == nil || options.BucketPattern != "" || options.PolicyARN != "" {
		return desired, nil
	}
	exists := p.actual != nil && p.actual.Exists
	if p.options.ChoosePattern == nil {
		return nil, iam.NoBucketPattern(exists)
	}
	pattern, note, err := p.options.ChoosePattern(ctx, exists)
	if err != nil {
		return nil, err
	}
	if note != "" {
		p.Notes = append(p.Notes, note)
	}
	options.BucketPattern = pattern
	role, err := iam.DesiredController(p.facts, *options)
	return &role, err
}
