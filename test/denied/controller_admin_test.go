package denied

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestF8ControllerAdmin: the policy for controller is enough to install, restore and
// uninstall the controller, and for nothing on the role of an app. With the policy for
// install the controller's role is refused, also to a person who has the policy for
// controller as well, unless it was printed for such a person.
func TestF8ControllerAdmin(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.ROSAClassic, NoController: true, Enforce: true})
	ida, err := bed.User(t.Context(), "ida", "", printed(t, bed, "--for", "install"))
	must(t, err)
	run.Admin(bed).With(ida.Env...).Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, 1).
		WantTalk(t, "AWS refused iam:CreateRole on", "unless you print it with --with-controller")
	joe, err := bed.User(t.Context(), "joe", "", printed(t, bed, "--for", "install"), printed(t, bed, "--for", "controller"))
	must(t, err)
	_, err = joe.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("joes"), Path: aws.String("/ostoy-s3-controller/"), AssumeRolePolicyDocument: aws.String(everybody)})
	wantDenied(t, "the controller's role", err, "iam:CreateRole on resource", "with an explicit deny in an identity-based policy")

	coy, err := bed.User(t.Context(), "coy", "", printed(t, bed, "--for", "install", "--with-controller"), printed(t, bed, "--for", "controller"))
	must(t, err)
	admin := run.Admin(bed).With(coy.Env...)
	admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, done)
	var role struct{ Role string }
	admin.Run(t, "iam", "plan", "--for", "controller", "--bucket-pattern", "*-bucket", "-o", "json").WantCode(t, done).JSON(t, &role)
	name := role.Role[strings.LastIndex(role.Role, "/")+1:]
	_, err = bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("ostoy-s3"), PolicyDocument: aws.String(everything)})
	must(t, err)
	_, err = bed.IAM().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: aws.String(everybody)})
	must(t, err)
	admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, done)
	admin.Run(t, "controller", "status").WantCode(t, done)
	admin.Run(t, "controller", "uninstall").WantCode(t, done)
	if _, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil {
		t.Errorf("the role %s is still there", name)
	}
	wantRefusals(t, bed, coy)
	_, err = coy.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: aws.String("demo-ostoy-sa-00000000"), Path: aws.String("/ostoy-s3/"), AssumeRolePolicyDocument: aws.String(everybody),
	})
	wantDenied(t, "the role of an app without tags", err, "iam:CreateRole")
}
