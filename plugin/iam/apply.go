package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// apply does one step: one IAM request, safe to repeat.
func apply(ctx context.Context, api Writer, r Role, s Step) error {
	name := aws.String(r.Name)
	var err error
	switch s.Kind {
	case CreateRole:
		err = create(ctx, api, r, s)
	case PutBoundary:
		_, err = api.PutRolePermissionsBoundary(ctx, &awsiam.PutRolePermissionsBoundaryInput{
			RoleName: name, PermissionsBoundary: aws.String(s.PolicyARN),
		})
	case UpdateTrust:
		_, err = api.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{
			RoleName: name, PolicyDocument: aws.String(s.Document.JSON()),
		})
	case PutPolicy:
		_, err = api.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{
			RoleName: name, PolicyName: aws.String(s.PolicyName), PolicyDocument: aws.String(s.Document.JSON()),
		})
	case AttachPolicy:
		_, err = api.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String(s.PolicyARN)})
	case DetachPolicy:
		_, err = api.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: name, PolicyArn: aws.String(s.PolicyARN)})
		if awserr.Missing(err) {
			err = nil
		}
	case DeletePolicy:
		_, err = api.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String(s.PolicyName)})
		if awserr.Missing(err) {
			err = nil
		}
	case TagRole:
		_, err = api.TagRole(ctx, &awsiam.TagRoleInput{RoleName: name, Tags: toTags(s.Tags)})
	default:
		err = fmt.Errorf("step %q is not known", s.Kind)
	}
	return namePolicy(err, s)
}

func create(ctx context.Context, api Writer, r Role, s Step) error {
	in := &awsiam.CreateRoleInput{
		RoleName:                 aws.String(r.Name),
		Path:                     aws.String(r.Path),
		Description:              aws.String(r.Description),
		AssumeRolePolicyDocument: aws.String(s.Document.JSON()),
		Tags:                     toTags(s.Tags),
	}
	if s.PolicyARN != "" {
		in.PermissionsBoundary = aws.String(s.PolicyARN)
	}
	_, err := api.CreateRole(ctx, in)
	return err
}

// namePolicy explains a NoSuchEntity that is about the managed policy and not
// about the role: waiting does not heal it. IAM answers "Policy ARN does not exist or is
// not attachable." and, for a boundary, "Scope ARN: ARN does not exist or is
// not attachable."; CreateRole itself misses nothing but its boundary.
func namePolicy(err error, s Step) error {
	if !awserr.Missing(err) || s.PolicyARN == "" {
		return err
	}
	m := awserr.Message(err)
	if s.Kind != CreateRole && !strings.Contains(m, s.PolicyARN) && !strings.Contains(m, "not attachable") {
		return err
	}
	flag := "--policy-arn"
	if s.Kind != AttachPolicy {
		flag = "--permissions-boundary"
	}
	return &problem.Error{
		Kind: problem.Failed,
		What: "the policy " + s.PolicyARN + " does not exist",
		Why:  "AWS refused " + s.Action + " on " + s.Resource + ": " + m,
		Next: flag + " with an ARN that is in the output of: " + advice.Command("aws iam list-policies"),
		Err:  awserr.Cause(err),
	}
}
