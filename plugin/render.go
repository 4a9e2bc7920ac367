package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/gitops"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// RenderRequest is what is to be rendered.
type RenderRequest struct {
	Facts            FactsRequest
	Several          []string // files of facts, one for each of several clusters; Facts.File is then empty
	FactsDir         string   // a directory of such files
	Chart            ChartRequest
	Role             RoleRequest
	Kustomize        string // directory of an overlay; empty for none
	IncludeNamespace bool
	OutputDir        string // write files there; empty: print to stdout
	Check            bool   // only compare what is in OutputDir
	Engine           Engine // whose objects are wanted; empty: the manifests
	GitOps           gitops.Options
	Projects         []string // for an engine: several projects, each in a directory below GitOps.Path
}

// Engine is who applies the manifests.
type Engine string

// The engines.
const (
	EngineArgoCD Engine = "argocd"
	EngineFlux   Engine = "flux"
)

// Render prints the manifests, or the objects that lead an engine to them, to
// stdout, or keeps a directory of them.
func (a *App) Render(ctx context.Context, request RenderRequest) error {
	if err := request.check(); err != nil {
		return err
	}
	all, err := a.renderAll(ctx, request)
	if err != nil {
		return err
	}
	if request.severalClusters() && request.Engine == "" {
		return a.keepTree(ctx, request, all)
	}
	objects, head := all[0].objects, header(all[0].facts)
	if request.Engine != "" {
		if objects, head, err = request.forEngine(all); err != nil {
			return err
		}
	}
	if request.OutputDir == "" {
		return a.printObjects(head, objects)
	}
	files, err := layout.Flat(objects, head)
	if err != nil {
		return err
	}
	return a.keep(ctx, request, files)
}

func (r RenderRequest) severalClusters() bool { return len(r.Several) > 0 || r.FactsDir != "" }

// check refuses what does not go together, before anything is looked up.
func (r RenderRequest) check() error {
	refuse := func(what, why, next string) error { return &render.InputError{What: what, Why: why, Next: next} }
	switch {
	case r.Check && r.OutputDir == "":
		return refuse("--check", "it compares the files of a directory, and none is given", "name the directory with --output-dir")
	case r.FactsDir != "" && (len(r.Several) > 0 || r.Facts.File != ""):
		return refuse("--facts and --facts-dir", "both say which clusters there are", "give either")
	case r.Engine == "" && r.severalClusters() && r.OutputDir == "":
		return refuse("facts of several clusters", "their manifests are a tree of files, not a stream", "name a directory with --output-dir")
	case r.Engine == "" && r.GitOps.Given():
		return refuse("the flags that tell an engine where the manifests are", "no engine is named", "give --format argocd or --format flux, too")
	case r.Engine == "" && len(r.Projects) > 0:
		return refuse("--projects", "one run renders the manifests of one project", "run it for each with -n, or give --format argocd or --format flux")
	case len(r.Projects) > 0 && (r.severalClusters() || r.Facts.Given.Namespace.Known()):
		return refuse("--projects", "-n and the facts of several clusters say themselves which projects there are", "give either")
	}
	return nil
}
