package cluster_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// secretsOfKubeconfig stand where kubeconfigs have secrets.
const (
	fuzzToken    = "t0ken-of-the-kubeconfig"
	fuzzPassword = "pa55word-of-the-kubeconfig"
	fuzzUsers    = "apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user: {token: " + fuzzToken + ", username: bob, password: " + fuzzPassword +
		", client-key-data: dDBrZW4tb2YtdGhlLWt1YmVjb25maWc=, client-certificate-data: eA==}\n"
)

// FuzzKubeconfig: a kubeconfig of any content gives a connection, or an error of
// the user's in three parts; neither tells its secrets, and the namespace it
// chooses is one that names an object of the cluster, or is refused.
func FuzzKubeconfig(f *testing.F) {
	const context = "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: NS}}]\n"
	const server = "clusters: [{name: k, cluster: {server: 'https://bob:" + fuzzPassword + "@127.0.0.1:1'}}]\n"
	for _, namespace := range []string{"demo", "''", "../x", "a b", "[x]", "default", "kube-system", strings.Repeat("n", 64), "\"\\0\"", "a\n---\nb"} {
		f.Add([]byte(strings.ReplaceAll(context, "NS", namespace) + server))
	}
	for _, tail := range []string{
		"", "current-context: c", context, context + "clusters: [{name: k, cluster: {server: 'http://u:" + fuzzPassword + "@ho st'}}]",
		context + "clusters: [{name: k, cluster: {server: 'http://x', proxy-url: 'http://u:" + fuzzPassword + "@ho st'}}]",
		context + "clusters: [{name: k, cluster: {server: 'http://x', proxy-url: 'nonsense://u:" + fuzzPassword + "@host'}}]",
		context + "clusters: [{name: k, cluster: {server: 'http://x', certificate-authority: /nowhere}}]",
		context + "clusters: [{name: k, cluster: {server: 'http://x', certificate-authority-data: '!'}}]", "clusters: {", "contexts: [{}]\nclusters: x", "\xff",
	} {
		f.Add([]byte(tail))
	}
	dir := f.TempDir()
	f.Setenv("KUBERNETES_SERVICE_HOST", "")
	f.Fuzz(func(t *testing.T, tail []byte) {
		file, err := os.CreateTemp(dir, "config")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.Remove(file.Name()) }()
		if _, err := file.Write(append([]byte(fuzzUsers), tail...)); err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		getter := genericclioptions.NewConfigFlags(true)
		path := filepath.Clean(file.Name())
		getter.KubeConfig = &path
		conn, err := cluster.Connect(getter, cluster.Options{})
		if err != nil {
			checkFault(t, err)
			return
		}
		namespace, explicit := conn.Namespace()
		wantNoSecret(t, conn.Host()+conn.Context()+conn.NamespaceSource()+namespace)
		if namespace == "" || explicit {
			t.Errorf("namespace %q, explicit %t", namespace, explicit)
		}
		facts := render.Facts{Namespace: render.Fact{Value: namespace, Source: conn.NamespaceSource()}}
		if facts.Validate() == nil && (strings.ContainsAny(namespace, "/.% \n\x00") || len(namespace)+len("-bucket") > 63) {
			t.Errorf("namespace %q is taken", namespace)
		}
		var unreachable *problem.Error
		if errors.As(conn.Translate(errors.New("dial "+conn.Config().Host)), &unreachable) {
			wantNoSecret(t, unreachable.What+unreachable.Why+unreachable.Next)
		}
	})
}

func checkFault(t *testing.T, err error) {
	t.Helper()
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Usage || told.What == "" || told.Why == "" || told.Next == "" {
		t.Fatalf("not in three parts: %#v", err)
	}
	wantNoSecret(t, told.What+told.Why+told.Next)
}

func wantNoSecret(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{fuzzToken, fuzzPassword, "dDBrZW4tb2Yt"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is told: %s", secret, text)
		}
	}
}
