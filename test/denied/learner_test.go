package denied

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestF8LearnerInstalls: the class policy is enough for all that a learner does, in
// the cluster a project admin.
func TestF8LearnerInstalls(t *testing.T) {
	t.Parallel()
	const name = "ann-one"
	c := newClass(t, "ann")
	user, ann := c.learner(t, name)
	t.Log(c.installs(t, user, "--new-project="+name).WantTalk(t, "✔ verified"))
	c.installs(t, user, "-n", name).WantTalk(t, "nothing to change")
	user.Run(t, "install", "-n", name, "--dry-run=client").WantCode(t, done)
	for _, command := range []string{"check", "verify", "status", "diff"} {
		user.Run(t, command, "-n", name).WantCode(t, done)
	}

	// A trust policy, tags and a permissions policy that somebody changed are restored.
	role := world.RoleName(c.Issuer, name)
	breakRole(t, c.Bed, role)
	c.installs(t, user, "-n", name).WantTalk(t, "✔ verified")

	user.Run(t, "uninstall", "-n", name, "--delete-data", "--yes").WantCode(t, done)
	if _, err := c.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role}); err == nil {
		t.Error("the role is still there")
	}
	// What others have is not for a learner to see.
	wantRefusals(t, c.Bed, ann, "GetRole on arn:aws:iam::123456789012:role/ostoy-sa-role",
		"ListBuckets on *", "ListOpenIDConnectProviders on arn:aws:iam::123456789012:role/", "ListRoles on arn:aws:iam::123456789012:role/")
}

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// breakRole changes the trust policy and the permissions policy of a role.
func breakRole(t *testing.T, bed *testbed.Bed, role string) {
	t.Helper()
	got, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	must(t, err)
	trust := strings.ReplaceAll(unescaped(t, *got.Role.AssumeRolePolicyDocument), ":ostoy-sa", ":default")
	_, err = bed.IAM().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: &trust})
	must(t, err)
	_, err = bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("ostoy-s3"), PolicyDocument: aws.String(everything)})
	must(t, err)
}

// TestF8LearnerChangesNoOtherRole: not the controller's, at its path, at the one that
// it had before or elsewhere, not another project's, not one whose tags somebody
// made to look like the learner's.
func TestF8LearnerChangesNoOtherRole(t *testing.T) {
	t.Parallel()
	const own, other = "bob-own", "bob-other"
	c := newClass(t, "bob")
	user, bob := c.learner(t, own)
	carol, _ := c.learner(t, other)
	c.installs(t, user, "--new-project="+own)
	c.installs(t, carol, "--new-project="+other)
	tags := []iamtypes.Tag{
		{Key: aws.String("app.kubernetes.io/managed-by"), Value: aws.String("ostoy-s3")},
		{Key: aws.String("ostoy-s3/issuer"), Value: &c.Issuer},
		{Key: aws.String("ostoy-s3/namespace"), Value: aws.String(own)},
	}
	for path, name := range map[string]string{"/ostoy-s3-controller/": "bobs-controller", "/ostoy-s3/": "ack-s3-controller-00000000", "/": "bobs-admin"} {
		_, err := c.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{
			RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(everybody), Tags: tags, PermissionsBoundary: &c.boundary,
		})
		must(t, err)
	}
	for _, role := range []string{"ack-s3-controller", "bobs-controller", "ack-s3-controller-00000000", "bobs-admin", world.RoleName(c.Issuer, other)} {
		for action, err := range changes(t, bob.IAM(), role, c.boundary, tags) {
			wantDenied(t, action+" on "+role, err, "iam:"+action+" on resource: role "+role)
		}
	}
	user.Run(t, "verify", "-n", own).WantCode(t, done)
	carol.Run(t, "verify", "-n", other).WantCode(t, done)
	uninstalled := user.Run(t, "uninstall", "-n", other, "--yes")
	if uninstalled.Code == done {
		t.Errorf("the learner uninstalls another project:\n%s", uninstalled)
	}
}

// everybody is a trust policy for the whole account.
const everybody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`

// changes tries everything that changes a role.
func changes(t *testing.T, client *iam.Client, role, boundary string, tags []iamtypes.Tag) map[string]error {
	t.Helper()
	ctx, policy, name := t.Context(), aws.String("arn:aws:iam::aws:policy/AdministratorAccess"), aws.String("ostoy-s3")
	errs := map[string]error{}
	_, errs["UpdateAssumeRolePolicy"] = client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &role, PolicyDocument: aws.String(everybody)})
	_, errs["PutRolePolicy"] = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: name, PolicyDocument: aws.String(everything)})
	_, errs["DeleteRolePolicy"] = client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: name})
	_, errs["AttachRolePolicy"] = client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &role, PolicyArn: policy})
	_, errs["DetachRolePolicy"] = client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &role, PolicyArn: policy})
	_, errs["TagRole"] = client.TagRole(ctx, &iam.TagRoleInput{RoleName: &role, Tags: tags})
	_, errs["UntagRole"] = client.UntagRole(ctx, &iam.UntagRoleInput{RoleName: &role, TagKeys: []string{"ostoy-s3/namespace"}})
	_, errs["PutRolePermissionsBoundary"] = client.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: &role, PermissionsBoundary: &boundary})
	_, errs["DeleteRolePermissionsBoundary"] = client.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: &role})
	_, errs["UpdateRole"] = client.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: &role})
	_, errs["DeleteRole"] = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &role})
	return errs
}

// TestF8LearnerStaysWithinBoundary: no role without it or beyond it, and none that
// passes for another project's.
func TestF8LearnerStaysWithinBoundary(t *testing.T) {
	t.Parallel()
	const own, neighbour = "dan-own", "dan-next"
	c := newClass(t, "dan")
	_, dan := c.learner(t, own)
	name, trust := world.RoleName(c.Issuer, own), aws.String(everybody)
	tags := func(namespace string, more ...string) []iamtypes.Tag {
		all := []iamtypes.Tag{
			{Key: aws.String("app.kubernetes.io/managed-by"), Value: aws.String("ostoy-s3")},
			{Key: aws.String("ostoy-s3/issuer"), Value: &c.Issuer},
			{Key: aws.String("ostoy-s3/namespace"), Value: &namespace},
		}
		for _, key := range more {
			all = append(all, iamtypes.Tag{Key: &key, Value: aws.String("x")})
		}
		return all
	}
	path, wide := aws.String("/ostoy-s3/"), aws.String("arn:aws:iam::aws:policy/AdministratorAccess")
	for what, input := range map[string]iam.CreateRoleInput{
		"without boundary":         {RoleName: &name, Path: path, Tags: tags(own)},
		"with another boundary":    {RoleName: &name, Path: path, Tags: tags(own), PermissionsBoundary: wide},
		"without tags":             {RoleName: &name, Path: path, PermissionsBoundary: &c.boundary},
		"with another's tags":      {RoleName: &name, Path: path, Tags: tags(neighbour), PermissionsBoundary: &c.boundary},
		"with a tag of others":     {RoleName: &name, Path: path, Tags: tags(own, "team"), PermissionsBoundary: &c.boundary},
		"with another's name":      {RoleName: aws.String(world.RoleName(c.Issuer, neighbour)), Path: path, Tags: tags(own), PermissionsBoundary: &c.boundary},
		"with any name":            {RoleName: aws.String("dans-admin"), Path: path, Tags: tags(own), PermissionsBoundary: &c.boundary},
		"at the controller's path": {RoleName: &name, Path: aws.String("/ostoy-s3-controller/"), Tags: tags(own), PermissionsBoundary: &c.boundary},
		"at another path":          {RoleName: &name, Path: aws.String("/"), Tags: tags(own), PermissionsBoundary: &c.boundary},
	} {
		input.AssumeRolePolicyDocument = trust
		_, err := dan.IAM().CreateRole(t.Context(), &input)
		wantDenied(t, "a role "+what, err, "iam:CreateRole on resource: arn:aws:iam::")
	}
	_, err := dan.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, Path: path, Tags: tags(own), PermissionsBoundary: &c.boundary, AssumeRolePolicyDocument: trust})
	must(t, err)

	// The role is the learner's, the boundary is not, nor what the role is tagged with.
	role := &name
	_, err = dan.IAM().DeleteRolePermissionsBoundary(t.Context(), &iam.DeleteRolePermissionsBoundaryInput{RoleName: role})
	wantDenied(t, "delete the boundary", err, "with an explicit deny in an identity-based policy")
	_, err = dan.IAM().PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: role, PermissionsBoundary: wide})
	wantDenied(t, "another boundary", err)
	_, err = dan.IAM().TagRole(t.Context(), &iam.TagRoleInput{RoleName: role, Tags: tags(neighbour)})
	wantDenied(t, "another's tags", err)
	_, err = dan.IAM().TagRole(t.Context(), &iam.TagRoleInput{RoleName: role, Tags: tags(own, "team")})
	wantDenied(t, "a tag of others", err)
	_, err = dan.IAM().TagRole(t.Context(), &iam.TagRoleInput{RoleName: role, Tags: tags(own, "ostoy-s3/policy")})
	wantDenied(t, "a tag of this tool that install does not set for a learner", err)
	_, err = dan.IAM().UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: role, TagKeys: []string{"ostoy-s3/namespace"}})
	wantDenied(t, "untag", err)
	for _, action := range []string{"CreatePolicyVersion", "DeletePolicy"} {
		if action == "DeletePolicy" {
			_, err = dan.IAM().DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: &c.boundary})
		} else {
			_, err = dan.IAM().CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: &c.boundary, PolicyDocument: aws.String(everything), SetAsDefault: true})
		}
		wantDenied(t, action+" of the boundary", err, fmt.Sprintf("iam:%s on resource: policy", action))
	}

	// A role that allows everything still cannot do more than its boundary.
	_, err = dan.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: role, PolicyName: aws.String("wide"), PolicyDocument: aws.String(everything)})
	must(t, err)
	_, err = dan.IAM().AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: role, PolicyArn: wide})
	must(t, err)
	for _, bucket := range []string{"dan-own-bucket", "payroll-bucket"} {
		_, err := c.S3().CreateBucket(t.Context(), bucketInput(bucket))
		must(t, err)
	}
	session := c.becomes(t, name)
	if err := (objects{session.S3(), "dan-own-bucket"}).put(t); err != nil {
		t.Errorf("the boundary allows the class's buckets: %v", err)
	}
	wantDenied(t, "another bucket", objects{session.S3(), "payroll-bucket"}.list(t), "because no permissions boundary allows the s3:ListBucket action")
	wantDenied(t, "delete", objects{session.S3(), "dan-own-bucket"}.remove(t, nil), "because no permissions boundary allows")
	_, err = session.S3().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String("payroll-bucket"), Policy: aws.String(everything)})
	wantDenied(t, "policy of another bucket", err, "because no permissions boundary allows")
	_, err = session.IAM().CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("dans-user")})
	wantDenied(t, "a user", err, "because no permissions boundary allows")
}
