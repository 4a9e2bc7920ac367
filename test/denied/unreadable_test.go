package denied

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestUnreadableRoleIsNotMissing: AWS refuses to read a role in the same words whether
// it exists or not. install says that, and creates none.
func TestUnreadableRoleIsNotMissing(t *testing.T) {
	t.Parallel()
	const name = "fay-one"
	bed := run.TheBed(t)
	role := world.RoleName(bed.Issuer, name)
	policy := printed(t, bed, "--for", "install")
	limited := strings.ReplaceAll(policy, `:role/*"`, `:role/ostoy-s3/*"`)
	if limited == policy {
		t.Fatal("the policy does not allow reading every role")
	}
	fay, err := bed.User(t.Context(), "fay", "", limited)
	must(t, err)
	run.Admin(bed).With(fay.Env...).Run(t, "install", "--new-project="+name).WantCode(t, failed).
		WantTalk(t, "AWS refused iam:GetRole on role "+role, "whether the role exists is not known", "ask an AWS administrator to allow iam:GetRole on role "+role)
	if _, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role}); err == nil {
		t.Error("the role was created")
	}
}
