package e2e

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testRoleOptions: name, path, tags and boundary are as asked, in IAM and
// wherever the role is named, and a second run finds them so.
func testRoleOptions(t *testing.T, bed *testbed.Bed) {
	const namespace, name = "own-role", "my-own-role"
	boundary := makePolicy(t, bed, "boundary-of-own-role")
	options := []string{"--role-name", name, "--role-path", "/team/a/", "--tags", "cost-center=4711,owner=me", "--permissions-boundary", boundary}
	const arn = "arn:aws:iam::" + testbed.Account + ":role/team/a/" + name
	admin := installed(t, bed, namespace, options...)

	role := readRole(t, bed, name)
	if *role.Arn != arn || role.PermissionsBoundary == nil || *role.PermissionsBoundary.PermissionsBoundaryArn != boundary {
		t.Errorf("role %s with boundary %+v", *role.Arn, role.PermissionsBoundary)
	}
	tags := tagsOf(role.Tags)
	if tags["cost-center"] != "4711" || tags["owner"] != "me" || tags["ostoy-s3/namespace"] != namespace {
		t.Errorf("tags %v", tags)
	}
	if env := envOf(frontendPod(t, bed, namespace).Spec.Containers[0]); env["AWS_ROLE_ARN"] != arn {
		t.Errorf("the frontend assumes %s", env["AWS_ROLE_ARN"])
	}
	if have := field(t, liveObject(t, bed, configMaps, namespace, "ostoy-s3"), "data", "roleARN"); have != arn {
		t.Errorf("the inventory names %s", have)
	}
	install(t, admin, append([]string{"-n", namespace}, options...)...).WantTalk(t, "nothing to change")
	manifests := admin.Run(t, "render", "-n", namespace, "--role-name", name, "--role-path", "/team/a/").WantCode(t, 0)
	admin.WantNothingToApply(t, manifests.Stdout)

	options[5] = "cost-center=4712,owner=me"
	install(t, admin, append([]string{"-n", namespace}, options...)...).WantTalk(t, "cost-center=4711", "cost-center=4712")
	if tags := tagsOf(readRole(t, bed, name).Tags); tags["cost-center"] != "4712" {
		t.Errorf("tags %v", tags)
	}
}

// testManagedPolicy: a managed policy takes the place of ours.
func testManagedPolicy(t *testing.T, bed *testbed.Bed) {
	const namespace = "managed"
	policy := makePolicy(t, bed, "policy-of-managed")
	admin := installed(t, bed, namespace, "--policy-arn", policy)
	name := roleName(bed, namespace)
	if attached := attachedPolicies(t, bed, name); strings.Join(attached, " ") != policy {
		t.Errorf("attached %v, want %s", attached, policy)
	}
	if inline := inlinePolicies(t, bed, name); len(inline) > 0 {
		t.Errorf("inline policies %v", inline)
	}
	install(t, admin, "-n", namespace, "--policy-arn", policy).WantTalk(t, "nothing to change")

	aws := "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	install(t, admin, "--new-project="+namespace+"-by-aws", "--policy-arn", aws)
	if attached := attachedPolicies(t, bed, roleName(bed, namespace+"-by-aws")); strings.Join(attached, " ") != aws {
		t.Errorf("attached %v, want %s", attached, aws)
	}
}

// makePolicy makes a customer policy and returns its ARN.
func makePolicy(t *testing.T, bed *testbed.Bed, name string) string {
	t.Helper()
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	made, err := bed.IAM().CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: ptr(document)})
	if err != nil {
		t.Fatal(err)
	}
	return *made.Policy.Arn
}

// admitted: the router has taken the Route.
func admitted(t *testing.T, bed *testbed.Bed, namespace string) error {
	t.Helper()
	if !strings.Contains(field(t, liveObject(t, bed, routes, namespace, "ostoy-route"), "status", "ingress"), "Admitted") {
		return errors.New("not admitted yet")
	}
	return nil
}
