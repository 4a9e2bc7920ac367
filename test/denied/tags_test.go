package denied

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestF7TagsThatDecide: uninstall deletes the bucket that a role names, and check accepts
// the policy that it names. A learner can set the one to their own bucket only and the
// other not at all; who installs for everybody can set neither to just anything.
func TestF7TagsThatDecide(t *testing.T) {
	t.Parallel()
	const own = "gwen-own"
	c := newClass(t, "gwen")
	user, gwen := c.learner(t, own)
	c.installs(t, user, "--new-project="+own)
	admin, err := c.User(t.Context(), "gwens-admin", "", printed(t, c.Bed, "--for", "install", "--bucket-pattern", "gwen-*-bucket"))
	must(t, err)
	role := world.RoleName(c.Issuer, own)
	const managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	for _, try := range []struct {
		what, key, value string
		learner, admin   bool
	}{
		{"the own bucket", "ostoy-s3/bucket", "gwen-own-bucket", true, true},
		{"a neighbour's bucket", "ostoy-s3/bucket", "gwen-other-bucket", false, true},
		{"a bucket of nobody's here", "ostoy-s3/bucket", "payroll-bucket", false, false},
		{"a managed policy", "ostoy-s3/policy", managed, false, true},
		{"no policy", "ostoy-s3/policy", "x", false, false},
		{"the own bucket again", "ostoy-s3/bucket", "gwen-own-bucket", true, true},
	} {
		for who, c := range map[string]struct {
			client *iam.Client
			may    bool
		}{"learner": {gwen.IAM(), try.learner}, "admin": {admin.IAM(), try.admin}} {
			_, err := c.client.TagRole(t.Context(), &iam.TagRoleInput{RoleName: &role, Tags: []iamtypes.Tag{{Key: aws.String(try.key), Value: aws.String(try.value)}}})
			if c.may {
				if err != nil {
					t.Errorf("%s, %s: %v", who, try.what, err)
				}
				continue
			}
			wantDenied(t, who+", "+try.what, err, "with an explicit deny in an identity-based policy")
		}
	}
	user.Run(t, "install", "-n", own, "--permissions-boundary", c.boundary, "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess").WantCode(t, 1).WantTalk(t, "iam:TagRole")
	run.Admin(c.Bed).Run(t, "uninstall", "-n", own, "--delete-data", "--adopt=role", "--yes").WantCode(t, done)
}
