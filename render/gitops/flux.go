// Package gitops makes the objects that lead a GitOps engine to the manifests:
// Argo CD's Application or ApplicationSet, Flux's Kustomization. The use case
// render calls it; the manifests themselves are package render's.
//
// It is as pure as package render: it knows no cluster, no engine that runs, and
// not whether the repository it names is there.
package gitops

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Options say where the manifests are and where the engine is. Flags have the
// same names.
type Options struct {
	RepoURL   string   // of the git repository: https://..., ssh://..., for Argo CD also git@host:path
	Revision  string   // branch, tag or commit; or a full reference, refs/...
	Path      string   // of the manifests in the repository, with slashes
	Namespace string   // of the engine; empty: the usual one
	Source    string   // Flux: Kind/name[.namespace] of a source that is there, instead of RepoURL and Revision
	DependsOn []string // Flux: name or namespace/name of Kustomizations to wait for
	// HasNamespace says that the manifests hold the Namespace.
	HasNamespace bool
}

// Given reports whether any of the flags was given.
func (o Options) Given() bool {
	return o.RepoURL+o.Revision+o.Path+o.Namespace+o.Source != "" || len(o.DependsOn) > 0
}

// Target is one set of manifests: a project, on a cluster.
type Target struct {
	Project string // the namespace
	Path    string // of its manifests in the repository
	Cluster string // as Argo CD knows it; empty: the engine's own
}

// Targets are projects in directories of their own below the path, be it only one:
// a list that shrinks to one must not move what is left of it.
func (o Options) Targets(projects []string) []Target {
	var targets []Target
	for _, project := range projects {
		targets = append(targets, Target{Project: project, Path: path.Join(o.Path, project)})
	}
	return targets
}

// check refuses what no engine can do anything with. All of it is committed and
// read by many, so a password has no place in it.
func (o Options) check(format string) error {
	var missing []string
	for _, given := range []struct{ flag, value string }{{"--repo-url", o.RepoURL}, {"--revision", o.Revision}, {"--path", o.Path}} {
		if given.value == "" && (o.Source == "" || given.flag == "--path") {
			missing = append(missing, given.flag)
		}
	}
	switch {
	case len(missing) > 0:
		return problem.Input("--format "+format, "it needs to know where the manifests are: "+strings.Join(missing, ", "),
			"give for example --repo-url https://git.example.com/team/apps --revision main --path apps/demo")
	case o.Source != "" && o.RepoURL+o.Revision != "":
		return problem.Input("--source", "it names a source that is there, --repo-url and --revision make one", "give either")
	case path.IsAbs(o.Path), o.Path != path.Clean(o.Path), strings.HasPrefix(o.Path, ".."), strings.Contains(o.Path, `\`):
		return problem.Input("--path "+o.Path, "it is not a plain path from the root of the repository", "write it as apps/demo")
	}
	return o.checkURL()
}

func (o Options) checkURL() error {
	const next = "write it as https://git.example.com/team/apps or ssh://git@git.example.com/team/apps"
	if o.RepoURL == "" {
		return nil
	}
	parsed, err := url.Parse(o.RepoURL)
	if err != nil {
		if strings.Contains(o.RepoURL, "://") {
			return problem.Input("--repo-url", "it is not a URL", next)
		}
		return nil // git@host:path
	}
	_, secret := parsed.User.Password()
	if secret || parsed.User != nil && parsed.Scheme != "ssh" {
		return problem.Input("--repo-url", "there is a password or a token in it, and it would be committed",
			"leave it out, and give it to the engine in a Secret of its own")
	}
	return nil
}

// oneEach wants every project once, and with a name that a project can have.
func oneEach(targets []Target) error {
	seen := map[string]bool{}
	for _, target := range targets {
		if err := render.ValidateNamespace(target.Project); err != nil {
			return err
		}
		key := target.Project + "/" + target.Cluster
		if seen[key] {
			return problem.Input("project "+target.Project, "it is named twice", "name each project once")
		}
		seen[key] = true
	}
	if len(targets) == 0 {
		return fmt.Errorf("no project to make anything for")
	}
	return nil
}

// fluxNamespace is where `flux bootstrap` puts Flux.
const fluxNamespace = "flux-system"

// sourceName is the GitRepository made where no source is named.
const sourceName = "ostoy-s3"

// Flux makes a Kustomization for each target, led by the GitRepository they
// come from unless the source is there.
func Flux(_ render.Facts, o Options, targets []Target) ([]*unstructured.Unstructured, error) {
	if err := cmp.Or(o.check("flux"), oneEach(targets)); err != nil {
		return nil, err
	}
	o.Namespace = cmp.Or(o.Namespace, fluxNamespace)
	source, objects, err := o.source()
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		if target.Cluster != "" {
			return nil, problem.Input("--format flux for several clusters", "each cluster has a Flux of its own, which reads one overlay: that of this one is "+target.Path,
				"run it once for each cluster, with one --facts, and with the overlay of the cluster as --path")
		}
		objects = append(objects, fluxKustomization(o, source, target))
	}
	return objects, nil
}

// source is what a Kustomization refers to, and the object where it is made.
func (o Options) source() (map[string]any, []*unstructured.Unstructured, error) {
	if o.Source != "" {
		kind, name, found := strings.Cut(o.Source, "/")
		if !found || kind == "" || name == "" {
			return nil, nil, problem.Input("--source "+o.Source, "it names no kind or no name", "write it as GitRepository/flux-system or OCIRepository/name.namespace")
		}
		ref := map[string]any{"kind": kind, "name": name}
		if name, namespace, other := strings.Cut(name, "."); other {
			ref["name"], ref["namespace"] = name, namespace
		}
		return ref, nil, nil
	}
	if !regexp.MustCompile(`^(https?|ssh)://`).MatchString(o.RepoURL) {
		return nil, nil, problem.Input("--repo-url", "Flux takes http, https and ssh only", "write it as ssh://git@host/team/apps")
	}
	repository := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "source.toolkit.fluxcd.io/v1",
		"kind":       "GitRepository",
		"metadata":   map[string]any{"name": sourceName, "namespace": o.Namespace},
		"spec":       map[string]any{"interval": "5m", "url": o.RepoURL, "ref": reference(o.Revision)},
	}}
	return map[string]any{"kind": "GitRepository", "name": sourceName}, []*unstructured.Unstructured{repository}, nil
}

// reference tells apart what Flux has a field each for. A tag that does not look
// like a version can be given as refs/tags/NAME.
func reference(revision string) map[string]any {
	switch {
	case strings.HasPrefix(revision, "refs/"):
		return map[string]any{"name": revision}
	case regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(revision):
		return map[string]any{"commit": revision}
	case regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`).MatchString(revision):
		return map[string]any{"tag": revision}
	}
	return map[string]any{"branch": revision}
}

func fluxKustomization(o Options, source map[string]any, target Target) *unstructured.Unstructured {
	spec := map[string]any{
		"interval":      "10m",
		"retryInterval": "2m",
		"path":          "./" + target.Path,
		"prune":         true, // Bucket and volume say that they are not
		"sourceRef":     source,
		"wait":          true,
		"timeout":       "10m", // a bucket, two images and a volume
		"healthCheckExprs": []any{map[string]any{
			"apiVersion": bucketGroup + "/v1alpha1",
			"kind":       bucketKind,
			"failed":     bucketFailed,
			"current":    bucketCurrent,
		}},
	}
	var dependsOn []any
	for _, other := range o.DependsOn {
		reference := map[string]any{"name": other}
		if namespace, name, found := strings.Cut(other, "/"); found {
			reference = map[string]any{"name": name, "namespace": namespace}
		}
		dependsOn = append(dependsOn, reference)
	}
	if dependsOn != nil {
		spec["dependsOn"] = dependsOn
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1",
		"kind":       "Kustomization",
		"metadata":   map[string]any{"name": target.Project, "namespace": o.Namespace},
		"spec":       spec,
	}}
}

// The health of a Bucket in CEL, for Flux since 2.5. An object without a status
// is an error to it, which it takes for "not yet". Two errors that ACK tries again
// for ever never heal; controllers before 1.1.2 do not know Ready.
const (
	bucketFailed = `has(status.conditions) && status.conditions.exists(c, c.status == 'True' && ` +
		`(c.type == 'ACK.Terminal' || c.type == 'ACK.Recoverable' && has(c.message) && ` +
		`(c.message.contains('BucketAlreadyExists') || c.message.contains('InvalidBucketName'))))`
	bucketCurrent = `has(status.conditions) && (status.conditions.exists(c, c.type == 'Ready' && c.status == 'True') || ` +
		`!status.conditions.exists(c, c.type == 'Ready') && ` +
		`status.conditions.exists(c, c.type == 'ACK.ResourceSynced' && c.status == 'True'))`
)

// FluxHeader is the comment above the objects.
func FluxHeader(o Options) string {
	text := `# For Flux 2.5 or newer, as printed by: oc ostoy-s3 render --format flux
#
# The manifests need ACK's S3 controller. Where Flux brings it, too, name its
# Kustomization with --depends-on.
`
	if !o.HasNamespace {
		text += `# Flux makes no namespace: it is there, or in the manifests (--include-namespace).
`
	}
	return text
}
