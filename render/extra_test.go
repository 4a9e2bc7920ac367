package render

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// everything are options under which the chart renders all kinds that it has.
func everything() []Options {
	return []Options{
		{IncludeNamespace: true, Set: []string{"scc.restricted=true"}},
		{Set: []string{"expose=ingress", "podIdentity=webhook"}},
	}
}

// metadataOf are the metadata of an object and of its pods.
func metadataOf(object *unstructured.Unstructured) []map[string]any {
	all := []map[string]any{object.Object["metadata"].(map[string]any)}
	if pods, found, _ := unstructured.NestedMap(object.Object, "spec", "template", "metadata"); found {
		all = append(all, pods)
	}
	return all
}

// TestExtra: the user's labels and annotations are on every object and on its pods, and
// in no selector.
func TestExtra(t *testing.T) {
	set := []string{"commonLabels.team=a", "commonAnnotations.example\\.com/owner=b", "podLabels.tier=c", "podLabels.team=of-pods", "podAnnotations.note=d"}
	for _, o := range everything() {
		plain := objectsOf(t, rosa(), o)
		o.Set = append(o.Set, set...)
		for n, object := range objectsOf(t, rosa(), o) {
			for which, metadata := range metadataOf(object) {
				labels, _, _ := unstructured.NestedStringMap(metadata, "labels")
				notes, _, _ := unstructured.NestedStringMap(metadata, "annotations")
				wantLabels, wantNotes := map[string]string{"team": "a"}, map[string]string{"example.com/owner": "b"}
				if which > 0 {
					wantLabels["team"], wantLabels["tier"], wantNotes["note"] = "of-pods", "c", "d"
				}
				before := metadataOf(plain[n])[which]
				had, _, _ := unstructured.NestedStringMap(before, "labels")
				maps.Copy(wantLabels, had)
				had, _, _ = unstructured.NestedStringMap(before, "annotations")
				maps.Copy(wantNotes, had)
				if diff := cmp.Diff(wantLabels, labels) + cmp.Diff(wantNotes, notes); diff != "" {
					t.Errorf("%s %s, %d: %s", object.GetKind(), object.GetName(), which, diff)
				}
			}
			delete(object.Object, "metadata")
			delete(plain[n].Object, "metadata")
			unstructured.RemoveNestedField(object.Object, "spec", "template", "metadata")
			unstructured.RemoveNestedField(plain[n].Object, "spec", "template", "metadata")
			if diff := cmp.Diff(plain[n].Object, object.Object); diff != "" {
				t.Errorf("more than metadata differs: %s", diff)
			}
		}
	}
}

// TestExtraNeverOverrides: every key that the chart sets is refused, by name, and so are
// the keys by which Helm and GitOps engines know their objects.
func TestExtraNeverOverrides(t *testing.T) {
	keys := map[string]bool{
		"app.kubernetes.io/managed-by": true, "meta.helm.sh/release-name": true, "argocd.argoproj.io/tracking-id": true,
		"kustomize.toolkit.fluxcd.io/name": true, "ostoy-s3/anything": true, "pod-template-hash": true,
	}
	for _, o := range everything() {
		for _, object := range objectsOf(t, rosa(), o) {
			for _, metadata := range metadataOf(object) {
				for _, of := range []string{"labels", "annotations"} {
					set, _, _ := unstructured.NestedStringMap(metadata, of)
					for key := range set {
						keys[key] = true
					}
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		for _, value := range []string{"commonLabels", "commonAnnotations", "podLabels", "podAnnotations"} {
			file, err := yaml.Marshal(map[string]any{value: map[string]any{key: "x"}})
			if err != nil {
				t.Fatal(err)
			}
			err = renderFails(t, Options{Files: []ValueFile{{Data: file}}})
			if !problem.IsInput(err) || !strings.Contains(err.Error(), value+": the key "+key+" is reserved") {
				t.Errorf("%s.%s: %v", value, key, err)
			}
		}
	}
}

// TestExtraForm: what the API server would refuse is refused before.
func TestExtraForm(t *testing.T) {
	for _, set := range []string{
		"commonLabels.team=a b", "podLabels.team=-a", "commonLabels.-team=a", "commonLabels.team=" + strings.Repeat("a", 64),
		"commonAnnotations.a b=c", "podAnnotations./x=c", "nodeSelector.zone=a/b", "commonLabels.number=5", "commonLabels=x",
	} {
		if err := renderFails(t, Options{Set: []string{set}}); !problem.IsInput(err) {
			t.Errorf("%s: %v", set, err)
		}
	}
}

func renderFails(t *testing.T, o Options) error {
	t.Helper()
	renderer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	_, err = renderer.Objects(rosa(), withRole(rosa(), o))
	return err
}

// TestNodeSelector: the images are for linux/amd64, so the pods are, unless the user says
// otherwise.
func TestNodeSelector(t *testing.T) {
	const arch, os = "kubernetes.io/arch", "kubernetes.io/os"
	for set, want := range map[string]map[string]string{
		"":                                       {arch: "amd64", os: "linux"},
		`nodeSelector.kubernetes\.io/arch=arm64`: {arch: "arm64", os: "linux"},
		`nodeSelector.kubernetes\.io/arch=null`:  {os: "linux"},
		`nodeSelector.example\.com/pool=a`:       {arch: "amd64", os: "linux", "example.com/pool": "a"},
		`nodeSelector=null`:                      nil,
		`nodeSelector.kubernetes\.io/arch=null,nodeSelector.kubernetes\.io/os=null`: nil,
	} {
		var o Options
		if set != "" {
			o.Set = []string{set}
		}
		seen := 0
		for _, object := range objectsOf(t, rosa(), o) {
			if object.GetKind() != "Deployment" {
				continue
			}
			seen++
			got, _, _ := unstructured.NestedStringMap(object.Object, "spec", "template", "spec", "nodeSelector")
			if !maps.Equal(got, want) {
				t.Errorf("%q: %v, want %v", set, got, want)
			}
		}
		if seen != 2 {
			t.Errorf("%d Deployments", seen)
		}
	}
}

// TestNoStorageClass: a hyphen asks for a volume without a class, which is not the same
// as leaving the class to the cluster.
func TestNoStorageClass(t *testing.T) {
	for value, want := range map[string]any{"": nil, "-": "", "gp3": "gp3"} {
		for _, object := range objectsOf(t, rosa(), Options{Set: []string{"storage.storageClassName=" + value}}) {
			if object.GetKind() == "PersistentVolumeClaim" {
				if got := object.Object["spec"].(map[string]any)["storageClassName"]; got != want {
					t.Errorf("%q: %v, want %v", value, got, want)
				}
			}
		}
	}
}
