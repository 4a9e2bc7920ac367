package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testFreeName: without a name the project is called ostoy- and 8 hexadecimal
// digits, another one each time, and nobody had its bucket.
func testFreeName(t *testing.T, bed *testbed.Bed) {
	names := map[string]bool{}
	user := run.ProjectAdmin(t, bed, "admin-of-any")
	for _, user := range []run.User{run.Admin(bed), user} {
		var document installDocument
		install(t, user, "--new-project", "-o", "json").JSON(t, &document)
		if !regexp.MustCompile(`^ostoy-[0-9a-f]{8}$`).MatchString(document.Namespace) {
			t.Errorf("the project is called %q", document.Namespace)
		}
		names[document.Namespace] = true
		wantMark(t, bed, document.Namespace, true)
		wantInventory(t, bed, document.Namespace, true)
	}
	if len(names) != 2 {
		t.Errorf("the same name twice: %v", names)
	}
}

// testExistingProject: --new-project takes nothing over, neither what the user
// sees nor what the user may not see.
func testExistingProject(t *testing.T, bed *testbed.Bed) {
	const namespace = "taken"
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	before := dump(t, bed, namespace)
	admin := run.Admin(bed).Run(t, "install", "--new-project="+namespace)
	admin.WantCode(t, 4).WantStdout(t, "").WantTalk(t, "project taken is there already", "oc ostoy-s3 install -n taken")
	learner := run.ProjectAdmin(t, bed, "stranger").Run(t, "install", "--new-project="+namespace)
	learner.WantCode(t, 4).WantStdout(t, "").WantTalk(t, "project taken belongs to somebody else", "oc ostoy-s3 install --new-project")
	wantSame(t, before, dump(t, bed, namespace))
	wantNoAWSWrites(t, bed, namespace)

	// Our own is another matter: a run that was cut off is to be repeated.
	ours := run.ProjectAdmin(t, bed, "admin-of-begun")
	install(t, ours, "--new-project=begun", "--wait=false")
	install(t, ours, "--new-project=begun").WantTalk(t, "nothing to change").WantStdout(t, wantURL(bed, "begun"))
}

// testUse: only --use makes the new project the kubeconfig's.
func testUse(t *testing.T, bed *testbed.Bed) {
	user := run.ProjectAdmin(t, bed, "admin-of-used")
	path := copyOfKubeconfig(t, user, "default")
	user = user.With("KUBECONFIG=" + path)
	before := readFile(t, path)
	install(t, user, "--new-project=not-used").WantNoTalk(t, "now uses project")
	if after := readFile(t, path); after != before {
		t.Errorf("the kubeconfig changed without --use\n%s\n%s", before, after)
	}
	install(t, user, "--new-project=used", "--use").WantTalk(t, "kubeconfig context testbed now uses project used")
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if namespace := config.Contexts[config.CurrentContext].Namespace; namespace != "used" {
		t.Errorf("the kubeconfig uses %q", namespace)
	}
	install(t, user).WantTalk(t, "nothing to change", "kubeconfig context testbed")
}

// copyOfKubeconfig is the user's, to be changed, with a current namespace.
func copyOfKubeconfig(t *testing.T, user run.User, namespace string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(user.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.Contexts[config.CurrentContext].Namespace = namespace
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mayUse: OpenShift has bound the project's role to the one who asked for it,
// and Kubernetes made the account that tokens are asked of.
func mayUse(user run.User, namespace string) func(context.Context) error {
	return func(ctx context.Context) error {
		config, err := clientcmd.BuildConfigFromFlags("", user.Kubeconfig)
		if err != nil {
			return err
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return err
		}
		_, err = client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, "default", &authentication.TokenRequest{},
			metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
}
