package denied

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const forgedRole = "MALLORY-ROLE"

// forgeAdoption writes, as mallory, that the app has had a role before install.
func forgeAdoption(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	_, err := bed.Client.CoreV1().ConfigMaps(namespace).Patch(t.Context(), "ostoy-s3", types.MergePatchType,
		[]byte(`{"data":{"roleOrigin":"adopted","roleARN":"arn:aws:iam::`+testbed.Account+`:role/mallory-path/`+forgedRole+`"}}`), metav1.PatchOptions{})
	must(t, err)
}

// annotated is the role that the service account names.
func annotated(t *testing.T, bed *testbed.Bed, namespace string) string {
	t.Helper()
	account, err := bed.Client.CoreV1().ServiceAccounts(namespace).Get(t.Context(), "ostoy-sa", metav1.GetOptions{})
	must(t, err)
	return account.Annotations["eks.amazonaws.com/role-arn"]
}

// TestF2ForgedAdoptedRole: for an admin who is allowed to read only the roles of their
// path, the role that an inventory names is not the app's: the app keeps the role that is
// this project's, and no command names another one.
func TestF2ForgedAdoptedRole(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	limited := strings.ReplaceAll(printed(t, bed, "--for", "install"), `:role/*"`, `:role/ostoy-s3/*"`)
	user, err := bed.User(t.Context(), "gilforged", "", limited)
	must(t, err)
	gil := run.Admin(bed).With(user.Env...)
	const own, other = "gil-forged", "gil-named"
	gil.Run(t, "install", "--new-project="+own).WantCode(t, done)
	role := annotated(t, bed, own)
	forgeAdoption(t, bed, own)
	for _, args := range [][]string{{"install", "--dry-run=server"}, {"diff"}, {"install"}, {"install"}} {
		gil.Run(t, append(args, "-n", own)...).WantCode(t, done).WantNoTalk(t, "--role-name "+forgedRole, "used as it is")
	}
	forgeAdoption(t, bed, own)
	gil.Run(t, "install", "-n", own).WantCode(t, done).WantTalk(t, "role/mallory-path/"+forgedRole+", which the project names, is not used", "✔ verified")
	gil.Run(t, "verify", "-n", own).WantCode(t, done)
	if now := annotated(t, bed, own); now != role || !strings.Contains(now, ":role/ostoy-s3/"+own) {
		t.Errorf("the service account named %s and names %s", role, now)
	}

	// Where no role is the project's, nothing is changed without a flag of the admin.
	run.Admin(bed).Run(t, "install", "--new-project="+other, "--role-name", "gil-own").WantCode(t, done)
	role = annotated(t, bed, other)
	forgeAdoption(t, bed, other)
	forged := world.Look(t, bed, other)
	gil.Run(t, "install", "-n", other).WantCode(t, refused).WantStdout(t, "").
		WantTalk(t, "it is not known which role the app has", "oc ostoy-s3 install -n "+other+" --adopt uses it as it is", "--role-name NAME").WantNoTalk(t, "--role-name "+forgedRole)
	gil.Run(t, "install", "-n", other, "--adopt", "--tighten-role", "--yes").WantCode(t, refused).WantTalk(t, forgedRole+" is not tightened")
	forged.WantSame(t, world.Look(t, bed, other))
	gil.Run(t, "install", "-n", other, "--role-name", "gil-own").WantCode(t, done)
	if now := annotated(t, bed, other); now != role {
		t.Errorf("the service account named %s and names %s", role, now)
	}

	// With --adopt the admin uses the role that cannot be read; no command creates it.
	forgeAdoption(t, bed, other)
	gil.Run(t, "install", "-n", other, "--adopt", "--timeout", "40s").WantCode(t, refused).
		WantTalk(t, forgedRole, "used as it is").WantNoTalk(t, "--role-name "+forgedRole, "--role-path")
}
