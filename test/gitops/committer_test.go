package gitops_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// done is the exit code of a run that ended well.
const done = 0

// committer has files and a kubectl, but neither cluster nor credentials. The
// working directory is a repository that all of a test's runs share.
func committer(t *testing.T, bed *testbed.Bed) run.User {
	t.Helper()
	return run.User{Bed: bed, Kubeconfig: "/nowhere", Dir: t.TempDir()}.
		With("AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
}

// onPaper are flags that give all facts that matter.
func onPaper(namespace string) []string {
	return []string{
		"-n", namespace, "--account-id", testbed.Account, "--region", testbed.Region, "--platform", "rosa-hcp",
		"--oidc-issuer", "https://oidc.op1.openshiftapps.com/2abc",
	}
}

// rendered runs render with facts on paper.
func rendered(t *testing.T, user run.User, namespace string, args ...string) run.Result {
	t.Helper()
	return user.Run(t, append(append([]string{"render"}, onPaper(namespace)...), args...)...)
}

// documents is what plain render prints, without its comment and the line that
// leads the first document: the bytes that kustomize writes.
func documents(t *testing.T, stdout string) string {
	t.Helper()
	_, text, found := strings.Cut(stdout, "---\n")
	if !found {
		t.Fatalf("no documents in\n%s", stdout)
	}
	return text
}

// write writes a file of the user's into the repository.
func write(t *testing.T, user run.User, name, text string) {
	t.Helper()
	path := filepath.Join(user.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mirror is an overlay that changes an image and adds an object.
func mirror(t *testing.T, user run.User, dir, namespace string) {
	t.Helper()
	write(t, user, dir+"/kustomization.yaml", `resources: [extra.yaml]
patches:
- target: {kind: Deployment, name: ostoy-microservice}
  patch: |-
    - {op: replace, path: /spec/template/spec/containers/0/image, value: mirror.example.com/micro:1}
`)
	write(t, user, dir+"/extra.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {name: extra, namespace: "+namespace+"}, data: {a: b}}\n")
}
