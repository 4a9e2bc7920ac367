package denied

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// ownBucket allows what the caller's account and tags name.
const ownBucket = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket",
"Resource":"arn:aws:s3:::${aws:PrincipalTag/ostoy-s3/namespace}-bucket","Condition":{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}]}`

// TestVariablesOfTheCaller: a policy that names the bucket by a tag of the role and
// the account by a variable allows the bucket of the role's own project.
func TestVariablesOfTheCaller(t *testing.T) {
	t.Parallel()
	own, other := install(t, "own"), install(t, "other")
	c := class{Bed: run.TheBed(t)}
	name, policy := aws.String("variables"), aws.String("own")
	_, err := c.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: name, AssumeRolePolicyDocument: aws.String(everybody),
		Tags: []iamtypes.Tag{{Key: aws.String("ostoy-s3/namespace"), Value: &own.name}},
	})
	must(t, err)
	t.Cleanup(func() {
		_, err := c.IAM().DeleteRolePolicy(context.Background(), &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: policy})
		must(t, err)
		_, err = c.IAM().DeleteRole(context.Background(), &iam.DeleteRoleInput{RoleName: name})
		must(t, err)
	})
	_, err = c.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: policy, PolicyDocument: aws.String(ownBucket)})
	must(t, err)
	session := c.becomes(t, *name)
	must(t, objects{session.S3(), own.bucket()}.list(t))
	wantDenied(t, "another project's bucket", objects{session.S3(), other.bucket()}.list(t), "s3:ListBucket")
}
