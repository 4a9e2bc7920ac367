package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/gitops"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// rendered are the manifests of one cluster.
type rendered struct {
	cluster string // empty where there is only one
	facts   render.Facts
	objects []*unstructured.Unstructured
}

// renderAll renders for each cluster that the request names.
func (a *App) renderAll(ctx context.Context, request RenderRequest) ([]rendered, error) {
	if request.severalClusters() {
		return a.renderSeveral(ctx, request)
	}
	if len(request.Projects) > 0 {
		request.Facts.Given.Namespace = render.Fact{Value: request.Projects[0], Source: "flag --projects"}
	}
	facts, options, err := a.renderInput(ctx, request)
	if err != nil {
		return nil, err
	}
	objects, err := renderObjects(ctx, facts, options, request.Kustomize)
	return []rendered{{facts: facts, objects: objects}}, err
}

// renderSeveral renders for each file of facts. None of them is filled up by
// looking: the cluster at hand is not the one the file speaks of.
func (a *App) renderSeveral(ctx context.Context, request RenderRequest) ([]rendered, error) {
	files, err := request.factsFiles()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = clusterName(file)
	}
	if err := layout.ValidateNames(names); err != nil {
		return nil, err
	}
	values, err := a.ReadValues(ctx, request.Chart)
	if err != nil {
		return nil, err
	}
	var all []rendered
	for _, file := range files {
		one, err := a.renderOne(ctx, request, file, values)
		if err != nil {
			return nil, inFile(file, err)
		}
		all = append(all, one)
	}
	return all, nil
}

func (a *App) renderOne(ctx context.Context, request RenderRequest, file string, values render.Options) (rendered, error) {
	request.Facts.File = file
	result, err := a.detect(ctx, request.Facts, detect.AskNothing)
	if err != nil {
		return rendered{}, err
	}
	if err := result.Require(); err != nil {
		return rendered{}, err
	}
	if err := result.Facts.Validate(); err != nil {
		return rendered{}, err
	}
	request.Role = a.settled(ctx, result, request)
	facts, options, err := request.optionsFor(result.Facts, values)
	if err != nil {
		return rendered{}, err
	}
	objects, err := renderObjects(ctx, facts, options, request.Kustomize)
	return rendered{clusterName(file), facts, objects}, err
}

// clusterName is what a cluster is called like: its file of facts.
func clusterName(file string) string {
	name := filepath.Base(file)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// inFile says of which cluster's facts an error is.
func inFile(file string, err error) error {
	var input *render.InputError
	if !errors.As(err, &input) || strings.Contains(input.What, file) {
		return err
	}
	told := *input
	told.What = file + ": " + told.What
	return &told
}

// factsFiles are the files of facts, in the order given or by name.
func (r RenderRequest) factsFiles() ([]string, error) {
	if r.FactsDir == "" {
		return r.Several, nil
	}
	entries, err := os.ReadDir(r.FactsDir)
	why := "it has no file whose name ends in .yaml, .yml or .json"
	if err != nil {
		why = "cannot be read: " + err.Error()
	}
	var files []string
	for _, entry := range entries {
		if slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(entry.Name())) && entry.Type()&fs.ModeDir == 0 {
			files = append(files, filepath.Join(r.FactsDir, entry.Name()))
		}
	}
	if len(files) == 0 {
		return nil, &render.InputError{
			What: "--facts-dir " + r.FactsDir, Why: why, Err: err,
			Next: "put a file of facts into it for each cluster: " + advice.To(advice.Command("oc ostoy-s3 facts -o yaml"), filepath.Join(r.FactsDir, "NAME.yaml")),
		}
	}
	return files, nil
}

// forEngine makes the objects that lead an engine to the manifests, and the
// comment above them.
func (r RenderRequest) forEngine(all []rendered) (objects []*unstructured.Unstructured, head string, err error) {
	options, facts := r.GitOps, all[0].facts
	for _, one := range all {
		options.HasNamespace = options.HasNamespace || slices.ContainsFunc(one.objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Namespace" })
	}
	targets := []gitops.Target{{Project: facts.Namespace.Value, Path: options.Path}}
	switch {
	case r.severalClusters():
		targets = nil
		for _, one := range all {
			targets = append(targets, gitops.Target{
				Project: one.facts.Namespace.Value, Path: layout.ClusterPath(options.Path, one.cluster), Cluster: one.cluster,
			})
		}
	case len(r.Projects) > 0:
		targets = options.Targets(r.Projects)
	}
	if r.Engine == EngineFlux {
		objects, err = gitops.Flux(facts, options, targets)
		return objects, gitops.FluxHeader(options), err
	}
	objects, err = gitops.ArgoCD(facts, options, targets)
	return objects, gitops.ArgoCDHeader(facts, options), err
}

// timeToTidy is how long kustomize has to end after a signal: Ctrl-C also ends the git that
// it runs, and then kustomize removes the folder that git was to clone to.
const timeToTidy = 500 * time.Millisecond

// renderObjects renders the chart and applies the overlay, if one is named. An overlay
// can refer to servers that do not answer, and to pipes.
func renderObjects(ctx context.Context, f render.Facts, options render.Options, overlay string) ([]*unstructured.Unstructured, error) {
	tidy := timeToTidy
	if overlay == "" {
		tidy = 0
	}
	objects, err := interrupt.Run(ctx, tidy, func() ([]*unstructured.Unstructured, error) {
		renderer, err := render.New()
		if err != nil {
			return nil, err
		}
		objects, err := renderer.Objects(f, options)
		if err != nil || overlay == "" {
			return objects, err
		}
		return render.Kustomize(objects, filesys.MakeFsOnDisk(), overlay, f)
	})
	return objects, problem.While("the manifests to be rendered", err)
}

// header says what a reader of the file must know and the objects cannot say.
// It depends on the facts alone, so the bytes stay the same.
func header(f render.Facts) string {
	return fmt.Sprintf(`# OSToy with its own S3 bucket in namespace %[1]s, as printed by: %[4]s
#
# Applying this takes over a bucket named %[2]s if AWS account %[3]s
# already has one: rendering cannot look. "%[5]s" does, and refuses.
# The IAM role is not among the objects: the service account names it.
`, f.Namespace.Value, render.BucketName(f.Namespace.Value), f.Account.Value,
		advice.Command("oc ostoy-s3 render"), advice.Command("oc ostoy-s3 install"))
}
