package plan

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Render renders the chart, which can take as long as a template of the user's.
func Render(ctx context.Context, f render.Facts, values render.Options) ([]*unstructured.Unstructured, error) {
	objects, _, err := rendered(ctx, f, values)
	return objects, err
}

// rendered gives the objects of the chart, and what the values add to all objects.
func rendered(ctx context.Context, f render.Facts, values render.Options) ([]*unstructured.Unstructured, render.Extra, error) {
	var extra render.Extra
	objects, err := interrupt.Run(ctx, 0, func() ([]*unstructured.Unstructured, error) {
		renderer, err := render.New()
		if err != nil {
			return nil, err
		}
		if extra, err = renderer.Extra(f, values); err != nil {
			return nil, err
		}
		return renderer.Objects(f, values)
	})
	if err != nil { // it can still be rendering
		return nil, render.Extra{}, problem.While("the manifests to be rendered", err)
	}
	return objects, extra, nil
}
