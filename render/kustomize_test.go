package render

import (
	"errors"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// overlayIn writes an overlay into memory.
func overlayIn(t *testing.T, files map[string]string) filesys.FileSystem {
	t.Helper()
	disk := filesys.MakeFsInMemory()
	for name, text := range files {
		if err := disk.MkdirAll(path.Dir(name)); err != nil {
			t.Fatal(err)
		}
		if err := disk.WriteFile(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return disk
}

func TestKustomizeLaysOver(t *testing.T) {
	const patch = `patches:
- target: {kind: Deployment, name: ostoy-frontend}
  patch: |-
    - {op: replace, path: /spec/template/spec/containers/0/image, value: mirror.example.com/ostoy:1}
`
	for name, kustomization := range map[string]string{
		"base put first":       patch,
		"base listed by hand":  "resources: [ostoy-s3.yaml]\n" + patch,
		"beside own resources": "resources: [extra.yaml]\n" + patch,
	} {
		t.Run(name, func(t *testing.T) {
			disk := overlayIn(t, map[string]string{
				"/overlay/kustomization.yaml": kustomization,
				"/overlay/extra.yaml":         "{apiVersion: source.toolkit.fluxcd.io/v1, kind: Bucket, metadata: {name: extra, namespace: demo}}",
			})
			base := objectsOf(t, rosa(), Options{})
			got, err := Kustomize(base, disk, "/overlay", rosa())
			if err != nil {
				t.Fatal(err)
			}
			want := len(base)
			if strings.Contains(kustomization, "extra.yaml") {
				want++
			}
			if len(got) != want {
				t.Errorf("%d objects, want %d", len(got), want)
			}
			for _, object := range got {
				if object.GetKind() == "Deployment" && object.GetName() == "ostoy-frontend" {
					containers, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "containers")
					if image := containers[0].(map[string]any)["image"]; image != "mirror.example.com/ostoy:1" {
						t.Errorf("image is %v", image)
					}
				}
			}
		})
	}
}

// TestEmptyOverlayChangesNothing: kustomize in between must not cost a byte.
func TestEmptyOverlayChangesNothing(t *testing.T) {
	disk := overlayIn(t, map[string]string{"/overlay/kustomization.yaml": ""})
	base := objectsOf(t, rosa(), Options{})
	got, err := Kustomize(base, disk, "/overlay", rosa())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(base, got); diff != "" {
		t.Error(diff)
	}
	if disk.Exists("/overlay/" + BaseName) {
		t.Error("the base was written to the user's directory")
	}
}

func TestKustomizeRefuses(t *testing.T) {
	deletion := func(kind, name string) string {
		return "patches:\n- patch: |-\n    {apiVersion: " + kind + ", metadata: {name: " + name + ", namespace: demo}, $patch: delete}\n"
	}
	for name, c := range map[string]struct{ kustomization, says string }{
		"drops the service account": {deletion("v1, kind: ServiceAccount", "ostoy-sa"), "drops the ServiceAccount"},
		"drops the bucket":          {deletion("s3.services.k8s.aws/v1alpha1, kind: Bucket", "demo-bucket"), "drops the Bucket"},
		"prefixes the bucket":       {"namePrefix: my-\n", "renames the Bucket"},
		"renames spec.name":         {"patches:\n- target: {kind: Bucket}\n  patch: |-\n    - {op: replace, path: /spec/name, value: other}\n", "renames the Bucket"},
		"moves the namespace":       {"namespace: other\n", "other"},
		"no yaml":                   {"a: b: c\n", "kustomization.yaml"},
		"resources no list":         {"resources: ostoy\n", "not a list"},
		"missing file":              {"resources: [nowhere.yaml]\n", "nowhere.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := overlayIn(t, map[string]string{"/overlay/kustomization.yaml": c.kustomization})
			_, err := Kustomize(objectsOf(t, rosa(), Options{}), disk, "/overlay", rosa())
			refused(t, err, c.says)
		})
	}
	disk := overlayIn(t, map[string]string{"/empty/readme": "x"})
	for dir, says := range map[string]string{"/nowhere": "no such directory", "/empty": "no kustomization.yaml"} {
		_, err := Kustomize(objectsOf(t, rosa(), Options{}), disk, dir, rosa())
		refused(t, err, says)
	}
}

func refused(t *testing.T, err error, says string) {
	t.Helper()
	var input *problem.Error
	if !problem.IsInput(err) || !errors.As(err, &input) || !strings.Contains(input.Error(), says) {
		t.Errorf("got %v, want a problem of the input that says %q", err, says)
	}
}
