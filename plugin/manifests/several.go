// Package manifests prints the manifests that install would apply, the chart values that
// they are rendered with, and the objects that lead Argo CD or Flux to them. It changes
// nothing in the cluster or in AWS.
package manifests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/folder"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/gitops"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// renderSeveral renders for each file of facts. None of them is filled up by
// looking: the cluster at hand is not the one the file speaks of.
func renderSeveral(ctx context.Context, s *session.Session, r Request, files []string, values render.Options) ([]rendered, error) {
	var all []rendered
	for _, file := range files {
		r.Facts.File = file
		one, err := renderOne(ctx, s, r, values, detect.AskNothing)
		if err != nil {
			return nil, inFile(file, err)
		}
		one.cluster = clusterName(file)
		all = append(all, one)
	}
	return all, nil
}

// tree are the files of a directory for several clusters.
func tree(all []rendered) ([]layout.File, error) {
	var clusters []layout.Cluster
	for _, one := range all {
		clusters = append(clusters, layout.Cluster{Name: one.cluster, Header: header(one.facts), Objects: one.objects})
	}
	return layout.Tree(clusters)
}

// clusterName is what a cluster is called like: its file of facts.
func clusterName(file string) string {
	name := filepath.Base(file)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

// inFile says of which cluster's facts an error is.
func inFile(file string, err error) error {
	var input *problem.Error
	if !errors.As(err, &input) || input.Kind != problem.Usage || strings.Contains(input.What, file) {
		return err
	}
	told := *input
	told.What = file + ": " + told.What
	return &told
}

// factsFiles are the files of facts of several clusters, in the order given or by name.
func factsFiles(r Request) ([]string, error) {
	files, err := r.Several, error(nil)
	if r.FactsDir != "" {
		if files, err = filesIn(r.FactsDir); err != nil {
			return nil, err
		}
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = clusterName(file)
	}
	return files, layout.ValidateNames(names)
}

// filesIn are the files of facts in a directory. None is an error.
func filesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	why := "it has no file whose name ends in .yaml, .yml or .json"
	if err != nil {
		why = "cannot be read: " + err.Error()
	}
	var files []string
	for _, entry := range entries {
		if slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(entry.Name())) && entry.Type()&fs.ModeDir == 0 {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	if len(files) > 0 {
		return files, nil
	}
	return nil, problem.Input("--facts-dir "+dir, why,
		"put a file of facts into it for each cluster: "+advice.To(advice.Command("oc ostoy-s3 facts -o yaml"), filepath.Join(dir, "NAME.yaml"))).Because(err)
}

// keep makes a directory hold these files, or says which it would change. stdout has a
// line for each file that is not as it should be, as helm has one for each that it writes.
func keep(ctx context.Context, s *session.Session, r Request, files []layout.File) error {
	plan, err := folder.Look(r.OutputDir, files)
	if err != nil {
		return err
	}
	if r.Check {
		return compare(s, plan)
	}
	written, removed := 0, 0
	var unsaid error
	err = plan.Write(ctx, func(c folder.Change) {
		verb := "wrote"
		if c.State == folder.LeftOver {
			verb = "removed"
			removed++
		} else {
			written++
		}
		unsaid = cmp.Or(unsaid, s.WriteLine(verb+" "+plan.Name(c)))
	})
	if err = cmp.Or(err, unsaid); err != nil {
		return err
	}
	s.UI.Linef("%s: %d written, %d removed, %d unchanged", plan.Dir, written, removed, plan.Fresh)
	return nil
}

// compare prints what is not as it should be, which is a refusal.
func compare(s *session.Session, plan folder.Plan) error {
	for _, change := range plan.Changes {
		if err := s.WriteLine(fmt.Sprintf("%-9s  %s", change.State, plan.Name(change))); err != nil {
			return err
		}
	}
	if len(plan.Changes) == 0 {
		s.UI.Linef("%s: %d files, all as they should be", plan.Dir, plan.Fresh)
		return nil
	}
	return problem.Refuse(plan.Dir+" is not what render makes",
		fmt.Sprintf("files that are missing, stale or left over, as listed: %d; files as they should be: %d", len(plan.Changes), plan.Fresh),
		"run the same command without --check, and commit what it changes")
}

// Request is what is to be rendered.
type Request struct {
	Facts            session.Facts
	Several          []string // files of facts, one for each of several clusters; Facts.File is then empty
	FactsDir         string   // a directory of such files
	Chart            session.Chart
	Role             iam.RoleOptions
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
	ArgoCD Engine = "argocd"
	Flux   Engine = "flux"
)

func (r Request) severalClusters() bool { return len(r.Several) > 0 || r.FactsDir != "" }

// check refuses what does not go together, before anything is looked up.
func (r Request) check() error {
	switch {
	case r.Check && r.OutputDir == "":
		return problem.Input("--check", "it compares the files of a directory, and none is given", "name the directory with --output-dir")
	case r.FactsDir != "" && (len(r.Several) > 0 || r.Facts.File != ""):
		return problem.Input("--facts and --facts-dir", "both say which clusters there are", "give either")
	case r.Engine == "" && r.severalClusters() && r.OutputDir == "":
		return problem.Input("facts of several clusters", "their manifests are a tree of files, not a stream", "name a directory with --output-dir")
	case r.Engine == "" && r.GitOps.Given():
		return problem.Input("the flags that tell an engine where the manifests are", "no engine is named", "give --format argocd or --format flux, too")
	case r.Engine == "" && len(r.Projects) > 0:
		return problem.Input("--projects", "one run renders the manifests of one project", "run it for each with -n, or give --format argocd or --format flux")
	case len(r.Projects) > 0 && (r.severalClusters() || r.Facts.Given.Namespace.Known()):
		return problem.Input("--projects", "-n and the facts of several clusters say themselves which projects there are", "give either")
	}
	return nil
}
