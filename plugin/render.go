package plugin

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// RenderRequest is what is to be rendered.
type RenderRequest struct {
	Facts            FactsRequest
	Chart            ChartRequest
	Role             RoleRequest
	Kustomize        string // directory of an overlay; empty for none
	IncludeNamespace bool
	OutputDir        string // write files there; empty: print to stdout
	Check            bool   // only compare what is in OutputDir
}

// Render prints the manifests to stdout, or keeps a directory of them.
func (a *App) Render(ctx context.Context, request RenderRequest) error {
	if request.Check && request.OutputDir == "" {
		return &render.InputError{
			What: "--check", Why: "it compares the files of a directory, and none is given",
			Next: "name the directory with --output-dir",
		}
	}
	facts, options, err := a.renderInput(ctx, request)
	if err != nil {
		return err
	}
	objects, err := renderObjects(facts, options, request.Kustomize)
	if err != nil {
		return err
	}
	if request.OutputDir == "" {
		return a.printObjects(header(facts), objects)
	}
	files, err := layout.Flat(objects, header(facts))
	if err != nil {
		return err
	}
	return a.keep(ctx, request, files)
}

// Values prints the computed chart values to stdout.
func (a *App) Values(ctx context.Context, request RenderRequest) error {
	facts, options, err := a.renderInput(ctx, request)
	if err != nil {
		return err
	}
	renderer, err := render.New()
	if err != nil {
		return err
	}
	// Rendering finds what the chart's schema refuses, before anything is printed.
	if _, err := renderer.Objects(facts, options); err != nil {
		return err
	}
	values, err := renderer.Values(facts, options)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		return fmt.Errorf("write values: %w", err)
	}
	_, err = a.Streams.Out.Write(text)
	return err
}

// renderInput gathers facts and values. What the user typed is read first:
// a bad file must not cost a look at the cluster.
func (a *App) renderInput(ctx context.Context, request RenderRequest) (render.Facts, render.Options, error) {
	options, err := a.options(request.Chart)
	if err != nil {
		return render.Facts{}, options, err
	}
	facts, err := a.known(ctx, request.Facts)
	if err != nil {
		return facts, options, err
	}
	desired, err := iam.Desired(facts, request.Role)
	if err != nil {
		return facts, options, err
	}
	options.RoleARN = desired.ARN
	options.IncludeNamespace = request.IncludeNamespace
	return facts, options, nil
}

func renderObjects(f render.Facts, options render.Options, overlay string) ([]*unstructured.Unstructured, error) {
	renderer, err := render.New()
	if err != nil {
		return nil, err
	}
	objects, err := renderer.Objects(f, options)
	if err != nil || overlay == "" {
		return objects, err
	}
	return render.Kustomize(objects, filesys.MakeFsOnDisk(), overlay, f)
}

// header says what a reader of the file must know and the objects cannot say.
// It depends on the facts alone, so the bytes stay the same.
func header(f render.Facts) string {
	return fmt.Sprintf(`# OSToy with its own S3 bucket in namespace %[1]s, as printed by: oc ostoy-s3 render
#
# Applying this takes over a bucket named %[2]s if AWS account %[3]s
# already has one: rendering cannot look. "oc ostoy-s3 install" does, and refuses.
# The IAM role is not among the objects: the service account names it.
`, f.Namespace.Value, render.BucketName(f.Namespace.Value), f.Account.Value)
}
