package gitops

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func facts(platform string) render.Facts {
	return render.Facts{Namespace: render.Fact{Value: "demo"}, Platform: render.Fact{Value: platform}}
}

func somewhere() Options {
	return Options{RepoURL: "https://git.example.com/team/apps", Revision: "main", Path: "apps/demo"}
}

func with(change func(*Options)) Options {
	o := somewhere()
	change(&o)
	return o
}

type maker func(render.Facts, Options, []Target) ([]*unstructured.Unstructured, error)

func demo(o Options) []Target { return []Target{{Project: "demo", Path: o.Path}} }

// TestGolden compares decoded objects. `go test ./render/gitops -update` rewrites
// the files.
func TestGolden(t *testing.T) {
	source := Options{Path: "apps", Source: "OCIRepository/manifests.team", DependsOn: []string{"ack", "infra/crds"}, Namespace: "team"}
	for name, c := range map[string]struct {
		make     maker
		platform string
		options  Options
		targets  []Target
	}{
		"argocd":           {ArgoCD, render.PlatformEKS, somewhere(), demo(somewhere())},
		"argocd-openshift": {ArgoCD, render.PlatformROSAHCP, somewhere(), demo(somewhere())},
		"argocd-namespace": {ArgoCD, render.PlatformROSAHCP, with(func(o *Options) { o.HasNamespace, o.Namespace = true, "team" }), demo(somewhere())},
		"argocd-projects":  {ArgoCD, render.PlatformEKS, somewhere(), somewhere().Targets([]string{"blue", "green"})},
		"argocd-clusters": {ArgoCD, render.PlatformEKS, somewhere(), []Target{
			{"demo", "apps/demo/clusters/east", "east"}, {"demo", "apps/demo/clusters/west", "west"},
		}},
		"flux":          {Flux, render.PlatformEKS, somewhere(), demo(somewhere())},
		"flux-projects": {Flux, render.PlatformEKS, source, source.Targets([]string{"blue", "green"})},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.make(facts(c.platform), c.options, c.targets)
			if err != nil {
				t.Fatal(err)
			}
			text, err := render.YAML(got)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".yaml")
			if *update {
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := render.Decode(golden)
			if err != nil {
				t.Fatal(err)
			}
			again, err := render.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, again); diff != "" {
				t.Errorf("-golden +now:\n%s", diff)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	const secret = "s3cr3t"
	for name, c := range map[string]struct {
		make    maker
		options Options
		targets []Target
		says    string
	}{
		"nothing":             {ArgoCD, Options{}, nil, "--repo-url, --revision, --path"},
		"no path":             {Flux, Options{Source: "GitRepository/x"}, nil, "where the manifests are: --path"},
		"absolute path":       {ArgoCD, with(func(o *Options) { o.Path = "/apps" }), nil, "plain path"},
		"path out":            {ArgoCD, with(func(o *Options) { o.Path = "../apps" }), nil, "plain path"},
		"path not clean":      {ArgoCD, with(func(o *Options) { o.Path = "./apps/" }), nil, "plain path"},
		"path of Windows":     {ArgoCD, with(func(o *Options) { o.Path = `apps\demo` }), nil, "plain path"},
		"password":            {ArgoCD, with(func(o *Options) { o.RepoURL = "https://bob:" + secret + "@example.com/x" }), nil, "password"},
		"token":               {Flux, with(func(o *Options) { o.RepoURL = "https://" + secret + "@example.com/x" }), nil, "token"},
		"no URL":              {Flux, with(func(o *Options) { o.RepoURL = "https://" + secret + " @:x" }), nil, "not a URL"},
		"scp for Flux":        {Flux, with(func(o *Options) { o.RepoURL = "git@example.com:x" }), nil, "ssh only"},
		"source and URL":      {Flux, with(func(o *Options) { o.Source = "GitRepository/x" }), nil, "is there"},
		"source without kind": {Flux, Options{Source: "x", Path: "apps"}, nil, "no kind"},
		"source for Argo CD":  {ArgoCD, Options{Source: "GitRepository/x", Path: "apps"}, nil, "Flux's"},
		"clusters for Flux":   {Flux, somewhere(), []Target{{"demo", "apps/clusters/x", "x"}}, "Flux of its own"},
		"project twice":       {ArgoCD, somewhere(), somewhere().Targets([]string{"a", "a"}), "twice"},
		"no project's name":   {Flux, somewhere(), somewhere().Targets([]string{"A"}), "namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.targets == nil {
				c.targets = demo(c.options)
			}
			_, err := c.make(facts(render.PlatformEKS), c.options, c.targets)
			var input *problem.Error
			if !problem.IsInput(err) || !errors.As(err, &input) || !strings.Contains(input.Error(), c.says) || input.Next == "" {
				t.Fatalf("got %v, want %q", err, c.says)
			}
			if told := input.Error() + input.Next; strings.Contains(told, secret) {
				t.Errorf("what is secret is told: %s", told)
			}
		})
	}
	if _, err := ArgoCD(facts(""), with(func(o *Options) { o.RepoURL = "git@example.com:team/apps" }), demo(somewhere())); err != nil {
		t.Errorf("Argo CD takes it, and we refuse: %v", err)
	}
}

func TestReference(t *testing.T) {
	for revision, want := range map[string]string{
		"main": "branch", "release-1": "branch", "v1.2": "branch", "v1.2.3": "tag", "1.2.3-rc.1": "tag",
		"refs/tags/x": "name", strings.Repeat("ab", 20): "commit",
	} {
		if got := reference(revision); got[want] != revision || len(got) != 1 {
			t.Errorf("%s is %v, want a %s", revision, got, want)
		}
	}
}

// The comments are comments, and say where the health check goes.
func TestHeaders(t *testing.T) {
	for platform, place := range map[string]string{
		render.PlatformEKS:     "ConfigMap argocd-cm of namespace argocd",
		render.PlatformROSAHCP: "argocds.argoproj.io of namespace openshift-gitops",
	} {
		text := ArgoCDHeader(facts(platform), Options{}) + FluxHeader(Options{})
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "#") {
				t.Errorf("not a comment: %s", line)
			}
		}
		if !strings.Contains(text, place) || !strings.Contains(text, "ACK.ResourceSynced") || !strings.Contains(text, "--include-namespace") {
			t.Errorf("%s: %s", platform, text)
		}
	}
	if strings.Contains(FluxHeader(Options{HasNamespace: true}), "--include-namespace") {
		t.Error("the namespace is there and asked for")
	}
}
