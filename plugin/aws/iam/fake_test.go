package iam

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// facts are those of a made-up cluster.
func facts() render.Facts {
	return render.Facts{
		Namespace: render.Fact{Value: "demo"},
		ClusterID: render.Fact{Value: "11111111-aaaa-4bbb-8ccc-222222222222"},
		Issuer:    render.Fact{Value: "https://oidc.op1.openshiftapps.com/2abc"},
		Audience:  render.Fact{Value: render.DefaultAudience},
		Account:   render.Fact{Value: "123456789012"},
		Partition: render.Fact{Value: "aws"},
		Region:    render.Fact{Value: "us-east-2"},
	}
}

// role is one role in the fake.
type role struct {
	arn, path, trust, boundary string
	tags                       map[string]string
	inline                     map[string]string
	attached                   []string
}

// fake is an IAM with roles in memory. It counts requests, and before lets a
// test answer, block or change the world instead.
type fake struct {
	mu     sync.Mutex
	roles  map[string]*role
	calls  []string
	page   int // entries a list page, 0 for all
	before func(call string) error
}

var _ API = (*fake)(nil)

func newFake() *fake { return &fake{roles: map[string]*role{}} }

func apiError(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

func (f *fake) enter(ctx context.Context, call string) (func(), error) {
	f.mu.Lock()
	f.calls = append(f.calls, call)
	before := f.before
	f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if before != nil {
		if err := before(call); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	return f.mu.Unlock, nil
}

// on enters a call that needs the role.
func (f *fake) on(ctx context.Context, call string, name *string) (*role, func(), error) {
	leave, err := f.enter(ctx, call)
	if err != nil {
		return nil, nil, err
	}
	r, ok := f.roles[aws.ToString(name)]
	if !ok {
		leave()
		return nil, nil, apiError("NoSuchEntity", "The role with name "+aws.ToString(name)+" cannot be found.")
	}
	return r, leave, nil
}

// taken gives the calls since the last time.
func (f *fake) taken() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func (f *fake) GetRole(ctx context.Context, in *awsiam.GetRoleInput, _ ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	r, leave, err := f.on(ctx, "GetRole", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	out := &types.Role{
		Arn: &r.arn, Path: &r.path, RoleName: in.RoleName, Tags: toTags(r.tags),
		AssumeRolePolicyDocument: aws.String(url.PathEscape(r.trust)),
	}
	if r.boundary != "" {
		out.PermissionsBoundary = &types.AttachedPermissionsBoundary{PermissionsBoundaryArn: aws.String(r.boundary)}
	}
	return &awsiam.GetRoleOutput{Role: out}, nil
}

func (f *fake) GetRolePolicy(ctx context.Context, in *awsiam.GetRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error) {
	r, leave, err := f.on(ctx, "GetRolePolicy", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	doc, ok := r.inline[aws.ToString(in.PolicyName)]
	if !ok {
		return nil, apiError("NoSuchEntity", "The role policy with name "+aws.ToString(in.PolicyName)+" cannot be found.")
	}
	return &awsiam.GetRolePolicyOutput{PolicyName: in.PolicyName, PolicyDocument: aws.String(url.PathEscape(doc))}, nil
}

// cut gives one page of a list.
func (f *fake) cut(all []string, marker *string) (page []string, next *string, more bool) {
	from := len(aws.ToString(marker))
	if f.page == 0 || from+f.page >= len(all) {
		return all[from:], nil, false
	}
	return all[from : from+f.page], aws.String(strings.Repeat("x", from+f.page)), true
}

func (f *fake) ListRolePolicies(ctx context.Context, in *awsiam.ListRolePoliciesInput, _ ...func(*awsiam.Options)) (*awsiam.ListRolePoliciesOutput, error) {
	r, leave, err := f.on(ctx, "ListRolePolicies", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	out := &awsiam.ListRolePoliciesOutput{}
	out.PolicyNames, out.Marker, out.IsTruncated = f.cut(keysOf(r.inline), in.Marker)
	return out, nil
}

func (f *fake) ListAttachedRolePolicies(ctx context.Context, in *awsiam.ListAttachedRolePoliciesInput, _ ...func(*awsiam.Options)) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	r, leave, err := f.on(ctx, "ListAttachedRolePolicies", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	out := &awsiam.ListAttachedRolePoliciesOutput{}
	var page []string
	page, out.Marker, out.IsTruncated = f.cut(r.attached, in.Marker)
	for _, arn := range page {
		out.AttachedPolicies = append(out.AttachedPolicies, types.AttachedPolicy{PolicyArn: aws.String(arn)})
	}
	return out, nil
}

func (f *fake) CreateRole(ctx context.Context, in *awsiam.CreateRoleInput, _ ...func(*awsiam.Options)) (*awsiam.CreateRoleOutput, error) {
	leave, err := f.enter(ctx, "CreateRole")
	if err != nil {
		return nil, err
	}
	defer leave()
	name := aws.ToString(in.RoleName)
	if _, ok := f.roles[name]; ok {
		return nil, apiError("EntityAlreadyExists", "Role with name "+name+" already exists.")
	}
	f.roles[name] = &role{
		arn:  render.RoleARN("aws", "123456789012", aws.ToString(in.Path), name),
		path: aws.ToString(in.Path), trust: aws.ToString(in.AssumeRolePolicyDocument),
		boundary: aws.ToString(in.PermissionsBoundary), tags: fromTags(in.Tags), inline: map[string]string{},
	}
	return &awsiam.CreateRoleOutput{}, nil
}

func (f *fake) UpdateAssumeRolePolicy(ctx context.Context, in *awsiam.UpdateAssumeRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.UpdateAssumeRolePolicyOutput, error) {
	r, leave, err := f.on(ctx, "UpdateAssumeRolePolicy", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	r.trust = aws.ToString(in.PolicyDocument)
	return &awsiam.UpdateAssumeRolePolicyOutput{}, nil
}

func (f *fake) PutRolePolicy(ctx context.Context, in *awsiam.PutRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.PutRolePolicyOutput, error) {
	r, leave, err := f.on(ctx, "PutRolePolicy", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	r.inline[aws.ToString(in.PolicyName)] = aws.ToString(in.PolicyDocument)
	return &awsiam.PutRolePolicyOutput{}, nil
}

func (f *fake) DeleteRolePolicy(ctx context.Context, in *awsiam.DeleteRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error) {
	r, leave, err := f.on(ctx, "DeleteRolePolicy", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	delete(r.inline, aws.ToString(in.PolicyName))
	return &awsiam.DeleteRolePolicyOutput{}, nil
}

func (f *fake) AttachRolePolicy(ctx context.Context, in *awsiam.AttachRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.AttachRolePolicyOutput, error) {
	r, leave, err := f.on(ctx, "AttachRolePolicy", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	r.attached = append(r.attached, aws.ToString(in.PolicyArn))
	return &awsiam.AttachRolePolicyOutput{}, nil
}

func (f *fake) PutRolePermissionsBoundary(ctx context.Context, in *awsiam.PutRolePermissionsBoundaryInput, _ ...func(*awsiam.Options)) (*awsiam.PutRolePermissionsBoundaryOutput, error) {
	r, leave, err := f.on(ctx, "PutRolePermissionsBoundary", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	r.boundary = aws.ToString(in.PermissionsBoundary)
	return &awsiam.PutRolePermissionsBoundaryOutput{}, nil
}

func (f *fake) TagRole(ctx context.Context, in *awsiam.TagRoleInput, _ ...func(*awsiam.Options)) (*awsiam.TagRoleOutput, error) {
	r, leave, err := f.on(ctx, "TagRole", in.RoleName)
	if err != nil {
		return nil, err
	}
	defer leave()
	for k, v := range fromTags(in.Tags) {
		r.tags[k] = v
	}
	return &awsiam.TagRoleOutput{}, nil
}

// once makes a before that fails the n-th such call with err and no other.
func once(call string, n int, err error) func(string) error {
	var mu sync.Mutex
	return func(c string) error {
		mu.Lock()
		defer mu.Unlock()
		if c != call {
			return nil
		}
		n--
		if n == 0 {
			return err
		}
		return nil
	}
}

// desired is Desired where it cannot fail.
func desired(t *testing.T, f render.Facts, o RoleOptions) Role {
	t.Helper()
	r, err := Desired(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// install is what a run does with the role.
func install(t *testing.T, api API, f render.Facts, o RoleOptions, known bool) (*Plan, Result, error) {
	t.Helper()
	r := desired(t, f, o)
	actual, err := ToCreate(Read(t.Context(), api, r.Name, known))
	if err != nil {
		return nil, Result{}, err
	}
	plan, err := NewPlan(r, actual, f)
	if err != nil {
		return nil, Result{}, err
	}
	result, err := Execute(t.Context(), api, plan)
	return plan, result, err
}

// kinds are the kinds of steps.
func kinds(steps []Step) string {
	var list []string
	for _, s := range steps {
		list = append(list, string(s.Kind))
	}
	return strings.Join(list, " ")
}

// wantProblem asks for a *problem.Error of a kind whose parts hold the words.
func wantProblem(t *testing.T, err error, kind problem.Kind, words ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Fatalf("not a problem: %v", err)
	}
	if p.Kind != kind || p.What == "" || p.Why == "" || p.Next == "" {
		t.Errorf("kind %d, want %d; what %q why %q next %q", p.Kind, kind, p.What, p.Why, p.Next)
	}
	all := p.What + "\n" + p.Why + "\n" + p.Next
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("does not say %q:\n%s", w, all)
		}
	}
}
