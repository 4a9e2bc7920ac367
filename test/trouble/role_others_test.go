package trouble_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestPoliciesOfOthers: what others put on the role keeps verification from
// passing. The plan knows it: it says so with the one command that helps, nobody
// waits for IAM, and neither install nor verify advises install.
func TestPoliciesOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, c := range []struct {
		namespace, policy string
		foreseen, what    string
	}{
		{
			"others-wide", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:ListAllMyBuckets"],"Resource":"*"}]}`,
			"verification will fail: the role may s3:ListAllMyBuckets", "NOT REFUSED: ",
		},
		{
			"others-deny", `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:PutObject"],"Resource":"*"}]}`,
			"verification will fail: the role may not s3:PutObject, which OSToy needs", "may not s3:PutObject on",
		},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, c.namespace)
			admin, client, name := run.Admin(bed), bed.IAM(), world.RoleName(bed.Issuer, c.namespace)
			admin.Run(t, "install", "-n", c.namespace).WantCode(t, done)
			made, err := client.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("of-" + c.namespace), PolicyDocument: &c.policy})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: made.Policy.Arn}); err != nil {
				t.Fatal(err)
			}
			// A role that this run changes: IAM might have to spread that.
			if _, err := client.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("ostoy-s3")}); err != nil {
				t.Fatal(err)
			}
			wantForeseen(t, admin, c.namespace, c.foreseen, c.what, "aws iam detach-role-policy --role-name "+name+" --policy-arn "+*made.Policy.Arn)
			if _, err := client.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: made.Policy.Arn}); err != nil {
				t.Fatal(err)
			}
			admin.Run(t, "install", "-n", c.namespace).WantCode(t, done).WantNoTalk(t, "verification will fail")
		})
	}
}

// wantForeseen runs install and verify, which cannot pass: both say what helps, and
// nobody waits for IAM.
func wantForeseen(t *testing.T, user run.User, namespace, foreseen, what, cure string) {
	t.Helper()
	result := user.Run(t, "install", "-n", namespace).WantCode(t, refused)
	result.WantTalk(t, foreseen, what, "try   "+cure, "applied, not verified").WantNoTalk(t, "spreading", "try   oc ostoy-s3 install")
	user.Run(t, "verify", "-n", namespace, "--timeout=20s").WantCode(t, refused).
		WantTalk(t, what, "try   "+cure).WantNoTalk(t, "try   oc ostoy-s3 install")
}

// TestBoundaryOfOthers: an administrator's boundary that does not allow what OSToy
// needs. install does not take boundaries off, and does not advise it.
func TestBoundaryOfOthers(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "others-boundary"
	world.NewNamespace(t, bed, namespace)
	admin, client, name := run.Admin(bed), bed.IAM(), world.RoleName(bed.Issuer, namespace)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	made, err := client.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("edge-of-" + namespace), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get*","s3:List*"],"Resource":"*"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: &name, PermissionsBoundary: made.Policy.Arn}); err != nil {
		t.Fatal(err)
	}
	wantForeseen(t, admin, namespace, "verification will fail: the role may not s3:PutObject, which OSToy needs", "may not s3:PutObject on",
		"ask who set the permissions boundary "+*made.Policy.Arn+" to allow s3:PutObject")
}
