package controller

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// oneRole is an IAM with one role, which is only read.
type oneRole struct {
	iam.API
	role iam.Role
}

func (o oneRole) GetRole(context.Context, *awsiam.GetRoleInput, ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	role := &types.Role{
		Arn: aws.String(o.role.ARN), Path: aws.String("/ostoy-s3-controller/"), RoleName: aws.String(o.role.Name),
		AssumeRolePolicyDocument: aws.String(o.role.Trust.JSON()),
	}
	for key, value := range o.role.Tags {
		role.Tags = append(role.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	return &awsiam.GetRoleOutput{Role: role}, nil
}

func (o oneRole) GetRolePolicy(context.Context, *awsiam.GetRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error) {
	return &awsiam.GetRolePolicyOutput{PolicyDocument: aws.String(o.role.Policy.JSON())}, nil
}

func (o oneRole) ListRolePolicies(context.Context, *awsiam.ListRolePoliciesInput, ...func(*awsiam.Options)) (*awsiam.ListRolePoliciesOutput, error) {
	return &awsiam.ListRolePoliciesOutput{PolicyNames: []string{iam.PolicyName}}, nil
}

func (o oneRole) ListAttachedRolePolicies(context.Context, *awsiam.ListAttachedRolePoliciesInput, ...func(*awsiam.Options)) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	return &awsiam.ListAttachedRolePoliciesOutput{}, nil
}

// patternRecord is the controller's inventory with a role and its bucket pattern.
func patternRecord(manager, role, pattern string) apply.Inventory {
	live := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"roleARN": role, "bucketPattern": pattern}}}
	live.SetManagedFields(appliedBy(manager))
	return apply.Controller().InventoryOf(live)
}

// planOfRole plans a role that exists, with what is recorded and given.
func planOfRole(t *testing.T, role iam.Role, record apply.Inventory, pattern string) *Plan {
	t.Helper()
	given := iam.ControllerOptions{BucketPattern: pattern}
	p := &Plan{
		Mode:    ByOLM,
		Objects: &apply.Plan{},
		basis:   basis{facts: factsOfRole(), roles: oneRole{role: role}, options: Options{Role: given}, found: &Found{Inventory: record}},
	}
	// Given, so that no recorded role is looked at before it.
	p.options.Role.Name = role.Name
	desired, err := lookAtRole(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if p.Role, err = iam.NewPlan(desired, p.actual, p.facts); err != nil {
		t.Fatal(err)
	}
	recordPattern(p, given)
	return p
}

func factsOfRole() render.Facts {
	f := testFacts()
	f.Audience = render.Fact{Value: render.DefaultAudience}
	return f
}

func roleOf(t *testing.T, pattern string) iam.Role {
	t.Helper()
	role, err := iam.DesiredController(factsOfRole(), iam.ControllerOptions{BucketPattern: pattern})
	if err != nil {
		t.Fatal(err)
	}
	return role
}

// TestF1RecordIsWider: a record that somebody edited gives the role nothing.
func TestF1RecordIsWider(t *testing.T) {
	role := roleOf(t, "ostoy-*")
	p := planOfRole(t, role, patternRecord(apply.Manager, role.ARN, "*"), "")
	if p.options.Role.BucketPattern != "ostoy-*" || p.Objects.Inventory.BucketPattern != "ostoy-*" || !p.Role.Empty() {
		t.Errorf("%+v, %+v", p.options.Role, p.Role.Steps)
	}
	if !strings.Contains(p.Drift, "which is not narrower: the role keeps its policy") {
		t.Error(p.Drift)
	}
}

// TestF1PatternOfTheRole: the recorded bucket pattern counts more than the policy of the
// role, your flag more than both, and what is done about a difference is said.
func TestF1PatternOfTheRole(t *testing.T) {
	wide := roleOf(t, "*")
	const other = "arn:aws:iam::123456789012:role/ostoy-s3-controller/other"
	for name, c := range map[string]struct {
		manager, role, recorded, given string
		want                           string
		changes                        bool
		drift, note                    string
	}{
		"the policy was widened":       {apply.Manager, wide.ARN, "ostoy-*", "", "ostoy-*", true, "has the bucket pattern *; the recorded bucket pattern is ostoy-* and is restored", ""},
		"you give the recorded one":    {apply.Manager, wide.ARN, "ostoy-*", "ostoy-*", "ostoy-*", true, "is restored", ""},
		"you give another":             {apply.Manager, wide.ARN, "ostoy-*", "team-*", "team-*", true, "it becomes team-*", ""},
		"you give that of the policy":  {apply.Manager, wide.ARN, "ostoy-*", "*", "*", false, "it becomes *", ""},
		"as recorded":                  {apply.Manager, wide.ARN, "*", "", "*", false, "", ""},
		"nothing recorded":             {apply.Manager, wide.ARN, "", "", "*", false, "", "is read from the policy ostoy-s3 of the role, because none is recorded"},
		"nothing recorded, and a flag": {apply.Manager, wide.ARN, "", "*", "*", false, "", ""},
		"recorded of another role":     {apply.Manager, other, "ostoy-*", "", "*", false, "", "none is recorded"},
		"recorded is not a pattern":    {apply.Manager, wide.ARN, "A B", "", "*", false, "", "none is recorded"},
		"not recorded by this tool":    {"kubectl-edit", wide.ARN, "ostoy-*", "", "*", false, "", "none is recorded"},
	} {
		t.Run(name, func(t *testing.T) {
			p := planOfRole(t, wide, patternRecord(c.manager, c.role, c.recorded), c.given)
			changes := slices.ContainsFunc(p.Role.Steps, func(s iam.Step) bool { return s.Kind == iam.PutPolicy })
			if got := p.Objects.Inventory.BucketPattern; got != c.want || p.options.Role.BucketPattern != c.want || changes != c.changes {
				t.Errorf("records %q, changes the policy: %t", got, changes)
			}
			if (p.Drift == "") != (c.drift == "") || !strings.Contains(p.Drift, c.drift) {
				t.Errorf("drift %q", p.Drift)
			}
			if notes := strings.Join(p.Notes, "\n"); (notes == "") != (c.note == "") || !strings.Contains(notes, c.note) {
				t.Errorf("notes %q", notes)
			}
		})
	}
}
