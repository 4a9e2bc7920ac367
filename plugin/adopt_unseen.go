package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// typedRole is the request for the role as you gave it: adoptRole acts only if you gave
// neither name nor path, and those that it adds are from the project, where everybody
// who can edit it can write them. Advice repeats only what you gave.
func (i *install) typedRole() RoleRequest {
	role := i.request.Role
	if i.adopted.found() {
		role.Name, role.Path = "", ""
	}
	return role
}

// usesUnseenRole decides about a role that the project names and that you are not allowed
// to read. If the role that install uses without flags is this project's, the app keeps
// that one. Otherwise nothing shows which role the app has, and only --adopt uses the one
// that the project names.
func (i *install) usesUnseenRole(ctx context.Context, named iam.Role) (bool, error) {
	own, proven, err := i.provenRole(ctx)
	if err != nil {
		return false, err
	}
	what := "the role " + advice.RoleARN(named.ARN).String()
	switch {
	case proven && !i.request.Tighten:
		i.adopted.passed = append(i.adopted.passed, what+", which the project names, is not used, and stays as it is: AWS does not let you read it, and the role "+own.Label()+" is this project's")
		return false, nil
	case i.request.Tighten:
		return false, &problem.Error{
			Kind: problem.Refused, What: what + " is not tightened", Why: "AWS does not let you read it: it is not known who uses it",
			Next: "ask an AWS administrator to allow iam:GetRole on it, or leave out --tighten-role",
		}
	case i.request.Adopt.Tutorial():
		return true, nil
	}
	return false, &problem.Error{
		Kind: problem.Refused,
		What: "it is not known which role the app has",
		Why: "the inventory in the project names " + what + ", and AWS does not let you read it; " +
			"everybody who can edit the project can write the inventory",
		Next: "if the app has this role: " + advice.Command("oc ostoy-s3 install", "-n", i.facts.Namespace.Value, "--adopt") + " uses it as it is\n" +
			"if it has another one: --role-name NAME and --role-path PATH of it",
	}
}

// provenRole is the role that install uses without flags, and whether IAM has it with the
// tags of this project.
func (i *install) provenRole(ctx context.Context) (iam.Role, bool, error) {
	name, actual, err := iam.Usual(ctx, iam.New(i.found.AWS.In(i.facts.Region)), i.facts, iam.Counts{})
	options := i.request.Role
	options.Name = name
	own, invalid := iam.Desired(i.facts, options)
	switch {
	case invalid != nil:
		return own, false, invalid
	case awserr.Denied(err):
		return own, false, nil
	case err != nil:
		return own, false, err
	}
	_, foreign := iam.NewPlan(own, actual, i.facts)
	return own, actual.Exists && foreign == nil, nil
}
