package denied

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// printed is a policy as `iam policy` prints it.
func printed(t *testing.T, bed *testbed.Bed, args ...string) string {
	t.Helper()
	return run.Admin(bed).Run(t, append([]string{"iam", "policy"}, args...)...).WantCode(t, done).Stdout
}

// refusals are what AWS refused to a person, as "operation on resource".
func refusals(t *testing.T, bed *testbed.Bed, who testbed.Identity) []string {
	t.Helper()
	all, err := bed.AWS.Log(t.Context())
	must(t, err)
	var found []string
	for _, request := range all {
		if request.Status == http.StatusForbidden && request.Caller == who.ARN {
			found = append(found, request.Operation+" on "+request.Resource)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// class is a class on the bed: a boundary, and learners with the printed policy.
type class struct {
	*testbed.Bed
	boundary string
}

func newClass(t *testing.T, name string) class {
	t.Helper()
	bed := run.TheBed(t)
	boundary, err := bed.Policy(t.Context(), name+"-boundary", printed(t, bed, "--for", "boundary", "--project", name+"-*"))
	must(t, err)
	return class{bed, boundary}
}

// learner is a person who has one project, in the cluster and in AWS.
func (c class) learner(t *testing.T, project string) (run.User, testbed.Identity) {
	t.Helper()
	identity, err := c.User(t.Context(), project, "", printed(t, c.Bed, "--for", "class", "--permissions-boundary", c.boundary, "--project", project))
	must(t, err)
	return run.ProjectAdmin(t, c.Bed, project).With(identity.Env...), identity
}

// installs runs an install with the class's boundary.
func (c class) installs(t *testing.T, user run.User, args ...string) run.Result {
	t.Helper()
	return user.Run(t, append([]string{"install", "--permissions-boundary", c.boundary}, args...)...).WantCode(t, done)
}

// becomes is the session of a role that trusts the account.
func (c class) becomes(t *testing.T, role string) testbed.Identity {
	t.Helper()
	got, err := c.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &role})
	must(t, err)
	session, err := c.AssumeRole(t.Context(), *got.Role.Arn)
	must(t, err)
	return session
}

func bucketInput(name string) *s3.CreateBucketInput {
	return &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	}
}

// unescaped is a policy document as IAM has it, not as it sends it.
func unescaped(t *testing.T, text string) string {
	t.Helper()
	plain, err := url.QueryUnescape(text)
	must(t, err)
	return plain
}

// wantRefusals wants AWS to have refused a person these requests and no others. A
// role that does not exist is one of them: IAM then evaluates an ARN without path.
func wantRefusals(t *testing.T, bed *testbed.Bed, who testbed.Identity, want ...string) {
	t.Helper()
	slices.Sort(want)
	if have := refusals(t, bed, who); !slices.Equal(have, want) {
		t.Errorf("AWS refused %s\n%s\nwant\n%s", who.ARN, strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}
