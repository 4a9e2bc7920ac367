package layout

import (
	"path"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// factsOf are facts as a user gives them who has neither cluster nor AWS at hand.
func factsOf(namespace, platform, region, issuer string) render.Facts {
	return render.Facts{
		Namespace: render.Fact{Value: namespace},
		Account:   render.Fact{Value: "123456789012"},
		Region:    render.Fact{Value: region},
		Issuer:    render.Fact{Value: issuer},
		Platform:  render.Fact{Value: platform},
	}.Complete()
}

func objectsOf(t *testing.T, f render.Facts, set ...string) []*unstructured.Unstructured {
	t.Helper()
	renderer, err := render.New()
	if err != nil {
		t.Fatal(err)
	}
	role := render.RoleARN(f.Partition.Value, f.Account.Value, render.RolePath, render.RoleName(f.Issuer.Value, f.Namespace.Value))
	objects, err := renderer.Objects(f, render.Options{RoleARN: role, Set: set})
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func rosa(t *testing.T, set ...string) []*unstructured.Unstructured {
	t.Helper()
	return objectsOf(t, factsOf("demo", render.PlatformROSAHCP, "us-east-2", "https://oidc.op1.openshiftapps.com/2abc"), set...)
}

// plain is what plain render writes of objects, without the line that leads it.
func plain(t *testing.T, objects []*unstructured.Unstructured) string {
	t.Helper()
	text, err := render.YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(text), "---\n")
}

// build is what kustomize makes of a directory among the files.
func build(t *testing.T, files []File, dir string) string {
	t.Helper()
	disk := filesys.MakeFsInMemory()
	for _, file := range files {
		name := path.Join("/out", file.Path)
		if err := disk.MkdirAll(path.Dir(name)); err != nil {
			t.Fatal(err)
		}
		if err := disk.WriteFile(name, file.Data); err != nil {
			t.Fatal(err)
		}
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // as kubectl does
	built, err := krusty.MakeKustomizer(options).Run(disk, path.Join("/out", dir))
	if err != nil {
		t.Fatal(err)
	}
	text, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFlatBuildsToPlainRender(t *testing.T) {
	for name, set := range map[string][]string{
		"as it is": nil,
		"more":     {"scc.restricted=true", "podIdentity=webhook", "expose=ingress,ingress.host=*.example.com"},
		"odd text": {`bucket.tags.y=on,bucket.tags.n=0x1f,bucket.tags.long=` + strings.Repeat("words and ", 20) + `,ingress.annotations.a=1e3`, "expose=ingress"},
	} {
		t.Run(name, func(t *testing.T) {
			objects := rosa(t, set...)
			files, err := Flat(objects, "# read me\n")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := build(t, files, ""), plain(t, objects); got != want {
				t.Errorf("built:\n%s\nplain:\n%s", got, want)
			}
			if len(files) != len(objects)+1 {
				t.Errorf("%d files for %d objects", len(files), len(objects))
			}
			for _, file := range files {
				if !Made(file.Path, file.Data) || Made("other/"+file.Path, file.Data) {
					t.Errorf("%s is not recognised by its path", file.Path)
				}
			}
			if last := files[len(files)-1]; !strings.Contains(string(last.Data), "\n# read me\n") {
				t.Errorf("no header in\n%s", last.Data)
			}
		})
	}
}

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

func TestNames(t *testing.T) {
	first := object("a.example.com/v1", "Bucket", "demo", "demo-bucket")
	second := object("b.example.com/v1", "Bucket", "demo", "demo-bucket")
	lower, upper := object("rbac/v1", "RoleBinding", "demo", "x:y"), object("rbac/v1", "RoleBinding", "demo", "X-y")
	endless := object("v1", "Secret", "demo", strings.Repeat("n", 253))
	got := names([]*unstructured.Unstructured{
		object("v1", "ServiceAccount", "demo", "ostoy-sa"), first, second, lower, upper, endless, object("v1", "Con", "demo", "aux"),
		object("rbac/v1", "RoleBinding", "demo", "system:openshift:scc:restricted"),
	})
	if got[0] != "serviceaccount-ostoy-sa.yaml" || got[7] != "rolebinding-system-openshift-scc-restricted.yaml" {
		t.Errorf("names are %q", got)
	}
	seen := map[string]bool{}
	allowed := regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*-[a-z0-9.-]*\.yaml$`)
	for _, name := range got {
		if seen[name] || len(name) > 200 || !allowed.MatchString(name) {
			t.Errorf("%s: comes twice, is too long (%d) or cannot be everywhere", name, len(name))
		}
		seen[name] = true
	}
	// A name does not hang on where an object stands.
	if again := names([]*unstructured.Unstructured{second, first}); again[1] != got[1] || again[0] != got[2] {
		t.Errorf("%q in another order: %q", got[1:3], again)
	}
	// Nor on other objects, where they are not alike.
	if alone := names([]*unstructured.Unstructured{first}); alone[0] != "bucket-demo-bucket.yaml" {
		t.Errorf("alone it is %q", alone)
	}
}

func TestRecognition(t *testing.T) {
	const name = "base/a.yaml"
	ours := newFile(name, []byte("kind: A\n")).Data
	windows := []byte(strings.ReplaceAll(string(ours), "\n", "\r\n"))
	if !Made(name, windows) || !Same(ours, windows) {
		t.Error("git's line ends make it another file")
	}
	if Made(name, []byte("kind: A\n"+string(ours))) || Same(ours, ours[1:]) {
		t.Error("a file with other content is taken for ours")
	}
	left := Temporary(name, "42")
	if path.Dir(left) != "base" {
		t.Errorf("%s is in another directory, and cannot be renamed", left)
	}
	for _, c := range []struct {
		name string
		data []byte
		want bool
	}{
		{left, ours, true},
		{left, ours[:7], true},
		{left, nil, true},
		{left, []byte("somebody's own"), false},
		{name, ours, false},
		{"base/.ostoy-s3.tmp", nil, false},
		{"base/a.yaml.42.ostoy-s3.tmp", nil, false},
	} {
		if got := Abandoned(c.name, c.data); got != c.want {
			t.Errorf("%s with %d bytes is abandoned: %t", c.name, len(c.data), got)
		}
	}
}
