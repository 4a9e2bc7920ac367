package check

import (
	"context"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// GivenRole is a role that somebody else makes: install uses it, if it is what the
// app needs, and changes nothing about it.
type GivenRole struct {
	ARN  string // that the manifests name
	Mend string // command that prints how the role has to be
}

// givenRole are the checks of an installed app's role, asked before it is
// installed: the same judgement, of the tokens that the app is going to have.
func (t Target) givenRole() []Check {
	i := identityLook{World: t.World, coming: t.GivenRole.Mend}
	checks := slices.DeleteFunc(append(i.roleChecks(), i.trustChecks()...), func(c Check) bool { return c.ID == idOrphaned })
	for n := range checks {
		checks[n].Group = Identity
		if checks[n].ID == IDRoleExists {
			checks[n].Needs = nil
			checks[n].Run = func(ctx context.Context) Finding { return i.givenRole(ctx, t.GivenRole.ARN) }
		}
	}
	return checks
}

// givenRole asks for the very role that the manifests name.
func (i identityLook) givenRole(ctx context.Context, arn string) Finding {
	if finding := i.roleThere(ctx); finding.Status != Passed {
		return finding
	}
	role, err := i.Role(ctx)
	if err != nil {
		return Fail(err)
	}
	if role.ARN == arn {
		return Pass()
	}
	next := "--role-name NAME and --role-path PATH of the role that is meant"
	if is, err := render.ParseARNOf(role.ARN, "iam", "role"); err == nil && advice.RoleARN(role.ARN).Legal() {
		next = shell.Words(advice.RoleFlags(is.Name(), is.Path())...)
	}
	return Refuse("the role "+i.RoleName(ctx)+" is "+advice.RoleARN(role.ARN).String()+", not "+arn,
		"the service account names its role by ARN, so path and account have to be the same", next)
}
