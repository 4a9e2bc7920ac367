package run

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// PolicyName is the name of the admission policy for Buckets and of its binding.
const PolicyName = "ostoy-s3-buckets"

// Policy is the admission policy for Buckets that the executable prints for a bed.
func Policy(t testing.TB, bed *testbed.Bed) string {
	t.Helper()
	out := Admin(bed).Run(t, "controller", "render", "--platform=rosa-classic", "--oidc-issuer="+bed.Issuer,
		"--cluster-id="+testbed.ClusterID, "--account-id="+testbed.Account, "--region="+testbed.Region, "--version=1.10.0").WantCode(t, 0)
	var some []string
	for _, document := range strings.Split(out.Stdout, "\n---\n") {
		if strings.Contains(document, "kind: ValidatingAdmissionPolicy") {
			some = append(some, document)
		}
	}
	if len(some) != 2 {
		t.Fatalf("the policy and its binding are not in %s", out)
	}
	return strings.Join(some, "\n---\n")
}

// Enforce gives a bed whose controller was installed by other means the admission
// policy, as "controller install" does. The API server needs a moment to judge by it.
func Enforce(t testing.TB, bed *testbed.Bed) {
	t.Helper()
	if err := bed.ApplyAs(t.Context(), "ostoy-s3", Policy(t, bed)); err != nil {
		t.Fatal(err)
	}
}
