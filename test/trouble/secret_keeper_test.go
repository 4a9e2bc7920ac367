package trouble_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// misused is the exit code for input that cannot be.
const misused = 2

// The exit codes of diff: there are differences, and it could not tell.
const (
	differs   = 1
	undecided = 5
)

// keeper runs commands at the highest verbosity and looks for secrets in all
// that they write: both streams, and every file below HOME, the working
// directory and TMPDIR.
type keeper struct {
	secrets []string
	samples []string // what the chart's own Secrets hold

	mu     sync.Mutex
	played []string
}

func (k *keeper) run(t *testing.T, user run.User, code int, args ...string) run.Result {
	t.Helper()
	home, tmp := t.TempDir(), t.TempDir()
	user = user.With("HOME="+home, "TMPDIR="+tmp)
	user.Dir = t.TempDir()
	result := user.Run(t, append(args, "-v=9")...).WantCode(t, code)
	k.mu.Lock()
	k.played = append(k.played, strings.Join(args, " ")+" ")
	k.mu.Unlock()
	k.wantUntold(t, result, "stderr", result.Stderr)
	k.wantUntold(t, result, "stdout", result.Stdout)
	if !printsManifests(args) {
		k.wantNone(t, result, "stdout", result.Stdout, k.samples)
	}
	k.wantNone(t, result, "stderr", result.Stderr, k.samples)
	for _, dir := range []string{home, tmp, user.Dir} {
		for path, text := range filesBelow(t, dir) {
			k.wantUntold(t, result, path, text)
			k.wantNone(t, result, path, text, k.samples)
		}
	}
	return result
}

// wantUntold wants none of the secrets in a text, nor anything that looks like a
// token or a signature.
func (k *keeper) wantUntold(t *testing.T, result run.Result, where, text string) {
	t.Helper()
	k.wantNone(t, result, where, text, k.secrets)
	for _, shape := range []string{`eyJ[A-Za-z0-9_-]{10,}\.`, `AWS4-HMAC-SHA256 `, `(?i)bearer [^<(]`, `(?i)basic [A-Za-z0-9+/]{8,}=`, `PRIVATE KEY`} {
		if found := regexp.MustCompile(shape).FindString(text); found != "" {
			t.Errorf("%q is told in %s\n%s", found, where, result)
		}
	}
}

func (k *keeper) wantNone(t *testing.T, result run.Result, where, text string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%q is told in %s\n%s", secret, where, result)
		}
	}
}

// printsManifests reports whether a command prints the manifests, the chart's own
// Secrets with their data among them: that is what it is for. Nobody else's are.
func printsManifests(args []string) bool {
	return args[0] == "render" || slices.Contains(args, "--mode=manual")
}

// wantAllCommands wants every command of the tool to have been run.
func (k *keeper) wantAllCommands(t *testing.T) {
	t.Helper()
	played := "\n" + strings.Join(k.played, "\n")
	for _, name := range commands(t) {
		if !strings.Contains(played, "\n"+name+" ") {
			t.Errorf("%q has no scene here: run it, and look at what it tells", name)
		}
	}
}

func filesBelow(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// encoded are the secrets, and how else they may be written.
func encoded(secrets ...string) []string {
	var all []string
	for _, secret := range secrets {
		all = append(all, secret, base64.StdEncoding.EncodeToString([]byte(secret)))
		if escaped := url.QueryEscape(secret); escaped != secret {
			all = append(all, escaped)
		}
	}
	return all
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
			values = append(values, encoded(string(value))...)
		}
	}
	if len(values) == 0 {
		t.Fatal("there are no Secrets")
	}
	return values
}

// keysOf are the client keys and tokens of a kubeconfig.
func keysOf(t *testing.T, path string) []string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, user := range config.AuthInfos {
		if user.Token != "" {
			keys = append(keys, user.Token)
		}
		if key := user.ClientKeyData; len(key) > 0 {
			text := base64.StdEncoding.EncodeToString(key)
			keys = append(keys, text[len(text)/2:][:40], strings.Split(string(key), "\n")[1])
		}
	}
	if len(keys) == 0 {
		t.Fatalf("no keys in %s", path)
	}
	return keys
}

// bearer makes a user who is known by a token, which it returns.
func bearer(t *testing.T, bed *testbed.Bed, namespace string) (run.User, string) {
	t.Helper()
	run.Admin(bed).Kubectl(t, "create", "rolebinding", "bearer", "--clusterrole=admin", "--serviceaccount="+namespace+":default", "-n", namespace).WantCode(t, 0)
	got, err := bed.Client.CoreV1().ServiceAccounts(namespace).CreateToken(t.Context(), "default", &authentication.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	writeKubeconfig(t, bed, path, namespace, &api.AuthInfo{Token: got.Status.Token}, nil)
	return run.User{Bed: bed, Name: "bearer", Kubeconfig: path}, got.Status.Token
}

// writeKubeconfig writes one for the bed's API server.
func writeKubeconfig(t *testing.T, bed *testbed.Bed, path, namespace string, user *api.AuthInfo, change func(*api.Cluster)) {
	t.Helper()
	config := api.NewConfig()
	there := &api.Cluster{Server: bed.Config.Host, CertificateAuthorityData: bed.Config.CAData, CertificateAuthority: bed.Config.CAFile}
	if change != nil {
		change(there)
	}
	config.Clusters["there"] = there
	config.AuthInfos["user"] = user
	config.Contexts["there"] = &api.Context{Cluster: "there", AuthInfo: "user", Namespace: namespace}
	config.CurrentContext = "there"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
}

type brokenKubeconfig struct {
	path string
	code int
}

// brokenKubeconfigs have secrets, and do not work.
func brokenKubeconfigs(t *testing.T, bed *testbed.Bed, file func(name, text string, mode os.FileMode) string) map[string]brokenKubeconfig {
	t.Helper()
	all := map[string]brokenKubeconfig{}
	add := func(name string, code int, user *api.AuthInfo, change func(*api.Cluster)) {
		path := file("kubeconfig-"+name, "", 0o600)
		writeKubeconfig(t, bed, path, "", user, change)
		all[name] = brokenKubeconfig{path, code}
	}
	through := func(proxy string) func(*api.Cluster) { return func(c *api.Cluster) { c.ProxyURL = proxy } }
	add("basic", failed, &api.AuthInfo{Username: "bob", Password: password}, nil)
	add("token", failed, &api.AuthInfo{Token: password}, nil)
	add("token-with-line", failed, &api.AuthInfo{Token: password + "\nx"}, nil)
	add("server", failed, &api.AuthInfo{}, func(c *api.Cluster) { c.Server = strings.Replace(c.Server, "://", "://bob:"+password+"@", 1) })
	add("server-gone", failed, &api.AuthInfo{}, func(c *api.Cluster) { c.Server = "https://bob:" + password + "@" + run.Refusing(t) })
	add("server-misspelt", misused, &api.AuthInfo{}, func(c *api.Cluster) { c.Server = "https://bob:" + password + "@ho st" })
	add("proxy-gone", failed, &api.AuthInfo{Token: password}, through("http://bob:"+password+"@"+run.Refusing(t)))
	add("proxy-misspelt", misused, &api.AuthInfo{Token: password}, through("http://bob:"+password+"@ho st"))
	add("proxy-unknown", misused, &api.AuthInfo{Token: password}, through("gopher://bob:"+password+"@host"))
	for name, script := range map[string]string{
		"exec-nonsense": "echo 'token: " + password + "'",
		"exec-json":     `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":["` + password + `"]}}'`,
		"exec-fails":    "echo " + password + "; exit 3",
		"exec-refused":  `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"` + password + `"}}'`,
	} {
		add(name, failed, &api.AuthInfo{Exec: &api.ExecConfig{
			APIVersion: "client.authentication.k8s.io/v1", InteractiveMode: api.NeverExecInteractiveMode,
			Command: file(name, "#!/bin/sh\n"+script+"\n", 0o700), Env: []api.ExecEnvVar{{Name: "PASSWORD", Value: password}}, Args: []string{"--password=" + password},
		}}, nil)
	}
	return all
}

// deny has the API server refuse the chart's Secret in a text that repeats what
// is in it, as a rule of a cluster may; allow ends that.
func deny(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	t.Cleanup(func() { allow(t, bed) })
	object := func(kind string, spec map[string]any) {
		text, err := json.Marshal(map[string]any{"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": map[string]any{"name": "telltale"}, "spec": spec})
		if err != nil {
			t.Fatal(err)
		}
		if err := bed.Apply(t.Context(), string(text)); err != nil {
			t.Fatal(err)
		}
	}
	object("ValidatingAdmissionPolicy", map[string]any{
		"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
			"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "resources": []any{"secrets"}, "operations": []any{"CREATE", "UPDATE"},
		}}},
		"validations": []any{map[string]any{
			"expression": "false", "reason": "Forbidden",
			"messageExpression": `"a Secret cannot hold " + object.data.map(k, string(object.data[k])).join(" or ")`, // as base64,
		}},
	})
	object("ValidatingAdmissionPolicyBinding", map[string]any{
		"policyName": "telltale", "validationActions": []any{"Deny"},
		"matchResources": map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": namespace}}},
	})
	run.Eventually(t, "the rule of the cluster", func(context.Context) error {
		said := run.Admin(bed).Kubectl(t, "create", "secret", "generic", "probe", "-n", namespace, "--from-literal=a="+password, "--dry-run=server")
		if said.Code == 0 || !strings.Contains(said.Stderr, "cannot hold "+base64.StdEncoding.EncodeToString([]byte(password))) {
			return fmt.Errorf("%s", said.Stderr)
		}
		return nil
	})
}

func allow(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	rules := bed.Client.AdmissionregistrationV1()
	_ = rules.ValidatingAdmissionPolicyBindings().Delete(ctx, "telltale", metav1.DeleteOptions{})
	_ = rules.ValidatingAdmissionPolicies().Delete(ctx, "telltale", metav1.DeleteOptions{})
}
