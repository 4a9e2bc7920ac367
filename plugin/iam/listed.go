package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
)

// RoleLister is what listing roles takes.
type RoleLister interface {
	ListRoles(context.Context, *awsiam.ListRolesInput, ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error)
}

// Listed is what a list tells of a role: who it trusts, but neither its tags nor
// what it may do.
type Listed struct {
	Name, ARN string
	Trust     string // as IAM gives it
}

// List gives the roles under a path, by ARN, whosever they are: one request for
// every 100. Those of apps are under render.RolePath. For a caller who may not list
// roles awserr.Denied(err) is true.
func List(ctx context.Context, api RoleLister, path string) (map[string]Listed, error) {
	all := map[string]Listed{}
	in := &awsiam.ListRolesInput{PathPrefix: aws.String(path)}
	for {
		out, err := api.ListRoles(ctx, in)
		if err != nil {
			return nil, awserr.Translate(err, "iam:ListRoles", "the roles of the path "+path)
		}
		for _, role := range out.Roles {
			arn := aws.ToString(role.Arn)
			all[arn] = Listed{aws.ToString(role.RoleName), arn, aws.ToString(role.AssumeRolePolicyDocument)}
		}
		if !out.IsTruncated || aws.ToString(out.Marker) == "" {
			return all, nil
		}
		in = &awsiam.ListRolesInput{PathPrefix: in.PathPrefix, Marker: out.Marker}
	}
}

// Glance looks at one role as a list would show it; one that is not there is nil,
// which is no error. It is for roles that a list does not have: under a path of
// the user's, or for a caller who may not list.
func Glance(ctx context.Context, api roleGetter, name string) (*Listed, error) {
	a, err := roleAlone(ctx, api, name)
	if err != nil || !a.Exists {
		return nil, err
	}
	return &Listed{Name: name, ARN: a.ARN, Trust: a.Trust}, nil
}

// TrustDrift says in a clause what a trust policy does instead of what it should,
// "" where it is as it should be.
func TrustDrift(desired Role, trust string) string {
	steps := trustSteps(desired, &Actual{Trust: trust})
	if len(steps) == 0 {
		return ""
	}
	return steps[0].Reason
}

// PolicyDrift reads the inline policy alone and says what it does instead of what
// it should, "" where it is as it should be. A role that is to have a managed
// policy instead has no drift here; one without the inline policy is asked for its
// tags, which say so.
func PolicyDrift(ctx context.Context, api Reader, desired Role) (string, error) {
	if desired.Policy == nil {
		return "", nil
	}
	out, err := api.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: aws.String(desired.Name), PolicyName: aws.String(PolicyName)})
	actual := &Actual{Exists: true}
	switch {
	case err == nil:
		actual.Inline = aws.ToString(out.PolicyDocument)
	case !awserr.Missing(err):
		return "", awserr.Translate(err, "iam:GetRolePolicy", "role "+desired.Name)
	default:
		tagged := &Actual{}
		if err := readRole(ctx, api, desired.Name, tagged); err != nil || tagged.namesPolicy() {
			return "", err
		}
	}
	steps := inlineSteps(desired, actual)
	if len(steps) == 0 {
		return "", nil
	}
	return steps[0].Reason, nil
}
