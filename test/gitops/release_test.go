package gitops_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// objectKinds are the kinds that an install has, and its pods.
func objectKinds() []schema.GroupVersionResource {
	core := func(resource string) schema.GroupVersionResource {
		return schema.GroupVersionResource{Version: "v1", Resource: resource}
	}
	return []schema.GroupVersionResource{
		core("pods"), core("serviceaccounts"), core("configmaps"), core("secrets"), core("services"), core("persistentvolumeclaims"),
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Group: "route.openshift.io", Version: "v1", Resource: "routes"},
		{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
		{Group: "s3.services.k8s.aws", Version: "v1alpha1", Resource: "buckets"},
	}
}

// runningInstall is what must not change when hands do: which objects there are,
// pods included, and of which generation. The inventory is left out. owners has
// the appliers of each object.
func runningInstall(t *testing.T, bed *testbed.Bed, namespace string) (things []string, owners map[string][]string) {
	t.Helper()
	owners = map[string][]string{}
	for _, kind := range objectKinds() {
		list, err := bed.Dynamic.Resource(kind).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		must(t, err)
		for _, o := range list.Items {
			name := kind.Resource + "/" + o.GetName()
			if name == "configmaps/ostoy-s3" {
				continue
			}
			generation := o.GetGeneration()
			if o.GetKind() == "Deployment" { // it counts annotations, too (Kubernetes, registry/apps/deployment/strategy.go)
				generation = 0
			}
			things = append(things, fmt.Sprintf("%s %s generation %d\n%s", name, o.GetUID(), generation, content(o)))
			owners[name] = appliers(o)
		}
	}
	slices.Sort(things)
	return things, owners
}

// content is an object without its metadata and status; of a pod nothing, the uid
// tells enough.
func content(o unstructured.Unstructured) string {
	if o.GetKind() == "Pod" {
		return ""
	}
	bare := o.DeepCopy().Object
	delete(bare, "metadata")
	delete(bare, "status")
	return world.InJSON(bare)
}

func appliers(o unstructured.Unstructured) []string {
	var names []string
	for _, entry := range o.GetManagedFields() {
		if entry.Operation == metav1.ManagedFieldsOperationApply {
			names = append(names, entry.Manager)
		}
	}
	slices.Sort(names)
	return names
}

// wantUndisturbed wants the same objects, and every one that was ours to have
// these appliers now.
func wantUndisturbed(t *testing.T, bed *testbed.Bed, namespace string, before []string, was map[string][]string, now ...string) {
	t.Helper()
	after, owners := runningInstall(t, bed, namespace)
	if !slices.Equal(before, after) {
		t.Errorf("before\n%s\nafter\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	ours := 0
	for name, names := range was {
		if slices.Contains(names, "ostoy-s3") {
			ours++
			if !slices.Equal(owners[name], now) {
				t.Errorf("%s is applied by %q, want %q", name, owners[name], now)
			}
		}
	}
	if ours < 10 {
		t.Errorf("only %d objects were ours: %v", ours, was)
	}
}

// TestTakenOver follows docs/moving.md, command by command: Argo CD and Flux take
// over what runs, and nothing is restarted or lost; and back again.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	for namespace, e := range map[string]*engine{"to-argo": argoCD(), "to-flux": flux()} {
		t.Run(e.title, func(t *testing.T) {
			t.Parallel()
			bed, admin := run.TheBed(t), installed(t, namespace)
			engines(t, bed)
			before, was := runningInstall(t, bed, namespace)
			role := strings.Join(inAWS(t, bed, namespace), "\n")
			e.start(t, admin, namespace)
			admin.Run(t, "release", "-n", namespace).WantCode(t, refused).
				WantTalk(t, "13 objects are not managed by Argo CD or Flux yet", "-n "+e.in, "--to none")
			if e.title == "Argo CD" {
				synced(t, admin, e)
			}
			wantUndisturbed(t, bed, namespace, before, was, "ostoy-s3")
			said := follow(t, admin, e.heading, namespace)
			wantUndisturbed(t, bed, namespace, before, was, e.manager)
			for _, text := range []string{"managed by " + e.manager, "ConfigMap ostoy-s3", "13 objects released", "\n" + e.manager + "\n"} {
				if !strings.Contains(said, text) {
					t.Errorf("no %q in\n%s", text, said)
				}
			}
			// Nothing is left to remove, whatever override is given.
			for _, flags := range [][]string{nil, {"--dry-run"}, {"--delete-data", "--yes", "--force-owner"}} {
				admin.Run(t, append([]string{"uninstall", "-n", namespace}, flags...)...).WantCode(t, refused).WantStdout(t, "").
					WantTalk(t, "is managed by "+e.title+" (", namespace+") and not by ostoy-s3", "remove the app from Git").WantNoTalk(t, "oc delete")
			}
			wantUndisturbed(t, bed, namespace, before, was, e.manager)
			if now := strings.Join(inAWS(t, bed, namespace), "\n"); now != role || now == "" {
				t.Errorf("in AWS there was\n%s\nand is\n%s", role, now)
			}
			wantStdout(t, admin.Run(t, "status", "-n", namespace).WantCode(t, 0), "by "+e.title+", inventory missing", "drift", "none")
			for _, command := range []string{"install", "diff"} { // one problem with a list, not one for each object
				admin.Run(t, command, "-n", namespace).WantCode(t, refused).
					WantTalk(t, "13 objects in "+namespace+" are managed by "+e.title+" (", namespace+"): ServiceAccount ostoy-sa, ")
			}
			if e.title == "Argo CD" {
				leavesGit(t, admin, e)
			}
			e.end(t)
			wantStdout(t, admin.Run(t, "diff", "-n", namespace, "--force-owner").WantCode(t, some), "-    "+map[string]string{"Flux": "kustomize.toolkit.fluxcd.io/name", "Argo CD": "argocd.argoproj.io/tracking-id"}[e.title], "not \n+ ")
			admin.Run(t, "install", "-n", namespace, "--force-owner").WantCode(t, 0).WantTalk(t, "13 objects", "taken over from "+e.title)
			wantUndisturbed(t, bed, namespace, before, was, "ostoy-s3")
			wantOurs(t, admin, e)
		})
	}
}

// synced creates the Application. Argo CD finds nothing to do, so it takes nothing
// over, and the project is not released.
func synced(t *testing.T, admin run.User, e *engine) {
	t.Helper()
	application := admin.Run(t, append([]string{"render", "-n", e.name}, where("apps/"+e.name, "--format", "argocd")...)...)
	admin.Typing(application.WantCode(t, 0).Stdout).Kubectl(t, "apply", "--server-side", "-f", "-").WantCode(t, 0)
	admin.Kubectl(t, "wait", "applications.argoproj.io/"+e.name, "-n", e.in, "--for=jsonpath={.status.sync.status}=Synced", "--timeout=2m").WantCode(t, 0)
	for _, flags := range [][]string{nil, {"--to", "argocd"}, {"--dry-run"}} {
		admin.Run(t, append([]string{"release", "-n", e.name}, flags...)...).WantCode(t, refused).
			WantTalk(t, "oc patch applications.argoproj.io "+e.name+" -n "+e.in+" --type=merge -p")
	}
}

// leavesGit takes Bucket and volume out of Git. They are never pruned, and the
// Application is Synced all the same: Argo CD would else start sync after sync.
func leavesGit(t *testing.T, admin run.User, e *engine) {
	t.Helper()
	rest := slices.DeleteFunc(slices.Clone(e.manifests), func(o *unstructured.Unstructured) bool {
		return o.GetKind() == "Bucket" || o.GetKind() == "PersistentVolumeClaim"
	})
	e.git.Store(&rest)
	revision := fmt.Sprintf("--for=jsonpath={.status.sync.revision}=%d manifests", len(rest))
	admin.Kubectl(t, "wait", "applications.argoproj.io/"+e.name, "-n", e.in, revision, "--timeout=2m").WantCode(t, 0)
	admin.Kubectl(t, "get", "applications.argoproj.io/"+e.name, "-n", e.in, "-o", "jsonpath={.status.sync.status}").WantCode(t, 0).WantStdout(t, "Synced")
}

// wantOurs wants what an engine managed to be managed by ostoy-s3 alone: no flag is
// needed any more, and nothing names the engine.
func wantOurs(t *testing.T, admin run.User, e *engine) {
	t.Helper()
	for _, manifest := range e.manifests {
		live, err := e.client(manifest).Get(t.Context(), manifest.GetName(), metav1.GetOptions{})
		must(t, err)
		text := world.InJSON(map[string]any{"labels": live.GetLabels(), "annotations": live.GetAnnotations(), "managers": managersOf(live)})
		for _, mark := range []string{"toolkit.fluxcd.io/name", "argocd.argoproj.io/tracking-id", e.manager, "before-first-apply"} {
			if strings.Contains(text, mark) {
				t.Errorf("%s %s has still %s: %s", live.GetKind(), live.GetName(), mark, text)
			}
		}
	}
	admin.Run(t, "install", "-n", e.name).WantCode(t, 0).WantTalk(t, "nothing to change")
	wantStdout(t, admin.Run(t, "status", "-n", e.name).WantCode(t, 0), "not by "+e.title)
	wantStdout(t, admin.Run(t, "diff", "-n", e.name).WantCode(t, none))
	admin.Run(t, "uninstall", "-n", e.name, "--delete-data", "--yes").WantCode(t, 0).WantTalk(t, "role ")
	if left, _ := runningInstall(t, admin.Bed, e.name); len(left) > 2 { // what every project has
		t.Errorf("left:\n%s", strings.Join(left, "\n"))
	}
}

// managersOf are the names in managedFields.
func managersOf(o *unstructured.Unstructured) []string {
	var names []string
	for _, entry := range o.GetManagedFields() {
		names = append(names, entry.Manager)
	}
	return names
}

// inAWS is the role and the bucket of a namespace.
func inAWS(t *testing.T, bed *testbed.Bed, namespace string) []string {
	t.Helper()
	w := world.World{}
	w.Roles(t, bed, namespace)
	w.Bucket(t, bed.S3(), namespace+"-bucket")
	var all []string
	for name, text := range w {
		all = append(all, name+" "+text)
	}
	slices.Sort(all)
	return all
}

// follow runs the commands of a section of docs/moving.md in a shell, for another
// project, and gives all that they say.
func follow(t *testing.T, user run.User, heading, namespace string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/moving.md")
	must(t, err)
	_, section, found := strings.Cut(string(page), heading+"\n")
	if !found {
		t.Fatalf("docs/moving.md has no %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var script []string
	for _, block := range strings.Split(section, "```sh\n")[1:] {
		commands, _, _ := strings.Cut(block, "```")
		script = append(script, strings.NewReplacer("-n demo", "-n "+namespace, " demo ", " "+namespace+" ").Replace(commands))
	}
	if len(script) == 0 {
		t.Fatalf("no commands under %q", heading)
	}
	bin := t.TempDir()
	must(t, os.WriteFile(filepath.Join(bin, "oc"), []byte("#!/bin/sh\nexec "+user.Bed.BinDir+"/kubectl \"$@\"\n"), 0o700))
	user = user.With("PATH=" + strings.Join([]string{bin, filepath.Dir(run.Tool()), os.Getenv("PATH")}, string(os.PathListSeparator)))
	shell := user.Command(t.Context(), t)
	shell.Path, shell.Args = "/bin/bash", []string{"bash", "-exuo", "pipefail", "-c", strings.Join(script, "\n")}
	said, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return string(said)
}
