package gitops_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestF15EarlierRoleIsKept: a role whose name has 8 digits, as earlier versions computed
// it, is the project's for every command: with the inventory, and without it.
func TestF15EarlierRoleIsKept(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "earlier-role"
	earlier := world.EarlierRoleName(bed.Issuer, namespace)
	arn := "arn:aws:iam::" + testbed.Account + ":role/ostoy-s3/" + earlier
	admin := run.Admin(bed)
	admin.Run(t, "install", "--new-project="+namespace, "--role-name", earlier).WantCode(t, 0)
	before := roleID(t, earlier)

	// The name of a new role begins with the earlier one: what follows the name is compared, too.
	agree := func(t *testing.T) {
		t.Helper()
		admin.Run(t, "diff", "-n", namespace).WantCode(t, none).WantStdout(t, "")
		admin.Run(t, "install", "-n", namespace, "--dry-run=server").WantCode(t, 0).WantNoTalk(t, "another role", "~ role", "+ role")
		wantStdout(t, admin.Run(t, "status", "-n", namespace).WantCode(t, 0), earlier+" ", "trust ok, policy ok")
		wantStdout(t, admin.Run(t, "status", "-A", "-o", "json").WantCode(t, 0), arn+`"`)
		admin.Run(t, "check", "-n", namespace).WantCode(t, 0).WantNoTalk(t, world.RoleName(bed.Issuer, namespace))
		admin.Run(t, "check", "--pre", "-n", namespace).WantCode(t, 0)
		admin.Run(t, "verify", "-n", namespace).WantCode(t, 0)
		wantStdout(t, admin.Run(t, "render", "-n", namespace).WantCode(t, 0), "role-arn: "+arn+"\n")
		wantStdout(t, admin.Run(t, "values", "-n", namespace).WantCode(t, 0), "roleARN: "+arn+"\n")
		wantStdout(t, admin.Run(t, "iam", "render", "-n", namespace, "--format", "json").WantCode(t, 0), `"RoleName": "`+earlier+`"`)
		admin.Run(t, "iam", "plan", "-n", namespace, "--check").WantCode(t, 0)
	}
	agree(t)
	admin.Kubectl(t, "-n", namespace, "delete", "configmap", "ostoy-s3").WantCode(t, 0)
	agree(t) // without the inventory
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0)
	agree(t)
	if after := roleID(t, earlier); after != before {
		t.Errorf("the role was created again: %s, before %s", after, before)
	}
	wantNoRole(t, world.RoleName(bed.Issuer, namespace))

	admin.Kubectl(t, "-n", namespace, "delete", "configmap", "ostoy-s3").WantCode(t, 0)
	admin.Kubectl(t, "-n", namespace, "delete", "serviceaccount", "ostoy-sa").WantCode(t, 0)
	admin.Run(t, "uninstall", "-n", namespace, "--yes").WantCode(t, 0).WantTalk(t, earlier)
	wantNoRole(t, earlier)
	// A new install gets a new name.
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0)
	roleID(t, world.RoleName(bed.Issuer, namespace))
}

// TestF15EarlierRoleIsGone: the inventory, which everybody who can edit the project can
// write, does not have a new role created with the shorter name.
func TestF15EarlierRoleIsGone(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "earlier-gone"
	admin := installed(t, namespace)
	name, earlier := world.RoleName(bed.Issuer, namespace), world.EarlierRoleName(bed.Issuer, namespace)
	id := roleID(t, name)
	admin.Kubectl(t, "-n", namespace, "patch", "configmap", "ostoy-s3", "--type=merge",
		"-p", `{"data":{"roleARN":"arn:aws:iam::`+testbed.Account+`:role/ostoy-s3/`+earlier+`"}}`).WantCode(t, 0)
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0)
	wantNoRole(t, earlier)
	if after := roleID(t, name); after != id {
		t.Errorf("the role was created again: %s, before %s", after, id)
	}
	admin.Run(t, "diff", "-n", namespace).WantCode(t, none).WantStdout(t, "")
}

// TestF15EarlierRoleOfAnother: an earlier role that another tool manages is used by
// --iam=skip, and taken over by --adopt=role.
func TestF15EarlierRoleOfAnother(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "earlier-other"
	earlier := world.EarlierRoleName(bed.Issuer, namespace)
	admin := installed(t, namespace, "--role-name", earlier)
	id := roleID(t, earlier)
	_, err := bed.IAM().UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: &earlier, TagKeys: []string{"app.kubernetes.io/managed-by", "ostoy-s3/issuer", "ostoy-s3/namespace"}})
	must(t, err)
	for _, flag := range []string{"--iam=skip", "--adopt=role"} {
		admin.Kubectl(t, "-n", namespace, "delete", "configmap", "ostoy-s3").WantCode(t, 0)
		admin.Run(t, "install", "-n", namespace, flag).WantCode(t, 0)
		if after := roleID(t, earlier); after != id {
			t.Errorf("%s: the role was created again: %s, before %s", flag, after, id)
		}
		wantNoRole(t, world.RoleName(bed.Issuer, namespace))
	}
	admin.Run(t, "diff", "-n", namespace).WantCode(t, none).WantStdout(t, "")
}

// TestF15EarlierRoleIsHidden: if IAM refuses to show the roles, the service account says
// which of the two names the app has.
func TestF15EarlierRoleIsHidden(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "earlier-hidden"
	earlier := world.EarlierRoleName(bed.Issuer, namespace)
	admin := installed(t, namespace, "--role-name", earlier)
	admin.Kubectl(t, "-n", namespace, "delete", "configmap", "ostoy-s3").WantCode(t, 0)
	must(t, bed.AWS.Fail(t.Context(), testbed.Fault{
		Action: "iam:GetRole", Resource: "*" + namespace + "-ostoy-sa-*", Code: "AccessDenied", Status: http.StatusForbidden,
		Message: "User: arn:aws:iam::" + testbed.Account + ":user/admin is not authorized to perform: iam:GetRole on resource: role " + earlier +
			" because no identity-based policy allows the iam:GetRole action",
	}))
	admin.Run(t, "install", "-n", namespace, "--iam=skip").WantCode(t, 0).WantNoTalk(t, "~ object    ServiceAccount")
	wantNoRole(t, world.RoleName(bed.Issuer, namespace))
	admin.Run(t, "diff", "-n", namespace, "--iam=skip").WantCode(t, none).WantStdout(t, "")
}

// TestF15EarlierRoleInFiles: manifests that were rendered before, without AWS, keep the
// name of their role.
func TestF15EarlierRoleInFiles(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "earlier-files"
	admin := run.Admin(bed)
	facts := admin.Run(t, "facts", "-n", namespace, "-o", "yaml").WantCode(t, 0).Stdout
	file := filepath.Join(t.TempDir(), "facts.yaml")
	must(t, os.WriteFile(file, []byte(facts), 0o600))
	dir := filepath.Join(t.TempDir(), "manifests")
	earlier := world.EarlierRoleName(bed.Issuer, namespace)
	flags := []string{"render", "--facts", file, "--output-dir", dir}
	admin.Run(t, append(flags, "--role-name", earlier)...).WantCode(t, 0)
	admin.Run(t, append(flags, "--check")...).WantCode(t, 0).WantNoTalk(t, "--role-name")
	admin.Run(t, flags...).WantCode(t, 0).WantStdout(t, "")
	must(t, os.RemoveAll(dir))
	admin.Run(t, flags...).WantCode(t, 0)
	account, err := os.ReadFile(filepath.Join(dir, "serviceaccount-ostoy-sa.yaml"))
	must(t, err)
	if want := world.RoleName(bed.Issuer, namespace) + "\n"; !strings.Contains(string(account), want) {
		t.Errorf("new manifests do not name the role %s:\n%s", want, account)
	}
}

// roleID is the ID of a role, which a role that is created again does not get.
func roleID(t *testing.T, name string) string {
	t.Helper()
	role, err := run.TheBed(t).IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name})
	must(t, err)
	return aws.ToString(role.Role.RoleId)
}

func wantNoRole(t *testing.T, name string) {
	t.Helper()
	if _, err := run.TheBed(t).IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil || !strings.Contains(err.Error(), "NoSuchEntity") {
		t.Errorf("role %s: %v", name, err)
	}
}
