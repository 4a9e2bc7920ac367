package layout

import (
	"bytes"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Flat is the directory of one set of objects: a file for each, and the
// kustomization.yaml that lists them in the order given. header is comment
// lines for its reader, each ending with a newline.
func Flat(objects []*unstructured.Unstructured, header string) ([]File, error) {
	stems := names(objects)
	files := make([]File, 0, len(objects)+1)
	for i, object := range objects {
		text, err := document(object)
		if err != nil {
			return nil, err
		}
		files = append(files, newFile(stems[i], text))
	}
	list, err := listing(kustomization, header, map[string]any{"resources": stems})
	if err != nil {
		return nil, err
	}
	return append(files, list), nil
}

// document is an object as plain render writes it.
func document(object *unstructured.Unstructured) ([]byte, error) {
	text, err := render.YAML([]*unstructured.Unstructured{object})
	return bytes.TrimPrefix(text, []byte("---\n")), err
}

// listing is a kustomization file. The order of its resources is kept only if
// it says so, which kustomize 5 (kubectl 1.27) was the first to understand.
func listing(name, header string, content map[string]any) (File, error) {
	content["apiVersion"] = "kustomize.config.k8s.io/v1beta1"
	content["kind"] = "Kustomization"
	content["sortOptions"] = map[string]any{"order": "fifo"}
	text, err := yaml.Marshal(content)
	if err != nil {
		return File{}, err
	}
	return newFile(name, append([]byte(header), text...)), nil
}
