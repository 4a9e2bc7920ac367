package chart_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// tools builds the helm that this module pins, once for all tests.
var tools = sync.OnceValues(func() (string, error) {
	return testbed.Tools(context.Background(), os.Stderr, "")
})

// helm runs helm in a home of its own and returns stdout, or when it fails
// everything it said.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	dir, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "helm"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(home, "none"),
		"HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String() + stderr.String(), err
	}
	return stdout.String(), nil
}

func chartDir(t *testing.T) string { return filepath.Join(root(t), "charts", "ostoy-s3") }

// plugin builds kubectl-ostoy_s3 and returns a function that runs it without
// cluster, account and home.
func plugin(t *testing.T) func(args ...string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kubectl-ostoy_s3")
	build := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", binary, "./cmd/kubectl-ostoy_s3")
	build.Dir = root(t)
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, output)
	}
	home := t.TempDir()
	return func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Env = []string{"HOME=" + home, "PATH=", "KUBECONFIG=" + filepath.Join(home, "none")}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("kubectl-ostoy_s3 %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return stdout.String()
	}
}

// decode reads a stream of YAML documents, by "Kind namespace/name".
func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	objects := map[string]any{}
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := map[string]any{}
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if len(object) == 0 {
			continue
		}
		kind, _ := object["kind"].(string)
		metadata, _ := object["metadata"].(map[string]any)
		namespace, _ := metadata["namespace"].(string)
		name, _ := metadata["name"].(string)
		key := kind + " " + namespace + "/" + name
		if objects[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		objects[key] = object
	}
}

// People who run Helm themselves get the objects everybody else gets.
func TestHelmAndRenderAgree(t *testing.T) {
	ostoy := plugin(t)
	facts := []string{
		"-n", "demo", "--account-id", "123456789012", "--region", "us-east-2", "--kube-version", "v1.33.4",
		"--oidc-issuer", "https://oidc.op1.openshiftapps.com/2abcdefghijklmnopqrstuvwxyz01234",
		"--cluster-id", "6d5c1f0e-52a4-4c39-9d0b-0f6a7b1c2d3e", "--audience", "sts.amazonaws.com", "--partition", "aws",
	}
	route := []string{"--platform", "rosa-hcp", "--api-versions", "route.openshift.io/v1"}
	plain := []string{"--platform", "kubernetes", "--api-versions", "v1"}
	for _, tc := range []struct {
		name string
		args []string
		want string // an object that is there because of the arguments
	}{
		{"ROSA", route, "Route demo/ostoy-route"},
		{"policies", route, "NetworkPolicy demo/ostoy-frontend"},
		{"egress", append(plain, "--set", "networkPolicy.egress=restricted,networkPolicy.proxyPorts={3128}"), "NetworkPolicy demo/ostoy-microservice"},
		{"plain Kubernetes", plain, "Bucket demo/demo-bucket"},
		{"ingress", append(plain, "--set", "expose=ingress", "--set", "ingress.host=ostoy.example.com"), "Ingress demo/ostoy-ingress"},
		{"route TLS", append(route, "--set", "route.tls=edge"), "Route demo/ostoy-route"},
		{"ingress TLS", append(plain, "--set", "expose=ingress,ingress.host=ostoy.example.com", "--set", "ingress.tls[0].secretName=ostoy-tls"), "Ingress demo/ostoy-ingress"},
		{"webhook", append(route, "--set", "podIdentity=webhook", "--set", "waitForBucket.enabled=false"), "ServiceAccount demo/ostoy-sa"},
		{"scc and tags", append(route, "--set", "scc.restricted=true", "--set-string", "bucket.tags.cost=4711"), "RoleBinding demo/system:openshift:scc:restricted"},
		{"sizes", append(route, "--set", "microservice.replicas=3", "--set", "storage.size=2Gi", "--set", "secrets.existing=true"), "PersistentVolumeClaim demo/ostoy-pvc"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			args := append(slices.Clone(facts), tc.args...)
			rendered := decode(t, ostoy(append([]string{"render"}, args...)...))
			if rendered[tc.want] == nil {
				t.Errorf("no %s among %v", tc.want, slices.Sorted(maps.Keys(rendered)))
			}
			values := filepath.Join(t.TempDir(), "values.yaml")
			if err := os.WriteFile(values, []byte(ostoy(append([]string{"values"}, args...)...)), 0o644); err != nil {
				t.Fatal(err)
			}
			// Of the cluster helm knows nothing here, and need not: the values say it all.
			text, err := helm(t, "template", "any-name", chartDir(t), "--namespace", "demo", "--values", values)
			if err != nil {
				t.Fatalf("helm template: %v\n%s", err, text)
			}
			if diff := cmp.Diff(decode(t, text), rendered); diff != "" {
				t.Errorf("objects differ (-helm +render):\n%s", diff)
			}
			if text, err := helm(t, "lint", "--strict", chartDir(t), "--namespace", "demo", "--values", values); err != nil {
				t.Errorf("helm lint: %v\n%s", err, text)
			}
		})
	}
}

// The chart is in order before anybody gives values, and asks for them.
func TestHelmWithoutValues(t *testing.T) {
	if text, err := helm(t, "lint", "--strict", chartDir(t)); err != nil {
		t.Errorf("helm lint: %v\n%s", err, text)
	}
	text, err := helm(t, "template", "any-name", chartDir(t), "--namespace", "demo")
	if err == nil || !strings.Contains(text, "aws.accountID is not set") {
		t.Errorf("helm template without values: %v\n%s", err, text)
	}
}

// The embedded chart and the folder are one: what .helmignore leaves out, helm
// would not see and the plugin would.
func TestHelmPackageHasEveryFile(t *testing.T) {
	dir := t.TempDir()
	text, err := helm(t, "package", chartDir(t), "--destination", dir)
	if err != nil {
		t.Fatalf("helm package: %v\n%s", err, text)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("%v %v", archives, err)
	}
	packed := t.TempDir()
	if err := run(t.Context(), packed, "tar", "-xzf", archives[0]); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(files(t, chartDir(t)), files(t, filepath.Join(packed, "ostoy-s3"))); diff != "" {
		t.Errorf("files (-folder +package):\n%s", diff)
	}
}

// files lists the files below dir.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
