package trouble_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const rolePath = "/ostoy-s3/"

// strangersTrust lets nobody of any cluster in.
const strangersTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

func makeRole(t *testing.T, bed *testbed.Bed, name, path string, tags map[string]string) {
	t.Helper()
	input := &iam.CreateRoleInput{RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(strangersTrust)}
	for key, value := range tags {
		input.Tags = append(input.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	if _, err := bed.IAM().CreateRole(t.Context(), input); err != nil {
		t.Fatal(err)
	}
}

// trustOf is a role's trust policy as JSON.
func trustOf(t *testing.T, bed *testbed.Bed, name string) string {
	t.Helper()
	got, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		t.Fatal(err)
	}
	text, err := url.QueryUnescape(*got.Role.AssumeRolePolicyDocument)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRoleForeign(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	twin := ourTags(bed, "role-cluster")
	twin["ostoy-s3/cluster-id"] = "11111111-2222-4333-8444-555555555555"
	for _, c := range []struct {
		namespace string
		tags      map[string]string
		why       string
	}{
		{"role-plain", nil, "it has no tags"},
		{"role-tagged", map[string]string{"owner": "billing"}, "its tags are not ours (owner=billing)"},
		{"role-cluster", twin, "the cluster 11111111-2222-4333-8444-555555555555 made it"},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, c.namespace)
			name := world.RoleName(bed.Issuer, c.namespace)
			makeRole(t, bed, name, rolePath, c.tags)
			wantRefused(t, run.Admin(bed), c.namespace, refused, message{"role … " + name + " is there and is not ours", c.why, "--role-name … --adopt=role"})
			run.Admin(bed).Run(t, "install", "-n", c.namespace, "--adopt=role").WantCode(t, done).WantTalk(t, "taken over")
			wantTrusted(t, bed, name, c.namespace)
		})
	}
}

// wantTrusted wants a role that lets in this cluster's app and nobody else.
func wantTrusted(t *testing.T, bed *testbed.Bed, name, namespace string) {
	t.Helper()
	trust := trustOf(t, bed, name)
	host := strings.TrimPrefix(bed.Issuer, "https://")
	for _, piece := range []string{"oidc-provider/" + host, "system:serviceaccount:" + namespace + ":ostoy-sa"} {
		if !strings.Contains(trust, piece) {
			t.Errorf("the trust policy lacks %s: %s", piece, trust)
		}
	}
	if n := strings.Count(trust, `"Effect"`); n != 1 {
		t.Errorf("the trust policy has %d statements: %s", n, trust)
	}
}

func TestRoleElsewhere(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace, given = "role-path", "given-to-role-path"
	world.NewNamespace(t, bed, namespace)
	name := world.RoleName(bed.Issuer, namespace)
	makeRole(t, bed, name, "/apps/", nil)
	makeRole(t, bed, given, "/", nil)
	admin := run.Admin(bed)
	wantRefused(t, admin, namespace, refused, message{
		"a role named " + name + " exists under another path, /apps/", "role names are unique in an account", "--role-path /apps/ … --adopt=role",
	})
	wantRefused(t, admin, namespace, refused, message{"the role " + given + " is there and is not ours", "it has no tags", "--adopt=role"},
		"--role-name", given, "--role-path", "/")
	admin.Run(t, "install", "-n", namespace, "--role-name", given, "--role-path", "/", "--adopt=role").WantCode(t, done)
	wantTrusted(t, bed, given, namespace)
}

// TestRoleDrift: ours, but not as we left it. What others hung on it stays,
// and the reader is told.
func TestRoleDrift(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "role-drift"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	name := world.RoleName(bed.Issuer, namespace)
	healthy := world.Look(t, bed, namespace)

	client, ctx := bed.IAM(), t.Context()
	old := strings.ReplaceAll(trustOf(t, bed, name), strings.TrimPrefix(bed.Issuer, "https://"), "oidc.op1.openshiftapps.com/1rebuilt")
	if _, err := client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: &name, PolicyDocument: &old}); err != nil {
		t.Fatal(err)
	}
	result := admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	result.WantTalk(t, "trust policy", "oidc.op1.openshiftapps.com/1rebuilt")
	healthy.WantSame(t, world.Look(t, bed, namespace))

	wide := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	policies, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil || len(policies.PolicyNames) != 1 {
		t.Fatalf("%v, %v", policies, err)
	}
	if _, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &policies.PolicyNames[0], PolicyDocument: &wide}); err != nil {
		t.Fatal(err)
	}
	admin.Run(t, "install", "-n", namespace).WantCode(t, done).WantTalk(t, "inline policy")
	healthy.WantSame(t, world.Look(t, bed, namespace))

	if _, err := client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &name, PolicyName: aws.String("of-billing"), PolicyDocument: &wide}); err != nil {
		t.Fatal(err)
	}
	made, err := client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("managed-by-billing"), PolicyDocument: &wide})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: made.Policy.Arn}); err != nil {
		t.Fatal(err)
	}
	before := world.Look(t, bed, namespace)
	// What others put on the role stays, and that it opens the account is told.
	result = admin.Run(t, "install", "-n", namespace).WantCode(t, refused)
	result.WantTalk(t, "of-billing", "managed-by-billing", "stays", "NOT REFUSED: ", "s3:ListAllMyBuckets", "aws iam delete-role-policy --role-name "+name+" --policy-name of-billing", "aws iam detach-role-policy --role-name "+name, "applied, not verified")
	result = admin.Run(t, "install", "-n", namespace, "--verify=false").WantCode(t, done)
	result.WantTalk(t, "of-billing", "managed-by-billing", "stays", "nothing to change")
	before.WantSame(t, world.Look(t, bed, namespace))
}
