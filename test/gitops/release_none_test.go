package gitops_test

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestRelease: before anybody else has applied the objects; then nobody has them,
// and install takes them back as they are.
func TestRelease(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "let-go"
	installed(t, namespace)
	user := run.Admin(bed).With("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=") // AWS is not asked
	before, was := runningInstall(t, bed, namespace)
	mark := bed.KubeMark()
	user.Run(t, "release", "-n", namespace).WantCode(t, refused).WantTalk(t, "13 objects are not managed by Argo CD or Flux yet").WantStdout(t, "")
	user.Run(t, "release", "-n", namespace, "--to", "nobody").WantCode(t, misused).WantTalk(t, "--to is argocd, flux or none")
	wantOnlyLooks(t, asked(t, bed, mark, namespace))
	mark = bed.KubeMark()
	user.Run(t, "release", "-n", namespace, "--to", "none", "--dry-run").WantCode(t, 0).WantTalk(t, "managed by nobody then", "this was a dry run").WantStdout(t, "")
	wantOnlyLooks(t, asked(t, bed, mark, namespace))
	wantUndisturbed(t, bed, namespace, before, was, "ostoy-s3")

	var document struct {
		Namespace string
		Objects   []struct{ Object string }
		Inventory bool
	}
	user.Run(t, "release", "-n", namespace, "--to", "none", "-o", "json").WantCode(t, 0).JSON(t, &document)
	if len(document.Objects) != 13 || !document.Inventory || document.Namespace != namespace {
		t.Errorf("document %+v", document)
	}
	wantUndisturbed(t, bed, namespace, before, was)
	user.Run(t, "release", "-n", namespace).WantCode(t, 0).WantTalk(t, "nothing here is ours")

	admin := run.Admin(bed)
	admin.Run(t, "status", "-n", namespace).WantCode(t, 0)
	admin.Run(t, "uninstall", "-n", namespace, "--delete-data", "--yes").WantCode(t, 0)
	wantUndisturbed(t, bed, namespace, before, was)
	admin.Run(t, "diff", "-n", namespace).WantCode(t, none).WantStdout(t, "").WantTalk(t, "13 objects would only be taken into the inventory")
	follow(t, admin, "## Back to install", namespace)
	wantUndisturbed(t, bed, namespace, before, was, "ostoy-s3")
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0).WantTalk(t, "nothing to change")
	user.Run(t, "release", "-n", namespace, "--to", "none").WantCode(t, 0)
	wantNoCoOwner(t, admin, namespace)
	admin.Run(t, "install", "-n", namespace, "--force-owner").WantCode(t, 0)
	wantUndisturbed(t, bed, namespace, before, was, "ostoy-s3")
	user.Run(t, "release", "-n", "never-there").WantCode(t, misused).WantTalk(t, "project never-there does not exist")
}

// wantNoCoOwner has Flux apply what was released to nobody: it is the only owner, so
// that what leaves Git later leaves the cluster.
func wantNoCoOwner(t *testing.T, admin run.User, namespace string) {
	t.Helper()
	e := flux()
	e.start(t, admin, namespace)
	for _, manifest := range e.manifests {
		changed := manifest.DeepCopy()
		labels := changed.GetLabels()
		labels["team"] = "blue"
		changed.SetLabels(labels)
		for _, o := range []*unstructured.Unstructured{manifest, changed, manifest} {
			_, err := e.put(t.Context(), o)
			must(t, err)
		}
		reduced := manifest.DeepCopy()
		unstructured.RemoveNestedField(reduced.Object, "metadata", "labels", "app.kubernetes.io/component")
		live, err := e.put(t.Context(), reduced)
		must(t, err)
		if names := managersOf(live); slices.Contains(names, "before-first-apply") || slices.Contains(names, "ostoy-s3") {
			t.Errorf("%s %s is managed by %q", live.GetKind(), live.GetName(), names)
		}
		for _, key := range []string{"team", "app.kubernetes.io/component"} {
			if _, there := live.GetLabels()[key]; there {
				t.Errorf("%s %s has still the label %s, which left Git", live.GetKind(), live.GetName(), key)
			}
		}
	}
}
