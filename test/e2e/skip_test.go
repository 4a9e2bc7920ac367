package e2e

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testSkipIAM: install --iam=skip takes the role that a printed script made, once
// it is what the app needs, and never writes to it; before that nothing is touched.
func testSkipIAM(t *testing.T, bed *testbed.Bed) {
	const namespace = "skipped"
	admin, name := run.Admin(bed), roleName(bed, namespace)
	skip := []string{"install", "--new-project=" + namespace, "--iam=skip"}
	refused := func(words ...string) {
		t.Helper()
		words = append(words, "oc ostoy-s3 iam render -n "+namespace, "nothing was changed")
		admin.Run(t, skip...).WantCode(t, 4).WantStdout(t, "").WantTalk(t, words...)
		wantNoNamespace(t, bed, namespace)
	}
	refused("the role "+name+" is not there", "docs/checks/role.md")

	script := admin.Run(t, "iam", "render", "-n", namespace, "--format", "aws").WantCode(t, 0).Stdout
	runScript(t, bed, script, 0)
	spoil(t, bed, name)
	refused("does not trust this cluster", "docs/checks/trust-policy.md")
	runScript(t, bed, script, 0)
	const half = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}]}`
	if _, err := bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: ptr("ostoy-s3"), PolicyDocument: ptr(half)}); err != nil {
		t.Fatal(err)
	}
	refused("may not s3:GetObject", "s3:PutObject", "docs/checks/role-policy.md")
	runScript(t, bed, script, 0)
	admin.Run(t, append(skip, "--role-path", "/other/")...).WantCode(t, 4).WantTalk(t, "is "+roleARN(bed, namespace), "--role-path /ostoy-s3/", "nothing was changed")
	made := stateOfRole(t, bed, name)

	// Whose tags it has is no matter: who makes it decides that.
	if _, err := bed.IAM().UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: &name, TagKeys: []string{"ostoy-s3/cluster-id"}}); err != nil {
		t.Fatal(err)
	}
	delete(made.Tags, "ostoy-s3/cluster-id")
	admin.Run(t, append(skip, "--dry-run=client")...).WantCode(t, 0).WantTalk(t, "used as it is, as --iam=skip says")
	admin.Run(t, skip...).WantCode(t, 0).WantStdout(t, wantURL(bed, namespace)).WantTalk(t, "used as it is", "verified")
	admin.Run(t, "install", "-n", namespace, "--iam=skip").WantCode(t, 0).WantTalk(t, "nothing to change")
	admin.Run(t, "check", "-n", namespace).WantCode(t, 0)
	admin.Run(t, "diff", "-n", namespace, "--iam=skip").WantCode(t, 0).WantStdout(t, "").WantTalk(t, "nothing to change")
	admin.Run(t, "diff", "-n", namespace, "--iam=skip", "--adopt=role").WantCode(t, 2)
	wantRoleState(t, bed, name, made)
	if have := field(t, liveObject(t, bed, configMaps, namespace, "ostoy-s3"), "data", "roleOrigin"); have != "existing" {
		t.Errorf("the inventory says %q of the role", have)
	}
	for _, write := range awsWritesOf(t, bed, namespace) {
		if write != "DeleteObjects" { // the proof tidies up behind itself
			t.Errorf("AWS was written to: %s", write)
		}
	}
	wantHintsForTheMaker(t, bed, admin, namespace, name)
	made = stateOfRole(t, bed, name)
	// Now it is nobody's that install knows, and none of its business.
	if _, err := bed.IAM().UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: &name, TagKeys: []string{"ostoy-s3/issuer"}}); err != nil {
		t.Fatal(err)
	}
	delete(made.Tags, "ostoy-s3/issuer")
	admin.Run(t, "diff", "-n", namespace, "--iam=skip").WantCode(t, 0).WantStdout(t, "")
	// IAM shows that another tool manages it, so no flag is needed any more.
	for _, command := range [][]string{{"diff"}, {"install", "--wait=false"}} {
		admin.Run(t, append(command, "-n", namespace)...).WantCode(t, 0).WantTalk(t, "used as it is (--iam=skip)", "nothing to change")
	}
	status := admin.Run(t, "status", "-n", namespace).WantCode(t, 0)
	for _, text := range []string{"made by somebody else (--iam=skip)", "drift            ✔ none"} {
		if !strings.Contains(status.Stdout, text) {
			t.Errorf("want %q\n%s", text, status)
		}
	}
	admin.Run(t, "uninstall", "-n", namespace).WantCode(t, 0).WantTalk(t, "role "+name, "--iam=skip")
	wantRoleState(t, bed, name, made)
}

// testSkipUnseen: who may not read the role is warned, and gets through. Rights
// are taken from everybody, so it has the bed to itself.
func testSkipUnseen(t *testing.T, bed *testbed.Bed) {
	const namespace = "skipped-unseen"
	admin := run.Admin(bed)
	runScript(t, bed, admin.Run(t, "iam", "render", "-n", namespace, "--format", "aws").WantCode(t, 0).Stdout, 0)
	reads := []string{"iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"}
	if err := bed.AWS.Deny(t.Context(), reads...); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bed.AWS.Reset(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	admin.Run(t, "install", "--new-project="+namespace, "--iam=skip").WantCode(t, 0).WantStdout(t, wantURL(bed, namespace)).
		WantTalk(t, "needs iam:GetRole on role "+roleName(bed, namespace), "whom it trusts and what it may do")
	admin.Run(t, "iam", "plan", "-n", namespace).WantCode(t, 1).WantTalk(t, "iam:GetRole")
	admin.Run(t, "install", "--new-project="+namespace+"-too").WantCode(t, 1).WantTalk(t, "iam:GetRole")
}

// wantHintsForTheMaker: what is wrong with the role is told to who makes it, and
// what is wrong beside it, to install --iam=skip.
func wantHintsForTheMaker(t *testing.T, bed *testbed.Bed, admin run.User, namespace, name string) {
	t.Helper()
	spoil(t, bed, name)
	wantHint := func(check string, code int, hint string) {
		t.Helper()
		if told := admin.Run(t, "check", "-n", namespace, "--only", check).WantCode(t, code); !strings.Contains(told.Stdout, hint) {
			t.Errorf("want %q\n%s", hint, told)
		}
	}
	wantHint("trust-policy", 4, "have the role made as oc ostoy-s3 iam render -n "+namespace+" prints it")
	script := admin.Run(t, "iam", "render", "-n", namespace, "--format", "aws").WantCode(t, 0).Stdout
	runScript(t, bed, script, 0)

	admin.Kubectl(t, "annotate", "serviceaccount", "ostoy-sa", "-n", namespace, "eks.amazonaws.com/role-arn-").WantCode(t, 0)
	mend := []string{"install", "-n", namespace, "--iam=skip"}
	// The role has the tags of this project, so only the inventory says who manages it.
	wantHint("service-account", 0, "oc ostoy-s3 install -n "+namespace+"\n")
	wantHint("service-account", 0, "if another tool manages the role, as the inventory says, add --iam=skip")
	admin.Run(t, mend...).WantCode(t, 0)
}
