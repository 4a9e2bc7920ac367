package denied

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestF8AdminStaysWithinPolicy: with the policy for install, no role is changed that
// does not have the tags of an app's role, none gets a tag that install does not set,
// and beside a policy that allows everything no boundary is taken off and the
// controller's role is not changed.
func TestF8AdminStaysWithinPolicy(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	ctx := t.Context()
	boundary, err := bed.Policy(ctx, "fay-boundary", printed(t, bed, "--for", "boundary", "--project", "fay-*"))
	must(t, err)
	policy := printed(t, bed, "--for", "install", "--permissions-boundary", boundary)
	fay, err := bed.User(ctx, "fay", "", policy)
	must(t, err)
	gus, err := bed.User(ctx, "gus", "", policy, everything)
	must(t, err)
	const apps, controllers = "/ostoy-s3/", "/ostoy-s3-controller/"
	tag := func(key, value string) iamtypes.Tag { return iamtypes.Tag{Key: &key, Value: &value} }
	tags := []iamtypes.Tag{tag("app.kubernetes.io/managed-by", "ostoy-s3"), tag("ostoy-s3/issuer", bed.Issuer), tag("ostoy-s3/namespace", "fay-x")}
	create := func(path, name string, tags ...iamtypes.Tag) *iam.CreateRoleInput {
		return &iam.CreateRoleInput{RoleName: &name, Path: &path, Tags: tags, AssumeRolePolicyDocument: aws.String(everybody), PermissionsBoundary: &boundary}
	}
	const bare, tagged, controller, old = "fay-bare-ostoy-sa-00000000", "fay-x-ostoy-sa-00000000", "fays-controller", "ack-s3-controller-fa000000"
	for name, path := range map[string]string{bare: apps, controller: controllers, old: apps} {
		_, err := bed.IAM().CreateRole(ctx, create(path, name))
		must(t, err)
	}

	_, err = fay.IAM().CreateRole(ctx, create(apps, tagged))
	wantDenied(t, "a role without tags", err, "iam:CreateRole")
	_, err = fay.IAM().CreateRole(ctx, create(apps, tagged, append(tags, tag("ostoy-s3/policy", "x"))...))
	wantDenied(t, "a role with a tag that install does not set", err, "iam:CreateRole")
	_, err = fay.IAM().CreateRole(ctx, create(apps, tagged, tags...))
	must(t, err)
	_, err = fay.IAM().UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(tagged), PolicyDocument: aws.String(everybody)})
	must(t, err)
	_, err = fay.IAM().TagRole(ctx, &iam.TagRoleInput{RoleName: aws.String(tagged), Tags: []iamtypes.Tag{tag("ostoy-s3/policy", "x")}})
	wantDenied(t, "a tag that install does not set", err, "iam:TagRole")
	_, err = fay.IAM().UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(bare), PolicyDocument: aws.String(everybody)})
	wantDenied(t, "the trust policy of a role without tags", err, "iam:UpdateAssumeRolePolicy")
	_, err = fay.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String(bare)})
	wantDenied(t, "removal of a role without tags", err, "iam:DeleteRole")

	_, err = gus.IAM().DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String(tagged)})
	wantDenied(t, "no boundary", err, "with an explicit deny in an identity-based policy")
	_, err = gus.IAM().CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: &boundary, PolicyDocument: aws.String(everything), SetAsDefault: true})
	wantDenied(t, "another boundary", err, "with an explicit deny in an identity-based policy")
	for _, role := range []string{controller, old} {
		for action, err := range changes(t, gus.IAM(), role, boundary, tags) {
			wantDenied(t, action+" on "+role, err, "with an explicit deny in an identity-based policy")
		}
	}
}
