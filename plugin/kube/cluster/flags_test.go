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
)

// TestFlagFlaws: a flag that makes a good kubeconfig unusable is named, and not the
// kubeconfig; without the flag, the same connection can be made.
func TestFlagFlaws(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	const good = `{"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
		"clusters": [{"name": "k", "cluster": {"server": "https://api.example.com:6443"}}], "users": [{"name": "u", "user": {"token": "t"}}]}`
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		set  func(f *genericclioptions.ConfigFlags)
		what string
		next string
	}{
		"a timeout without a unit that exists": {func(f *genericclioptions.ConfigFlags) { *f.Timeout = "5x" }, `invalid --request-timeout "5x"`, "30s"},
		"a user that the kubeconfig lacks":     {func(f *genericclioptions.ConfigFlags) { *f.AuthInfoName = "nobody" }, `invalid --user "nobody"`, "oc config get-users"},
		"a CA that is no file":                 {func(f *genericclioptions.ConfigFlags) { *f.CAFile = "/none" }, `invalid --certificate-authority "/none"`, "leave it out"},
		"a certificate that is no file":        {func(f *genericclioptions.ConfigFlags) { *f.CertFile = "/none" }, `invalid --client-certificate "/none"`, "leave it out"},
		"a group without a user":               {func(f *genericclioptions.ConfigFlags) { *f.ImpersonateGroup = []string{"g"} }, `invalid --as-group "g"`, "leave it out"},
		"a server that is no address":          {func(f *genericclioptions.ConfigFlags) { *f.APIServer = "https://a b" }, `invalid --server "https://a b"`, "URL"},
	} {
		t.Run(name, func(t *testing.T) {
			flags := genericclioptions.NewConfigFlags(false)
			*flags.KubeConfig = file
			if _, err := cluster.Connect(flags, cluster.Options{}); err != nil {
				t.Fatalf("without the flag: %v", err)
			}
			test.set(flags)
			_, err := cluster.Connect(flags, cluster.Options{})
			told, ok := errors.AsType[*problem.Error](err)
			if !ok || told.Kind != problem.Usage || told.What != test.what || !strings.Contains(told.Next, test.next) || strings.Contains(told.Next, "oc login") {
				t.Errorf("%+v", err)
			}
		})
	}
}
