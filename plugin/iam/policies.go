package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
)

// ManagedPolicy is the text of a managed policy in its default version, as IAM
// gives it. It takes two requests, one after the other. Errors are explained;
// for a caller who may not look awserr.Denied(err) is true.
func ManagedPolicy(ctx context.Context, api PolicyReader, arn string) (string, error) {
	policy, err := api.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: aws.String(arn)})
	if err != nil {
		return "", awserr.Translate(err, "iam:GetPolicy", arn)
	}
	if policy == nil || policy.Policy == nil {
		return "", nil
	}
	version, err := api.GetPolicyVersion(ctx, &awsiam.GetPolicyVersionInput{
		PolicyArn: aws.String(arn), VersionId: policy.Policy.DefaultVersionId,
	})
	if err != nil {
		return "", awserr.Translate(err, "iam:GetPolicyVersion", arn)
	}
	if version == nil || version.PolicyVersion == nil {
		return "", nil
	}
	return aws.ToString(version.PolicyVersion.Document), nil
}

// InlinePolicy is the text of one of a role's inline policies, as IAM gives it.
func InlinePolicy(ctx context.Context, api Reader, role, policy string) (string, error) {
	text, err := inlineDocument(ctx, api, role, policy)
	return text, awserr.Translate(err, "iam:GetRolePolicy", "role "+role)
}
