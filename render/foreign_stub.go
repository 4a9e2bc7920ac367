package render

import (
	"io/fs"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type Foreign struct{}

func LoadArchive(data []byte) (*Foreign, error) { return nil, nil }
func LoadDir(fsys fs.FS) (*Foreign, error)      { return nil, nil }
func (c *Foreign) Name() string                 { return "" }
func (c *Foreign) Version() string              { return "" }
func (c *Foreign) Objects(f Facts, release string, values map[string]any) ([]*unstructured.Unstructured, error) {
	return nil, nil
}
