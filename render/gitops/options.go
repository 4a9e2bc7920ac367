package gitops

import (
	"fmt"
	"net/url"
	"path"
	"strings"

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
		return refuse("--format "+format, "it needs to know where the manifests are: "+strings.Join(missing, ", "),
			"give for example --repo-url https://git.example.com/team/apps --revision main --path apps/demo")
	case o.Source != "" && o.RepoURL+o.Revision != "":
		return refuse("--source", "it names a source that is there, --repo-url and --revision make one", "give either")
	case path.IsAbs(o.Path), o.Path != path.Clean(o.Path), strings.HasPrefix(o.Path, ".."), strings.Contains(o.Path, `\`):
		return refuse("--path "+o.Path, "it is not a plain path from the root of the repository", "write it as apps/demo")
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
			return refuse("--repo-url", "it is not a URL", next)
		}
		return nil // git@host:path
	}
	_, secret := parsed.User.Password()
	if secret || parsed.User != nil && parsed.Scheme != "ssh" {
		return refuse("--repo-url", "there is a password or a token in it, and it would be committed",
			"leave it out, and give it to the engine in a Secret of its own")
	}
	return nil
}

func refuse(what, why, next string) error {
	return &render.InputError{What: what, Why: why, Next: next}
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
			return refuse("project "+target.Project, "it is named twice", "name each project once")
		}
		seen[key] = true
	}
	if len(targets) == 0 {
		return fmt.Errorf("no project to make anything for")
	}
	return nil
}
