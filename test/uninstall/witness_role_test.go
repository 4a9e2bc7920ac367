package uninstall

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testF7NoRightToTheRole: without permission to read the role nothing shows that the
// bucket is the project's.
func testF7NoRightToTheRole(t *testing.T, bed *testbed.Bed) {
	const namespace = "hidden-role"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	orders(t, bed.AWS.Deny(t.Context(), "iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:ListRoles"))
	uninstall(t, admin, 0, namespace, "--delete-data", "--keep-role", "--yes").WantTalk(t, "you are not allowed to read the role "+roleName(bed, namespace))
	if n := objectsIn(t, bed, namespace); n != 1 {
		t.Errorf("%d objects are left of 1", n)
	}
	orders(t, bed.AWS.Reset(t.Context()))
	uninstall(t, admin, 0, namespace, "--delete-data", "--yes")
	wantLeft(t, bed, namespace)
}
