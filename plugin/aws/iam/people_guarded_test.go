package iam

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// guarded is the fake for a person with a policy: it gives each change the
// condition keys that IAM gives it, and refuses what the policy does not allow.
type guarded struct {
	*fake
	t      *testing.T
	policy Document
}

// check refuses an action on a role that exists; boundary is what the request sets.
func (g guarded) check(action string, name *string, boundary string, tags []types.Tag) error {
	r := g.roles[aws.ToString(name)]
	if r == nil {
		return nil // the fake answers that there is no such role
	}
	keys := tagging(fromTags(tags))
	for key, value := range r.tags {
		keys["aws:ResourceTag/"+key] = []string{value}
	}
	if boundary == "" {
		boundary = r.boundary
	}
	if boundary != "" {
		keys["iam:PermissionsBoundary"] = []string{boundary}
	}
	return g.decide(action, r.arn, keys)
}

func (g guarded) decide(action, resource string, keys map[string][]string) error {
	if allowed(g.t, g.policy, asked{action, resource, keys}) {
		return nil
	}
	return apiError("AccessDenied", "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: "+action+
		" on resource: "+resource+" because no identity-based policy allows the "+action+" action")
}

func (g guarded) CreateRole(ctx context.Context, in *awsiam.CreateRoleInput, o ...func(*awsiam.Options)) (*awsiam.CreateRoleOutput, error) {
	keys := tagging(fromTags(in.Tags))
	if in.PermissionsBoundary != nil {
		keys["iam:PermissionsBoundary"] = []string{*in.PermissionsBoundary}
	}
	arn := account + "role" + aws.ToString(in.Path) + aws.ToString(in.RoleName)
	for _, action := range []string{"iam:CreateRole", "iam:TagRole"} {
		if err := g.decide(action, arn, keys); err != nil {
			return nil, err
		}
	}
	return g.fake.CreateRole(ctx, in, o...)
}

func (g guarded) UpdateAssumeRolePolicy(ctx context.Context, in *awsiam.UpdateAssumeRolePolicyInput, o ...func(*awsiam.Options)) (*awsiam.UpdateAssumeRolePolicyOutput, error) {
	if err := g.check("iam:UpdateAssumeRolePolicy", in.RoleName, "", nil); err != nil {
		return nil, err
	}
	return g.fake.UpdateAssumeRolePolicy(ctx, in, o...)
}

func (g guarded) PutRolePolicy(ctx context.Context, in *awsiam.PutRolePolicyInput, o ...func(*awsiam.Options)) (*awsiam.PutRolePolicyOutput, error) {
	if err := g.check("iam:PutRolePolicy", in.RoleName, "", nil); err != nil {
		return nil, err
	}
	return g.fake.PutRolePolicy(ctx, in, o...)
}

func (g guarded) PutRolePermissionsBoundary(ctx context.Context, in *awsiam.PutRolePermissionsBoundaryInput, o ...func(*awsiam.Options)) (*awsiam.PutRolePermissionsBoundaryOutput, error) {
	if err := g.check("iam:PutRolePermissionsBoundary", in.RoleName, aws.ToString(in.PermissionsBoundary), nil); err != nil {
		return nil, err
	}
	return g.fake.PutRolePermissionsBoundary(ctx, in, o...)
}

func (g guarded) TagRole(ctx context.Context, in *awsiam.TagRoleInput, o ...func(*awsiam.Options)) (*awsiam.TagRoleOutput, error) {
	if err := g.check("iam:TagRole", in.RoleName, "", in.Tags); err != nil {
		return nil, err
	}
	return g.fake.TagRole(ctx, in, o...)
}

func (g guarded) DeleteRolePolicy(ctx context.Context, in *awsiam.DeleteRolePolicyInput, o ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error) {
	if err := g.check("iam:DeleteRolePolicy", in.RoleName, "", nil); err != nil {
		return nil, err
	}
	return g.fake.DeleteRolePolicy(ctx, in, o...)
}

func (g guarded) DeleteRole(ctx context.Context, in *awsiam.DeleteRoleInput, o ...func(*awsiam.Options)) (*awsiam.DeleteRoleOutput, error) {
	if err := g.check("iam:DeleteRole", in.RoleName, "", nil); err != nil {
		return nil, err
	}
	return g.fake.DeleteRole(ctx, in, o...)
}

// TestF8InstallUnderTheClassPolicy: every request of install and uninstall fits the
// class policy: tags and boundary are in the one CreateRole, and a role without the
// boundary gets it before it is changed.
func TestF8InstallUnderTheClassPolicy(t *testing.T) {
	f := facts()
	role := desired(t, f, RoleOptions{})
	g := guarded{newFake(), t, policyOf(t, PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{f.Namespace.Value}})}
	within := RoleOptions{Boundary: theBoundary}
	remove := func() error {
		actual, err := Read(t.Context(), g, role.Name, false)
		if err != nil {
			return err
		}
		plan, err := RemovalPlan(actual, f, RemovalOptions{Name: role.Name})
		if err == nil {
			_, err = Remove(t.Context(), g, plan)
		}
		return err
	}

	if _, result, err := install(t, g, f, within, false); err != nil || !result.Created {
		t.Fatal(result, err)
	}
	r := g.roles[role.Name]
	r.trust, r.inline[PolicyName] = `{"Version":"2012-10-17","Statement":[]}`, `{"Version":"2012-10-17","Statement":[]}`
	delete(r.tags, "ostoy-s3/cluster-id")
	if _, result, err := install(t, g, f, within, false); err != nil || kinds(result.Done) != "update-trust tag-role put-policy" {
		t.Fatal(kinds(result.Done), err)
	}

	r.boundary, r.inline[PolicyName] = "", `{"Version":"2012-10-17","Statement":[]}`
	wantProblem(t, remove(), problem.Failed, "iam:DeleteRolePolicy", "oc ostoy-s3 iam policy")
	if _, result, err := install(t, g, f, within, false); err != nil || kinds(result.Done) != "put-boundary put-policy" {
		t.Fatal(kinds(result.Done), err)
	}
	if err := remove(); err != nil || g.roles[role.Name] != nil {
		t.Fatal(err)
	}

	_, _, err := install(t, g, f, RoleOptions{}, false)
	if !awserr.Denied(err) {
		t.Fatal(err)
	}
	wantProblem(t, err, problem.Failed, "iam:CreateRole", "--permissions-boundary ARN", "oc ostoy-s3 iam policy --for install (for a learner of a class: --for class)")
}
