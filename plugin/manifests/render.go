package manifests

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/folder"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
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

// Render prints the manifests, or the objects that lead an engine to them, to stdout, or
// keeps a directory of them. What is given and does not go together, or cannot be
// rendered, is an error of the input; with Check it is a refusal if the directory has
// anything else than what would be written.
func Render(ctx context.Context, s *session.Session, r Request) error {
	if err := r.check(); err != nil {
		return err
	}
	all, err := renderAll(ctx, s, r)
	if err != nil {
		return err
	}
	if r.severalClusters() && r.Engine == "" {
		files, err := tree(all)
		if err != nil {
			return err
		}
		return keep(ctx, s, r, files)
	}
	objects, head := all[0].objects, header(all[0].facts)
	if r.Engine != "" {
		if objects, head, err = forEngine(r, all); err != nil {
			return err
		}
	}
	if r.OutputDir == "" {
		return s.WriteObjects(head, objects)
	}
	files, err := layout.Flat(objects, head)
	if err != nil {
		return err
	}
	return keep(ctx, s, r, files)
}

// renderAll renders for each cluster that the request names. What the user typed is read
// first: a bad file must not cost a look at the cluster.
func renderAll(ctx context.Context, s *session.Session, r Request) ([]rendered, error) {
	files, err := factsFiles(r)
	if err != nil {
		return nil, err
	}
	values, err := s.ReadValues(ctx, r.Chart)
	if err != nil {
		return nil, err
	}
	if r.severalClusters() {
		return renderSeveral(ctx, s, r, files, values)
	}
	if len(r.Projects) > 0 {
		r.Facts.Given.Namespace = render.Fact{Value: r.Projects[0], Source: "flag --projects"}
	}
	one, err := renderOne(ctx, s, r, values, detect.AskNeeded)
	return []rendered{one}, err
}

func renderOne(ctx context.Context, s *session.Session, r Request, values render.Options, policy detect.Policy) (rendered, error) {
	facts, options, err := input(ctx, s, r, values, policy)
	if err != nil {
		return rendered{}, err
	}
	objects, err := withOverlay(ctx, facts, options, r.Kustomize)
	return rendered{facts: facts, objects: objects}, err
}

// timeToTidy is how long kustomize has to end after a signal: Ctrl-C also ends the git that
// it runs, and then kustomize removes the folder that git was to clone to.
const timeToTidy = 500 * time.Millisecond

// withOverlay renders the chart and applies the overlay, if one is named. An overlay can
// refer to servers that do not answer, and to pipes.
func withOverlay(ctx context.Context, f render.Facts, options render.Options, overlay string) ([]*unstructured.Unstructured, error) {
	objects, err := plan.Render(ctx, f, options)
	if err != nil || overlay == "" {
		return objects, err
	}
	objects, err = interrupt.Run(ctx, timeToTidy, func() ([]*unstructured.Unstructured, error) {
		return render.Kustomize(objects, filesys.MakeFsOnDisk(), overlay, f)
	})
	return objects, problem.While("the manifests to be rendered", err)
}

// forEngine makes the objects that lead an engine to the manifests, and the comment above
// them.
func forEngine(r Request, all []rendered) (objects []*unstructured.Unstructured, head string, err error) {
	options, facts := r.GitOps, all[0].facts
	// All clusters have it or none: the flag and the overlay are the same for all.
	options.HasNamespace = slices.ContainsFunc(all[0].objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Namespace" })
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
	if r.Engine == Flux {
		objects, err = gitops.Flux(facts, options, targets)
		return objects, gitops.FluxHeader(options), err
	}
	objects, err = gitops.ArgoCD(facts, options, targets)
	return objects, gitops.ArgoCDHeader(facts, options), err
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

// Values prints the computed chart values to stdout. Of the request Facts, Chart and Role
// count. A fact that is missing, and values that the chart refuses, are errors of the input.
func Values(ctx context.Context, s *session.Session, r Request) error {
	values, err := s.ReadValues(ctx, r.Chart)
	if err != nil {
		return err
	}
	facts, options, err := input(ctx, s, r, values, detect.AskNeeded)
	if err != nil {
		return err
	}
	computed, err := interrupt.Run(ctx, 0, func() (map[string]any, error) {
		renderer, err := render.New()
		if err != nil {
			return nil, err
		}
		// Rendering finds what the chart's schema refuses, before anything is printed.
		if _, err := renderer.Objects(facts, options); err != nil {
			return nil, err
		}
		return renderer.Values(facts, options)
	})
	if err != nil {
		return err
	}
	text, err := render.Document(computed)
	if err != nil {
		return fmt.Errorf("write values: %w", err)
	}
	return s.WriteData(string(text))
}

// input gathers the facts, and adds to the user's values what follows from them.
func input(ctx context.Context, s *session.Session, r Request, values render.Options, policy detect.Policy) (render.Facts, render.Options, error) {
	found, err := project.Complete(ctx, s, r.Facts, policy)
	if err != nil {
		return found.Facts, values, err
	}
	desired, err := iam.Desired(found.Facts, roleOf(ctx, s, r, found))
	values.RoleARN, values.IncludeNamespace = desired.ARN, r.IncludeNamespace
	return found.Facts, values, err
}

// roleOf is the role that the manifests name. A role that an earlier version created has
// a shorter name and keeps it: manifests in the output directory name it, or IAM has it.
func roleOf(ctx context.Context, s *session.Session, r Request, found detect.Result) iam.RoleOptions {
	if r.Role.Name != "" || r.Engine != "" { // what leads an engine to manifests names no role
		return r.Role
	}
	if r.OutputDir != "" {
		f, earlier := found.Facts, r.Role
		earlier.Name = render.EarlierRoleName(f.Issuer.Value, f.Namespace.Value)
		if folder.HasValue(r.OutputDir, iam.ARN(f, earlier)) {
			return earlier
		}
	}
	role, unknown := project.UsualRole(ctx, found, r.Role, iam.App)
	unknown.Print(s.UI)
	return role
}
