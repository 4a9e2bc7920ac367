package gitops_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// where are the flags that say where the manifests are.
func where(path string, more ...string) []string {
	return append([]string{"--repo-url", "https://git.example.com/team/apps", "--revision", "main", "--path", path}, more...)
}

// engines makes the kinds of Argo CD and Flux known to the bed, and the
// namespaces in which they would run.
func engines(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	admin := run.Admin(bed)
	crds, err := os.ReadFile("testdata/engines.yaml")
	if err != nil {
		t.Fatal(err)
	}
	admin.Typing(string(crds)).Kubectl(t, "apply", "--server-side", "-f", "-").WantCode(t, done)
	admin.Kubectl(t, "wait", "--for=condition=Established", "--timeout=2m", "crd/applications.argoproj.io", "crd/applicationsets.argoproj.io",
		"crd/argocds.argoproj.io", "crd/kustomizations.kustomize.toolkit.fluxcd.io", "crd/gitrepositories.source.toolkit.fluxcd.io").WantCode(t, done)
	for _, namespace := range []string{"argocd", "openshift-gitops", "flux-system"} {
		admin.Typing("{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}").
			Kubectl(t, "apply", "--server-side", "-f", "-").WantCode(t, done)
	}
}

// TestEnginesTakeThem: the API server takes what is printed for Argo CD and
// Flux, from a stream and from a directory, which holds the same.
func TestEnginesTakeThem(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	engines(t, bed)
	user, admin := committer(t, bed), run.Admin(bed)
	admin.Dir = user.Dir
	mirror(t, user, "overlay", "demo")
	paper := onPaper("demo")[2:] // without -n
	for name, args := range map[string][]string{
		"argocd":           append(where("apps/demo", "--format", "argocd", "-k", "overlay"), "-n", "demo"),
		"argocd-elsewhere": append(where("apps/demo", "--format", "argocd", "--engine-namespace", "argocd"), "-n", "demo"),
		"argocd-projects":  where("apps", "--format", "argocd", "--projects", "blue,green"),
		"flux":             append(where("apps/demo", "--format", "flux", "--depends-on", "ack"), "-n", "demo"),
		"flux-source":      {"--format", "flux", "--path", "apps/demo", "--source", "GitRepository/flux-system", "--projects", "blue,green"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(append([]string{"render"}, paper...), args...)
			printed := user.Run(t, args...).WantCode(t, done)
			admin.Typing(printed.Stdout).Kubectl(t, "apply", "--server-side", "--dry-run=server", "-f", "-").WantCode(t, done)
			user.Run(t, append(args, "--output-dir", name)...).WantCode(t, done)
			user.Kubectl(t, "kustomize", name).WantCode(t, done).WantStdout(t, documents(t, printed.Stdout))
			user.Run(t, append(args, "--output-dir", name, "--check")...).WantCode(t, done)
		})
	}
}

// TestListOfOneProject: it stays in its directory when the others leave the list.
func TestListOfOneProject(t *testing.T) {
	t.Parallel()
	user := committer(t, run.TheBed(t))
	for format, path := range map[string]string{"argocd": "    path: apps/blue\n", "flux": "  path: ./apps/blue\n"} {
		args := append([]string{"render"}, onPaper("demo")[2:]...)
		args = append(args, where("apps", "--format", format, "--projects", "blue")...)
		wantStdout(t, user.Run(t, args...).WantCode(t, done), path, "name: blue\n")
	}
}

// TestEngineRefusals: what an engine would have to guess is asked for.
func TestEngineRefusals(t *testing.T) {
	t.Parallel()
	user := committer(t, run.TheBed(t))
	for says, args := range map[string][]string{
		"--repo-url, --revision, --path": {"--format", "argocd"},
		"unknown format helm":            {"--format", "helm"},
		"no engine is named":             {"--repo-url", "https://git.example.com/x"},
		"one project":                    {"--projects", "a,b"},
		"Flux's":                         where("apps", "--format", "argocd", "--depends-on", "x"),
	} {
		rendered(t, user, "demo", args...).WantCode(t, misused).WantStdout(t, "").WantTalk(t, says)
	}
	write(t, user, "overlay/kustomization.yaml", "namePrefix: x-\n")
	rendered(t, user, "demo", where("apps", "--format", "flux", "-k", "overlay")...).WantCode(t, misused).WantTalk(t, "renames the Bucket")
}

// TestTree: one overlay for each cluster, and each builds to what plain render
// prints for its facts; an ApplicationSet leads to all of them.
func TestTree(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	user := committer(t, bed)
	mirror(t, user, "overlay", "demo")
	clusters := map[string]string{
		"east": "platform: rosa-hcp\nregion: us-east-2\nissuer: https://oidc.op1.openshiftapps.com/2abc\n",
		"west": "platform: rosa-classic\nregion: us-west-2\nissuer: https://oidc.op1.openshiftapps.com/2def\n",
		"eks":  "platform: eks\nregion: eu-central-1\nissuer: https://oidc.eks.eu-central-1.amazonaws.com/id/ABCDEF\n",
	}
	for name, facts := range clusters {
		write(t, user, "facts/"+name+".yaml", "namespace: demo\naccountID: \"123456789012\"\n"+facts)
	}
	write(t, user, "facts/README.md", "not facts\n")
	for dir, overlay := range map[string][]string{"plain": nil, "overlaid": {"-k", "overlay"}} {
		user.Run(t, append([]string{"render", "--facts-dir", "facts", "--output-dir", dir}, overlay...)...).WantCode(t, done)
		for name := range clusters {
			printed := user.Run(t, append([]string{"render", "--facts", "facts/" + name + ".yaml"}, overlay...)...).WantCode(t, done)
			user.Kubectl(t, "kustomize", dir+"/clusters/"+name).WantCode(t, done).WantStdout(t, documents(t, printed.Stdout))
		}
	}
	two := []string{"render", "--facts", "facts/east.yaml", "--facts", "facts/west.yaml"}
	user.Run(t, append(two, "--output-dir", "plain", "--check")...).WantCode(t, refused).WantTalk(t, "plain is not what render makes")
	user.Run(t, append(two, "--output-dir", "plain")...).WantCode(t, done)
	if _, err := os.Stat(user.Dir + "/plain/clusters/eks"); !os.IsNotExist(err) {
		t.Errorf("the cluster that is gone has its directory still: %v", err)
	}
	user.Run(t, append(two, "--output-dir", "plain", "--check")...).WantCode(t, done)

	set := user.Run(t, append(two, where("apps/demo", "--format", "argocd")...)...).WantCode(t, done)
	for _, want := range []string{"path: apps/demo/clusters/east", "cluster: west", "name: '{{.cluster}}'"} {
		if !strings.Contains(set.Stdout, want) {
			t.Errorf("no %q in\n%s", want, set)
		}
	}
	user.Run(t, two...).WantCode(t, misused).WantTalk(t, "--output-dir")
	for _, file := range []string{"facts/Two Words.yaml", "other/east.yaml"} {
		named := append(slices.Concat(two, []string{"--facts", file}), where("apps/demo", "--format", "argocd")...)
		user.Run(t, named...).WantCode(t, misused).WantStdout(t, "").WantTalk(t, "cluster "+strings.TrimSuffix(filepath.Base(file), ".yaml"), "name its file of facts otherwise")
	}
	write(t, user, "facts/half.yaml", "namespace: demo\n")
	user.Run(t, "render", "--facts-dir", "facts", "--output-dir", "plain").WantCode(t, misused).WantTalk(t, "half.yaml")
	user.Run(t, "render", "--facts-dir", "overlay/none", "--output-dir", "plain").WantCode(t, misused).WantTalk(t, "--facts-dir overlay/none")
}

// TestWhatACKWritesIsIgnored: of what Argo CD would compare, the controller has
// changed nothing but what the Application tells it to leave alone.
func TestWhatACKWritesIsIgnored(t *testing.T) {
	t.Parallel()
	const namespace = "written"
	bed := run.TheBed(t)
	admin := run.Admin(bed)
	manifests := admin.Run(t, "render", "-n", namespace, "--include-namespace").WantCode(t, done).Stdout
	admin.Typing(manifests).Kubectl(t, "apply", "--server-side", "-f", "-").WantCode(t, done)
	bucket := "buckets.s3.services.k8s.aws/" + namespace + "-bucket"
	admin.Kubectl(t, "wait", "--for=condition=Ready", bucket, "--timeout=3m", "-n", namespace).WantCode(t, done)
	live := object(t, admin.Kubectl(t, "get", bucket, "-n", namespace, "-o", "yaml").WantCode(t, done).Stdout)
	wanted := map[string]any{}
	for _, text := range strings.Split(manifests, "---\n") {
		if o := object(t, text); o["kind"] == "Bucket" {
			wanted = o
		}
	}
	differs := map[string]bool{}
	compare(differs, "/spec", wanted["spec"], live["spec"])
	for _, part := range []string{"annotations", "labels", "finalizers"} {
		compare(differs, "/metadata/"+part, at(wanted, "metadata", part), at(live, "metadata", part))
	}
	application := object(t, rendered(t, admin, namespace, where("apps", "--format", "argocd")...).WantCode(t, done).Stdout)
	ignored, _ := at(application, "spec").(map[string]any)["ignoreDifferences"].([]any)
	for _, pointer := range ignored[0].(map[string]any)["jsonPointers"].([]any) {
		delete(differs, pointer.(string))
	}
	if len(differs) > 0 || !strings.Contains(manifests, "kind: Bucket") {
		t.Errorf("Argo CD would find that these differ: %v", differs)
	}
}

// object is the first document of a text.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	if _, after, found := strings.Cut(text, "---\n"); found {
		text, _, _ = strings.Cut(after, "---\n")
	}
	decoded := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func at(object map[string]any, path ...string) any {
	var value any = object
	for _, name := range path {
		inner, _ := value.(map[string]any)
		value = inner[name]
	}
	return value
}

// compare notes by JSON pointer what b has otherwise than a, or besides.
func compare(differs map[string]bool, pointer string, a, b any) {
	from, isMap := a.(map[string]any)
	to, areMaps := b.(map[string]any)
	if !isMap || !areMaps {
		if world.InJSON(a) != world.InJSON(b) {
			differs[pointer] = true
		}
		return
	}
	for name := range to {
		compare(differs, pointer+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(name), from[name], to[name])
	}
}
