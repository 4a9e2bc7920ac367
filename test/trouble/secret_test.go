package trouble_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// What a user has in the environment and in a Secret, and wants to read
// nowhere.
const (
	secretKey    = "wJalrXUtnFEMISECRETSECRETKEY"
	sessionToken = "FwoGZXIvYXdzSESSIONSESSIONTOKEN"
	secretData   = "the-data-of-a-secret-of-theirs"
)

// bearer makes a user who is known by a token, which it returns.
func bearer(t *testing.T, bed *testbed.Bed, namespace string) (run.User, string) {
	t.Helper()
	run.Admin(bed).Kubectl(t, "create", "rolebinding", "bearer", "--clusterrole=admin", "--serviceaccount="+namespace+":default", "-n", namespace).WantCode(t, 0)
	got, err := bed.Client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "default", &authentication.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := api.NewConfig()
	config.Clusters["there"] = &api.Cluster{Server: bed.Config.Host, CertificateAuthorityData: bed.Config.CAData, CertificateAuthority: bed.Config.CAFile}
	config.AuthInfos["bearer"] = &api.AuthInfo{Token: got.Status.Token}
	config.Contexts["there"] = &api.Context{Cluster: "there", AuthInfo: "bearer", Namespace: namespace}
	config.CurrentContext = "there"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return run.User{Bed: bed, Name: "bearer", Kubeconfig: path}, got.Status.Token
}

// TestNoSecretIsTold, not even in the most talkative log: keys and tokens of
// the user, tokens asked for on the way, what Secrets hold, signatures.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "secret"
	world.NewNamespace(t, bed, namespace)
	user, token := bearer(t, bed, namespace)
	user = user.With("AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_SESSION_TOKEN="+sessionToken)
	run.Eventually(t, "rights", func(context.Context) error {
		if said := user.Kubectl(t, "auth", "can-i", "create", "routes.route.openshift.io", "-n", namespace); said.Code != 0 {
			return fmt.Errorf("%s", said.Stderr)
		}
		return nil
	})
	user.Kubectl(t, "create", "secret", "generic", "ostoy-secret", "--from-literal=secret.txt="+secretData, "-n", namespace).WantCode(t, 0)
	check := func(result run.Result, more ...string) {
		t.Helper()
		wantUntold(t, result, append(more, secretKey, sessionToken, token, secretData, base64.StdEncoding.EncodeToString([]byte(secretData)))...)
	}
	const talkative = "-v=9"
	check(user.Run(t, "install", talkative).WantCode(t, refused))
	installed := user.Run(t, "install", talkative, "--force-conflicts").WantCode(t, done)
	if !strings.Contains(installed.Stderr, `verb="PATCH" url="https://`) {
		t.Errorf("the log is not talkative\n%s", installed)
	}
	ours := secretsOf(t, bed, namespace)
	check(installed, ours...)
	check(user.Run(t, "install", talkative, "-o", "json").WantCode(t, done), ours...)
	check(user.Run(t, "install", talkative, "--dry-run=server", "-o", "json").WantCode(t, done), ours...)
	check(user.Run(t, "facts", talkative, "-o", "yaml").WantCode(t, done), ours...)
	check(user.Run(t, "values", talkative).WantCode(t, done))
	check(user.Run(t, "version", talkative).WantCode(t, done), ours...)
	// render prints the chart's own two Secrets: that is what it is for.
	check(user.Run(t, "render", talkative).WantCode(t, done))
	check(user.With("AWS_ENDPOINT_URL=http://"+closed(t)).Run(t, "install", talkative).WantCode(t, failed), ours...)
}

// wantUntold wants none of the secrets in what a run said, nor anything that
// looks like a token or a signature.
func wantUntold(t *testing.T, result run.Result, secrets ...string) {
	t.Helper()
	said := result.Stdout + result.Stderr
	for _, text := range secrets {
		if strings.Contains(said, text) {
			t.Errorf("%q is told\n%s", text, result)
		}
	}
	for _, shape := range []string{`eyJ[A-Za-z0-9_-]{10,}\.`, `AWS4-HMAC-SHA256 `, `(?i)bearer [^<]`} {
		if found := regexp.MustCompile(shape).FindString(said); found != "" {
			t.Errorf("%q is told\n%s", found, result)
		}
	}
}

// secretsOf are the values in a namespace's Secrets, as they are and encoded.
func secretsOf(t *testing.T, bed *testbed.Bed, namespace string) []string {
	t.Helper()
	secrets, err := bed.Client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, secret := range secrets.Items {
		for _, value := range secret.Data {
			values = append(values, string(value), base64.StdEncoding.EncodeToString(value))
		}
	}
	if len(values) == 0 {
		t.Fatal("there are no Secrets")
	}
	return values
}
