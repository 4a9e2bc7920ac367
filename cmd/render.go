package cmd

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/manifests"
)

const renderLong = `Prints the manifests in apply order, the same bytes every time. Facts that are
not given are looked up; with all of them given it asks neither cluster nor AWS:

  oc ostoy-s3 render -n demo --account-id 123456789012 --region us-east-2 \
    --oidc-issuer https://oidc.op1.openshiftapps.com/2abc --platform rosa-hcp > manifests.yaml

With --output-dir they become a directory that "kubectl kustomize" builds to the
same bytes. A second run writes only what changed, and touches no file of yours:

  oc ostoy-s3 render --facts facts.yaml --output-dir apps/demo
  oc ostoy-s3 render --facts facts.yaml --output-dir apps/demo --check

With --format it prints what leads Argo CD or Flux to that directory:

  oc ostoy-s3 render --facts facts.yaml --format argocd \
    --repo-url https://git.example.com/team/apps --revision main --path apps/demo

The role itself is not in there: "oc ostoy-s3 install" makes it.`

func newRenderCommand(s *program) *cobra.Command {
	request, files, format := manifests.Request{}, []string{}, ""
	c := newCommand("render", "Print the manifests that install would apply", renderLong, func(c *cobra.Command) error {
		switch format {
		case "manifests":
		case string(manifests.ArgoCD), string(manifests.Flux):
			request.Engine = manifests.Engine(format)
		default:
			return usage(c, "unknown format "+format+", use one of: manifests, argocd, flux")
		}
		if len(files) == 1 {
			request.Facts.File = files[0]
		} else {
			request.Several = files
		}
		return manifests.Render(c.Context(), s.session, request)
	})
	c.Flags().StringArrayVar(&files, "facts", nil, factsUsage+"; repeated: one for each of several clusters")
	newFacts(s, c, &request.Facts).addEach(c.Flags())
	addChart(&request.Chart, c.Flags())
	addRoleName(&request.Role, c.Flags())
	c.Flags().StringVarP(&request.Kustomize, "kustomize", "k", "", "directory of a kustomize overlay to lay over the manifests")
	c.Flags().BoolVar(&request.IncludeNamespace, "include-namespace", false, "put the Namespace in front (OpenShift: cluster admins only)")
	c.Flags().StringVar(&request.FactsDir, "facts-dir", "", "directory of facts files, one for each of several clusters")
	c.Flags().StringVar(&request.OutputDir, "output-dir", "", "keep the manifests in this directory instead: one file per object and a kustomization.yaml")
	c.Flags().BoolVar(&request.Check, "check", false, "write nothing, and exit with code 4 if the files of --output-dir are not as they would be written")
	c.Flags().StringVar(&format, "format", "manifests", "manifests, or the objects that lead an engine to them: argocd, flux")
	addEngine(&request, c.Flags())
	addLook(c)
	return c
}

// addEngine adds what an engine has to know, under the names that the engines'
// own tools have for it.
func addEngine(request *manifests.Request, flags *pflag.FlagSet) {
	o := &request.GitOps
	flags.StringVar(&o.RepoURL, "repo-url", "", "with --format argocd or flux: URL of the git repository that holds the manifests")
	flags.StringVar(&o.Revision, "revision", "", "with --format argocd or flux: branch, tag, commit or refs/... of the repository")
	flags.StringVar(&o.Path, "path", "", "with --format argocd or flux: directory of the manifests in the repository")
	flags.StringVar(&o.Namespace, "engine-namespace", "", "with --format argocd or flux: namespace of the engine (default argocd, openshift-gitops or flux-system)")
	flags.StringSliceVar(&request.Projects, "projects", nil, "with --format argocd or flux: several projects, each in a directory of its name below --path")
	flags.StringVar(&o.Source, "source", "", "with --format flux: source that is there, Kind/name[.namespace], instead of --repo-url and --revision")
	flags.StringSliceVar(&o.DependsOn, "depends-on", nil, "with --format flux: Kustomizations to wait for, [namespace/]name")
}

const valuesLong = `Prints the values the chart is rendered with, for those who run Helm themselves:

  helm upgrade --install ostoy-s3 charts/ostoy-s3 -f <(oc ostoy-s3 values)`

func newValuesCommand(s *program) *cobra.Command {
	request := manifests.Request{}
	c := newCommand("values", "Print the computed chart values", valuesLong, func(c *cobra.Command) error {
		return manifests.Values(c.Context(), s.session, request)
	})
	newFacts(s, c, &request.Facts).add(c.Flags())
	addChart(&request.Chart, c.Flags())
	addRoleName(&request.Role, c.Flags())
	addLook(c)
	return c
}
