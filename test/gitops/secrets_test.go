package gitops_test

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestExpectedSecrets: Secrets that somebody else brings are not made, and
// install says which of them are not there, again when it waited in vain.
func TestExpectedSecrets(t *testing.T) {
	t.Parallel()
	const namespace = "sealed"
	bed := run.TheBed(t)
	admin := run.Admin(bed)
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	install := func(args ...string) run.Result {
		return admin.Run(t, append([]string{"install", "-n", namespace, "--set", "secrets.existing=true"}, args...)...)
	}
	const gone, goneEnv = "Secret ostoy-secret is not there", "Secret ostoy-secret-env is not there"
	if err := bed.FailPods(t.Context(), namespace, testbed.FailImage, ""); err != nil {
		t.Fatal(err)
	}
	install("--dry-run=client").WantCode(t, done).WantTalk(t, gone, goneEnv, "secrets.existing")
	inVain := install("--timeout=5s", "--yes").WantTalk(t, gone, goneEnv)
	if inVain.Code == done || !again(inVain.Stderr, gone) {
		t.Errorf("it did not say at the end what is missing\n%s", inVain)
	}
	admin.Kubectl(t, "create", "secret", "generic", "ostoy-secret", "--from-literal=secret.txt=x", "-n", namespace).WantCode(t, done)
	admin.Kubectl(t, "create", "secret", "generic", "ostoy-secret-env", "--from-literal=other=x", "-n", namespace).WantCode(t, done)
	install("--dry-run=client").WantCode(t, done).WantNoTalk(t, gone).WantTalk(t, "Secret ostoy-secret-env has no key ENV_TOY_SECRET")
	admin.Kubectl(t, "patch", "secret", "ostoy-secret-env", "-n", namespace, "--type=merge", "-p", `{"stringData":{"ENV_TOY_SECRET":"x"}}`).WantCode(t, done)
	install("--dry-run=client").WantCode(t, done).WantNoTalk(t, "Secret ostoy-secret")
	owner := admin.Kubectl(t, "get", "secret", "ostoy-secret", "-n", namespace, "-o", "jsonpath={.data}").WantCode(t, done)
	owner.WantStdout(t, `{"secret.txt":"eA=="}`)
}

// again reports whether a text is said twice.
func again(talk, text string) bool { return strings.Count(talk, text) > 1 }
