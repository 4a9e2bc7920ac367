package controller

import (
	"context"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// fakeRole is an IAM with one role, that has the one inline policy of ours.
type fakeRole struct {
	world    *world
	name     string
	tags     map[string]string
	there    bool
	inline   bool
	attached []string
	denied   bool // nobody may delete it
}

var _ RoleRemover = (*fakeRole)(nil)

func (f *fakeRole) missing(name *string) error {
	if f.world.dead() {
		return context.Canceled
	}
	if !f.there || aws.ToString(name) != f.name {
		return &smithy.GenericAPIError{Code: "NoSuchEntity", Message: "no such role"}
	}
	return nil
}

func (f *fakeRole) describe() types.Role {
	role := types.Role{
		RoleName: aws.String(f.name), Path: aws.String(render.RolePath),
		Arn:                      aws.String(render.RoleARN("aws", testFacts().Account.Value, render.RolePath, f.name)),
		AssumeRolePolicyDocument: aws.String(url.PathEscape("{}")),
	}
	for key, value := range f.tags {
		role.Tags = append(role.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	return role
}

func (f *fakeRole) GetRole(_ context.Context, in *awsiam.GetRoleInput, _ ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	if err := f.missing(in.RoleName); err != nil {
		return nil, err
	}
	role := f.describe()
	return &awsiam.GetRoleOutput{Role: &role}, nil
}

func (f *fakeRole) ListRoles(_ context.Context, in *awsiam.ListRolesInput, _ ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	out := &awsiam.ListRolesOutput{}
	if f.there && strings.HasPrefix(aws.ToString(f.describe().Path), aws.ToString(in.PathPrefix)) {
		out.Roles = append(out.Roles, f.describe())
	}
	return out, nil
}

func (f *fakeRole) GetRolePolicy(_ context.Context, in *awsiam.GetRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error) {
	if err := f.missing(in.RoleName); err != nil || !f.inline {
		return nil, &smithy.GenericAPIError{Code: "NoSuchEntity", Message: "no such policy"}
	}
	return &awsiam.GetRolePolicyOutput{PolicyName: in.PolicyName, PolicyDocument: aws.String(url.PathEscape("{}"))}, nil
}

func (f *fakeRole) ListRolePolicies(context.Context, *awsiam.ListRolePoliciesInput, ...func(*awsiam.Options)) (*awsiam.ListRolePoliciesOutput, error) {
	out := &awsiam.ListRolePoliciesOutput{}
	if f.inline {
		out.PolicyNames = []string{"ostoy-s3"}
	}
	return out, nil
}

func (f *fakeRole) ListAttachedRolePolicies(context.Context, *awsiam.ListAttachedRolePoliciesInput, ...func(*awsiam.Options)) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	out := &awsiam.ListAttachedRolePoliciesOutput{}
	for _, arn := range f.attached {
		out.AttachedPolicies = append(out.AttachedPolicies, types.AttachedPolicy{PolicyArn: aws.String(arn)})
	}
	return out, nil
}

func (f *fakeRole) DeleteRolePolicy(_ context.Context, in *awsiam.DeleteRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error) {
	if err := f.missing(in.RoleName); err != nil {
		return nil, err
	}
	f.inline = false
	f.world.write("iam DeleteRolePolicy")
	return &awsiam.DeleteRolePolicyOutput{}, nil
}

func (f *fakeRole) DetachRolePolicy(context.Context, *awsiam.DetachRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DetachRolePolicyOutput, error) {
	return nil, &smithy.GenericAPIError{Code: "NoSuchEntity", Message: "not attached"}
}

func (f *fakeRole) DeleteRole(_ context.Context, in *awsiam.DeleteRoleInput, _ ...func(*awsiam.Options)) (*awsiam.DeleteRoleOutput, error) {
	if err := f.missing(in.RoleName); err != nil {
		return nil, err
	}
	if f.denied {
		return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform: iam:DeleteRole"}
	}
	if f.world.running() && !f.world.helm {
		f.world.fault("the role went while the controller runs")
	}
	f.there = false
	f.world.write("iam DeleteRole")
	return &awsiam.DeleteRoleOutput{}, nil
}
