package uninstall

import (
	"context"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// hiddenRoles is an IAM that refuses to show roles, as it does where a caller may read
// only a path and the role does not exist.
type hiddenRoles struct{ roleClient }

func (hiddenRoles) refuse(action string, role *string) error {
	return &smithy.GenericAPIError{Code: "AccessDenied", Message: "User: arn:aws:iam::123456789012:user/gil is not authorized to perform: " + action +
		" on resource: role " + *role + " because no identity-based policy allows the " + action + " action"}
}

func (h hiddenRoles) GetRole(_ context.Context, in *awsiam.GetRoleInput, _ ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	return nil, h.refuse("iam:GetRole", in.RoleName)
}

func (h hiddenRoles) GetRolePolicy(_ context.Context, in *awsiam.GetRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error) {
	return nil, h.refuse("iam:GetRolePolicy", in.RoleName)
}

func (h hiddenRoles) ListRolePolicies(_ context.Context, in *awsiam.ListRolePoliciesInput, _ ...func(*awsiam.Options)) (*awsiam.ListRolePoliciesOutput, error) {
	return nil, h.refuse("iam:ListRolePolicies", in.RoleName)
}

func (h hiddenRoles) ListAttachedRolePolicies(_ context.Context, in *awsiam.ListAttachedRolePoliciesInput, _ ...func(*awsiam.Options)) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	return nil, h.refuse("iam:ListAttachedRolePolicies", in.RoleName)
}

// TestHiddenRole: a role that AWS does not show does not keep the rest from being removed,
// and is not called gone.
func TestHiddenRole(t *testing.T) {
	e := removing()
	usual := render.RoleName("https://oidc.example.com/1", "demo")
	e.app.removal.Inventory.RoleARN = "arn:aws:iam::123456789012:role/ostoy-s3/" + usual
	var err error
	if e.role, err = findRole(t.Context(), e.app, secretive{}); err != nil {
		t.Fatal(err)
	}
	lines, _ := decideRole(*e)
	l := lines.One(removal.Role)
	if l == nil || l.Fate != removal.Kept || l.Object != "role "+usual || !strings.Contains(l.Next, "iam:GetRole on role "+usual) {
		t.Errorf("%+v", l)
	}
}
