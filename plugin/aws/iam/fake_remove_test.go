package iam

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

var (
	_ Remover = (*fake)(nil)
	_ Finder  = (*fake)(nil)
)

func (f *fake) DetachRolePolicy(ctx context.Context, in *awsiam.DetachRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.DetachRolePolicyOutput, error) {
	r, leave, err := f.on(ctx, "DetachRolePolicy", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	i := slices.Index(r.attached, aws.ToString(in.PolicyArn))
	if i < 0 {
		return nil, apiError("NoSuchEntity", "Policy "+aws.ToString(in.PolicyArn)+" was not found.")
	}
	r.attached = slices.Delete(r.attached, i, i+1)
	return &awsiam.DetachRolePolicyOutput{}, nil
}

// DeleteRole refuses as IAM does: in words that say what is in the way.
func (f *fake) DeleteRole(ctx context.Context, in *awsiam.DeleteRoleInput, _ ...func(*awsiam.Options)) (*awsiam.DeleteRoleOutput, error) {
	r, leave, err := f.on(ctx, "DeleteRole", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	switch {
	case len(r.inline) > 0:
		return nil, apiError("DeleteConflict", "Cannot delete entity, must delete policies first.")
	case len(r.attached) > 0:
		return nil, apiError("DeleteConflict", "Cannot delete entity, must detach all policies first.")
	}
	delete(f.roles, aws.ToString(in.RoleName))
	return &awsiam.DeleteRoleOutput{}, nil
}

// ListRoles gives no tags, as IAM's.
func (f *fake) ListRoles(ctx context.Context, in *awsiam.ListRolesInput, _ ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	leave, err := f.enter(ctx, "ListRoles")
	if err != nil {
		return nil, err
	}
	defer leave()
	var names []string
	for _, name := range keysOf(f.roles) {
		if strings.HasPrefix(f.roles[name].path, aws.ToString(in.PathPrefix)) {
			names = append(names, name)
		}
	}
	out := &awsiam.ListRolesOutput{}
	var page []string
	page, out.Marker, out.IsTruncated = f.cut(names, in.Marker)
	for _, name := range page {
		r := f.roles[name]
		out.Roles = append(out.Roles, types.Role{
			RoleName: aws.String(name), Arn: aws.String(r.arn), Path: aws.String(r.path),
			AssumeRolePolicyDocument: aws.String(url.PathEscape(r.trust)),
		})
	}
	return out, nil
}
