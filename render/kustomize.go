package render

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// BaseName is the file under which an overlay sees our output. An overlay may
// list it as a resource, so that it also builds with plain kustomize beside a
// file of that name; where it does not, it is put first.
const BaseName = "ostoy-s3.yaml"

// bucketGroup is the API group of ACK's Bucket.
const bucketGroup = "s3.services.k8s.aws"

// Kustomize lays the overlay in dir of disk over objects. What the overlay may
// not do is lose the service account or rename the bucket: the role trusts the
// one and OSToy looks for the other.
func Kustomize(objects []*unstructured.Unstructured, disk filesys.FileSystem, dir string, f Facts) ([]*unstructured.Unstructured, error) {
	overlay, err := newOverlay(objects, disk, dir)
	if err != nil {
		return nil, err
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(overlay, dir)
	if err != nil {
		return nil, overlayError(dir, err.Error(), err)
	}
	var built []*unstructured.Unstructured
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return nil, overlayError(dir, err.Error(), err)
		}
		decoded, err := Decode(text)
		if err != nil {
			return nil, overlayError(dir, err.Error(), err)
		}
		built = append(built, decoded...)
	}
	if why := overlayBreaks(built, f); why != "" {
		return nil, overlayError(dir, why, nil)
	}
	Sort(built)
	return built, nil
}

// overlayBreaks says which of our promises the built objects no longer keep.
func overlayBreaks(built []*unstructured.Unstructured, f Facts) string {
	bucket := BucketName(f.Namespace.Value)
	account, bucketFound := false, false
	for _, object := range built {
		if ns := object.GetNamespace(); ns != "" && ns != f.Namespace.Value {
			return fmt.Sprintf("it moves %s %s to namespace %s; the role trusts %s only", object.GetKind(), object.GetName(), ns, f.Namespace.Value)
		}
		switch object.GetKind() {
		case "ServiceAccount":
			account = account || object.GetName() == ServiceAccount
		case "Bucket":
			if object.GroupVersionKind().Group != bucketGroup { // Flux has one, too
				continue
			}
			name, _, _ := unstructured.NestedString(object.Object, "spec", "name")
			if object.GetName() != bucket || name != bucket {
				return fmt.Sprintf("it renames the Bucket to %s (spec.name %s); OSToy always looks for %s", object.GetName(), name, bucket)
			}
			bucketFound = true
		}
	}
	switch {
	case !account:
		return "it drops the ServiceAccount " + ServiceAccount + ", the only one the role trusts"
	case !bucketFound:
		return "it drops the Bucket " + bucket
	}
	return ""
}

func overlayError(dir, why string, err error) error {
	return problem.Input("kustomize overlay "+dir, overlayFault(why),
		"correct the overlay; oc ostoy-s3 render without -k prints the manifests below it").Because(err)
}

// overlay is the user's directory with our output standing in it, in memory
// only: nothing is written to the user's disk.
type overlay struct {
	filesys.FileSystem
	kustomization string // path of the kustomization file
	amended       []byte // its content with the base among its resources
	base          string // path of the base
	objects       []byte
}

func newOverlay(objects []*unstructured.Unstructured, disk filesys.FileSystem, dir string) (*overlay, error) {
	if !disk.IsDir(dir) {
		return nil, overlayError(dir, "there is no such directory", fs.ErrNotExist)
	}
	root, _, err := disk.CleanedAbs(dir)
	if err != nil {
		return nil, overlayError(dir, err.Error(), err)
	}
	text, err := YAML(objects)
	if err != nil {
		return nil, err
	}
	o := &overlay{FileSystem: disk, base: root.Join(BaseName), objects: text}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		path := root.Join(name)
		if !disk.Exists(path) {
			continue
		}
		content, err := disk.ReadFile(path)
		if err != nil {
			return nil, overlayError(dir, err.Error(), err)
		}
		o.kustomization = path
		if o.amended, err = withBase(content); err != nil {
			return nil, overlayError(dir, name+": "+err.Error(), err)
		}
		return o, nil
	}
	return nil, overlayError(dir, "it has no kustomization.yaml", nil)
}

// withBase puts the base in front of a kustomization's resources.
func withBase(kustomization []byte) ([]byte, error) {
	content := map[string]any{}
	if err := yaml.Unmarshal(kustomization, &content); err != nil {
		return nil, err
	}
	resources, ok := content["resources"].([]any)
	if !ok && content["resources"] != nil {
		return nil, errors.New("resources is not a list")
	}
	if !slices.Contains(resources, any(BaseName)) {
		content["resources"] = append([]any{BaseName}, resources...)
	}
	return yaml.Marshal(content)
}

func (o *overlay) is(path, what string) bool { return path == what || filepath.Clean(path) == what }

// ReadFile answers the two files that differ from the disk.
func (o *overlay) ReadFile(path string) ([]byte, error) {
	switch {
	case o.is(path, o.base):
		return o.objects, nil
	case o.is(path, o.kustomization):
		return o.amended, nil
	}
	return o.FileSystem.ReadFile(path)
}

// Exists says yes for the base, too.
func (o *overlay) Exists(path string) bool { return o.is(path, o.base) || o.FileSystem.Exists(path) }

// IsDir says no for the base.
func (o *overlay) IsDir(path string) bool { return !o.is(path, o.base) && o.FileSystem.IsDir(path) }

// CleanedAbs resolves the base although the disk has no such file.
func (o *overlay) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	if !o.is(path, o.base) {
		return o.FileSystem.CleanedAbs(path)
	}
	dir, _, err := o.FileSystem.CleanedAbs(filepath.Dir(path))
	return dir, BaseName, err
}
