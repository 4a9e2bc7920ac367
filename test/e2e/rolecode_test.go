package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testPrintedScript: the printed script makes the role that install makes, and
// puts it right; a role that is not ours it leaves alone.
func testPrintedScript(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-script"
	admin, name := run.Admin(bed), roleName(bed, namespace)
	script := admin.Run(t, "iam", "render", "-n", namespace, "--format", "aws").WantCode(t, 0).Stdout
	said, _ := runScript(t, bed, script, 0)
	if said != roleARN(bed, namespace)+"\n" {
		t.Errorf("it says %q", said)
	}
	made := stateOfRole(t, bed, name)
	wantRole(t, bed, namespace, testbed.ClusterID)
	runScript(t, bed, script, 0)
	wantRoleState(t, bed, name, made)

	spoil(t, bed, name)
	plan := admin.Run(t, "iam", "plan", "-n", namespace).WantCode(t, 0).WantTalk(t, "would be changed")
	for _, line := range []string{"--- live/iam.role." + name + ".trust-policy.json\n", "\n-        \"AWS\": \"*\"", "\n+        \"Federated\": ", "+++ merged/iam.role." + name + ".permissions-policy.json\n"} {
		if !strings.Contains(plan.Stdout, line) {
			t.Errorf("no %q in\n%s", line, plan)
		}
	}
	admin.Run(t, "iam", "plan", "-n", namespace, "--check").WantCode(t, 4)
	runScript(t, bed, script, 0)
	wantRoleState(t, bed, name, made)
	admin.Run(t, "iam", "plan", "-n", namespace, "--check").WantCode(t, 0).WantStdout(t, "").WantTalk(t, "nothing to change")

	if _, err := bed.IAM().TagRole(t.Context(), &iam.TagRoleInput{RoleName: &name, Tags: awsTags(map[string]string{"ostoy-s3/namespace": "theirs"})}); err != nil {
		t.Fatal(err)
	}
	spoil(t, bed, name)
	theirs := stateOfRole(t, bed, name)
	if _, stderr := runScript(t, bed, script, 4); !strings.Contains(stderr, "is not ours") || !strings.Contains(stderr, "nothing was changed") {
		t.Errorf("it says %s", stderr)
	}
	admin.Run(t, "iam", "plan", "-n", namespace).WantCode(t, 4).WantTalk(t, "is there and is not ours")
	wantRoleState(t, bed, name, theirs)
	adopting := admin.Run(t, "iam", "render", "-n", namespace, "--format", "aws", "--adopt=role").WantCode(t, 0).Stdout
	runScript(t, bed, adopting, 0)
	wantRoleState(t, bed, name, made)

	forgetRole(t, bed, name)
	install(t, admin, "--new-project="+namespace, "--wait=false")
	wantRoleState(t, bed, name, made)
}

// testPrintedOddities: values that are hard to quote get to IAM as they are, and
// so does the controller's role.
func testPrintedOddities(t *testing.T, bed *testbed.Bed) {
	const odd, path = "-odd+=,.@_", "/it's/${a}/%{b}/$(c)/`d`/\"e\"\\/"
	boundary := makePolicy(t, bed, "boundary-of-oddity")
	admin := run.Admin(bed)
	for name, args := range map[string][]string{
		odd:          {"-n", "by-oddity", "--role-path", path, "--tags", "über alles= -- : / @ ", "--permissions-boundary", boundary},
		"by-managed": {"-n", "by-oddity", "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
		"controlled": {"--for", "controller", "--bucket-pattern", "ostoy-*"},
	} {
		args = append([]string{"--role-name=" + name}, args...)
		render := func(format string) string {
			return admin.Run(t, append([]string{"iam", "render", "--format", format}, args...)...).WantCode(t, 0).Stdout
		}
		script := render("aws")
		runScript(t, bed, script, 0)
		made := stateOfRole(t, bed, name)
		admin.Run(t, append([]string{"iam", "plan", "--check"}, args...)...).WantCode(t, 0)
		if name == odd { // a second run changes nothing; of plain values testPrintedScript shows it
			runScript(t, bed, script, 0)
			wantRoleState(t, bed, name, made)
		}

		forgetRole(t, bed, name)
		byRequests(t, bed, render("json"))
		wantRoleState(t, bed, name, made)

		if name == "by-managed" { // moto's CloudFormation passes ManagedPolicyArns over
			continue
		}
		forgetRole(t, bed, name)
		byTemplate(t, bed, render("cloudformation"), made.ARN)
		wantRoleState(t, bed, name, made)
	}
}

// testPrintedTemplate: the template deployed as its comment says is the role that
// install makes; other parameters make it that of another issuer.
func testPrintedTemplate(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-template"
	admin := run.Admin(bed)
	template := admin.Run(t, "iam", "render", "-n", namespace, "--format", "cloudformation").WantCode(t, 0).Stdout
	byTemplate(t, bed, template, roleARN(bed, namespace))
	wantRole(t, bed, namespace, testbed.ClusterID)
	admin.Run(t, "iam", "plan", "-n", namespace, "--check").WantCode(t, 0)

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "role.yaml"), []byte(strings.ReplaceAll(template, roleName(bed, namespace), "of-another")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := shell(t, bed, dir, "aws", "cloudformation", "deploy", "--template-file", "role.yaml", "--stack-name", "another",
		"--capabilities", "CAPABILITY_NAMED_IAM", "--parameter-overrides", "Issuer=oidc.example.com/other", "Account=210987654321")
	if code != 0 {
		t.Fatal(stderr)
	}
	encoded, err := json.Marshal(stateOfRole(t, bed, "of-another"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"oidc.example.com/other:sub":"system:serviceaccount:by-template:ostoy-sa"`, `"oidc.example.com/other:aud"`,
		`arn:aws:iam::210987654321:oidc-provider/oidc.example.com/other`, `"aws:ResourceAccount":"210987654321"`,
		`"ostoy-s3/issuer":"https://oidc.example.com/other"`,
	} {
		if !strings.Contains(string(encoded), want) {
			t.Errorf("no %s in %s", want, encoded)
		}
	}
	if host := strings.TrimPrefix(bed.Issuer, "https://"); strings.Contains(string(encoded), host) {
		t.Errorf("the first issuer is in %s", encoded)
	}
}

// testIAMPlanOfNothing: the plan for a role that is not there names all of it, and
// makes none of it.
func testIAMPlanOfNothing(t *testing.T, bed *testbed.Bed) {
	const namespace = "not-planned"
	admin := run.Admin(bed)
	plan := admin.Run(t, "iam", "plan", "-n", namespace).WantCode(t, 4).WantTalk(t, "would be made", "nothing is installed in project "+namespace)
	for _, line := range []string{"+arn          " + roleARN(bed, namespace), "+ostoy-s3/namespace=" + namespace} {
		if !strings.Contains(plan.Stdout, line+"\n") {
			t.Errorf("no %q in\n%s", line, plan)
		}
	}
	var document struct {
		Role   string
		Exists bool
		Steps  []struct{ Kind, Action string }
	}
	admin.Run(t, "iam", "plan", "-n", namespace, "-o", "json", "--check").WantCode(t, 4).JSON(t, &document)
	if document.Role != roleARN(bed, namespace) || document.Exists || len(document.Steps) != 2 || document.Steps[0].Kind != "create-role" {
		t.Errorf("%+v", document)
	}
	name := roleName(bed, namespace)
	if _, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil {
		t.Error("a plan has made the role")
	}
}
