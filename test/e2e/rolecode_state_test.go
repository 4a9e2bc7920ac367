package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// roleState is all of a role that anybody decides.
type roleState struct {
	ARN, Path, Description, Boundary string
	MaxSession                       int32
	Trust                            any
	Tags                             map[string]string
	Inline                           map[string]any
	Attached                         []string
}

// stateOfRole reads a role, with its documents decoded.
func stateOfRole(t *testing.T, bed *testbed.Bed, name string) roleState {
	t.Helper()
	role := readRole(t, bed, name)
	state := roleState{
		ARN: *role.Arn, Path: *role.Path, MaxSession: *role.MaxSessionDuration, Trust: decodedPolicy(t, *role.AssumeRolePolicyDocument),
		Tags: tagsOf(role.Tags), Inline: map[string]any{}, Attached: attachedPolicies(t, bed, name),
	}
	if role.Description != nil {
		state.Description = *role.Description
	}
	if role.PermissionsBoundary != nil {
		state.Boundary = *role.PermissionsBoundary.PermissionsBoundaryArn
	}
	for _, policy := range inlinePolicies(t, bed, name) {
		found, err := bed.IAM().GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &policy})
		if err != nil {
			t.Fatal(err)
		}
		state.Inline[policy] = decodedPolicy(t, *found.PolicyDocument)
	}
	return state
}

// awsTags are tags as IAM takes them.
func awsTags(tags map[string]string) []iamtypes.Tag {
	var list []iamtypes.Tag
	for key, value := range tags {
		list = append(list, iamtypes.Tag{Key: &key, Value: &value})
	}
	return list
}

func decodedPolicy(t *testing.T, text string) any {
	t.Helper()
	text, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// wantRoleState wants a role to be the same as another look at it was.
func wantRoleState(t *testing.T, bed *testbed.Bed, name string, want roleState) {
	t.Helper()
	if diff := cmp.Diff(want, stateOfRole(t, bed, name)); diff != "" {
		t.Errorf("the role %s (-want +got):\n%s", name, diff)
	}
}

// shell is a person with the aws command line.
func shell(t *testing.T, bed *testbed.Bed, dir string, command ...string) (stdout, stderr string, code int) {
	t.Helper()
	bin, err := testbed.AWSCLI(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	bash, err := exec.LookPath(command[0])
	if err != nil && command[0] != "aws" {
		t.Fatal(err)
	}
	if command[0] == "aws" {
		bash = filepath.Join(bin, "aws")
	}
	cmd := exec.CommandContext(t.Context(), bash, command[1:]...)
	cmd.Dir = dir
	cmd.Env = append([]string{"LANG=C.UTF-8", "HOME=" + dir, "AWS_DEFAULT_REGION=" + testbed.Region, "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}, bed.AWSEnv()...)
	// A key of the tests' own: what the tool asked for is told from it. An empty
	// profile is none to the SDK, and an error to the command line.
	cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID=AKIATESTBEDHELPER001")
	cmd.Env = slices.DeleteFunc(cmd.Env, func(e string) bool { return e == "AWS_PROFILE=" })
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	var ended *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return out.String(), talk.String(), cmd.ProcessState.ExitCode()
}

// runScript runs a printed script and wants an exit code.
func runScript(t *testing.T, bed *testbed.Bed, script string, code int) (stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "role.sh")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, got := shell(t, bed, dir, "bash", path)
	if got != code {
		t.Fatalf("exit code %d, want %d\n%s\n%s%s", got, code, script, stdout, stderr)
	}
	return stdout, stderr
}

// forgetRole removes a role that a test has made, with its policies.
func forgetRole(t *testing.T, bed *testbed.Bed, name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	for _, policy := range inlinePolicies(t, bed, name) {
		if _, err := bed.IAM().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: &policy}); err != nil {
			t.Fatal(err)
		}
	}
	for _, policy := range attachedPolicies(t, bed, name) {
		if _, err := bed.IAM().DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: &policy}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bed.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &name}); err != nil {
		t.Fatal(err)
	}
}

// spoil makes trust and rights of a role somebody else's.
func spoil(t *testing.T, bed *testbed.Bed, name string) {
	t.Helper()
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	_, err := bed.IAM().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: ptr(trust)})
	if err == nil {
		_, err = bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: ptr("ostoy-s3"), PolicyDocument: ptr(policy)})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// byRequests sends what the JSON format holds, as its page says.
func byRequests(t *testing.T, bed *testbed.Bed, text string) {
	t.Helper()
	var requests map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &requests); err != nil {
		t.Fatal(err)
	}
	commands := map[string]string{"CreateRole": "create-role", "PutRolePolicy": "put-role-policy", "AttachRolePolicy": "attach-role-policy"}
	operations := slices.Sorted(maps.Keys(requests))
	slices.SortStableFunc(operations, func(a, _ string) int { // the role first
		if a == "CreateRole" {
			return -1
		}
		return 1
	})
	for _, operation := range operations {
		if _, stderr, code := shell(t, bed, t.TempDir(), "aws", "iam", commands[operation], "--cli-input-json", string(requests[operation])); code != 0 {
			t.Fatalf("%s: %s", operation, stderr)
		}
	}
}

// byTemplate makes a stack of a template and wants its output. Not by deploy, with
// which moto computes none.
func byTemplate(t *testing.T, bed *testbed.Bed, template, arn string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "role.yaml"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	stack := "stack-of-" + shortHash(arn)
	_, stderr, code := shell(t, bed, dir, "aws", "cloudformation", "create-stack", "--template-body", "file://role.yaml", "--stack-name", stack, "--capabilities", "CAPABILITY_NAMED_IAM")
	if code != 0 {
		t.Fatal(stderr)
	}
	out, stderr, code := shell(t, bed, dir, "aws", "cloudformation", "describe-stacks", "--stack-name", stack,
		"--query", "Stacks[0].Outputs[?OutputKey=='RoleArn'].OutputValue", "--output", "text")
	if code != 0 || strings.TrimSpace(out) != arn {
		t.Errorf("the stack's role is %q, want %s\n%s", out, arn, stderr)
	}
}
