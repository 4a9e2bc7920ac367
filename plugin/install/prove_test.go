package install

import (
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
)

// TestF2ProofFlags: the commands that verification prints after an install repeat what you
// gave, --iam=skip included, and no role that only the project names.
func TestF2ProofFlags(t *testing.T) {
	const tighten = "oc ostoy-s3 install -n demo --adopt --tighten-role"
	named := iam.Role{ARN: "arn", Name: "MALLORY-ROLE", Path: "/mallory-path/"}
	for name, c := range map[string]struct {
		request Request
		adopted plan.Adopted
		words   []string
		narrow  string
	}{
		"usual":      {},
		"your role":  {request: Request{Role: iam.RoleOptions{Name: "r"}}, words: []string{"--role-name", "r"}},
		"--iam=skip": {request: Request{IAM: plan.IAMSkip, Role: iam.RoleOptions{Name: "r", Path: "/p/"}}, words: []string{"--role-name", "r", "--role-path", "/p/", "--iam=skip"}},
		"adopted":    {adopted: plan.Adopted{Wanted: named, AsIs: true}, narrow: tighten},
		"tightened":  {adopted: plan.Adopted{Wanted: named}},
	} {
		d := plan.Desired{Adopted: c.adopted}
		d.Project.Facts.Namespace.Value = "demo"
		if got := proofFlags(c.request).Words(); !slices.Equal(got, c.words) || narrow(d) != c.narrow {
			t.Errorf("%s: %q and %q, want %q and %q", name, got, narrow(d), c.words, c.narrow)
		}
	}
}
