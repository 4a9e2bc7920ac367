package denied

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestRoleThatIsHidden: a caller whose permissions end at the path of the roles is refused
// when reading a role that does not exist, in the words for one that exists elsewhere. The
// role is created, and one that exists is not changed.
func TestRoleThatIsHidden(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	policy := printed(t, bed, "--for", "install")
	limited := strings.ReplaceAll(policy, `:role/*"`, `:role/ostoy-s3/*"`)
	if limited == policy {
		t.Fatal("the policy does not allow reading every role")
	}
	user, err := bed.User(t.Context(), "gil", "", limited)
	must(t, err)
	gil := run.Admin(bed).With(user.Env...)
	const unknown = "whether the role exists is not known"
	gil.Run(t, "install", "--new-project=gil-one").WantCode(t, done).WantTalk(t, unknown, "✔ verified")
	gil.Run(t, "install", "-n", "gil-one").WantCode(t, done).WantTalk(t, "nothing to change").WantNoTalk(t, unknown)

	const taken = "gil-two"
	role := world.RoleName(bed.Issuer, taken)
	_, err = bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &role, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`),
	})
	must(t, err)
	gil.Run(t, "install", "--new-project="+taken).WantCode(t, refused).
		WantTalk(t, "role "+role+" exists, and AWS refuses to show it", "ask an AWS administrator to allow iam:GetRole on role "+role)
	got, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	must(t, err)
	if len(got.Role.Tags) != 0 || !strings.Contains(unescaped(t, *got.Role.AssumeRolePolicyDocument), ":root") {
		t.Errorf("the role was changed: %+v", got.Role)
	}
	// uninstall says that it cannot see the role, and removes the rest.
	gil.Run(t, "uninstall", "-n", taken, "--delete-data", "--yes").WantCode(t, done).WantTalk(t, "role "+role, "AWS refuses to show it")
	policies, err := bed.IAM().ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &role})
	must(t, err)
	if len(policies.PolicyNames) != 0 {
		t.Errorf("the role has %v", policies.PolicyNames)
	}
}
