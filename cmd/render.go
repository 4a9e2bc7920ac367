package cmd

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
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
	facts, chart, role := &factFlags{}, &chartFlags{}, iam.RoleOptions{}
	request, files, format := manifests.Request{}, []string{}, ""
	c := &cobra.Command{
		Use:   "render",
		Short: "Print the manifests that install would apply",
		Long:  renderLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch format {
			case "manifests":
			case string(manifests.ArgoCD), string(manifests.Flux):
				request.Engine = manifests.Engine(format)
			default:
				return usage(c, "unknown format "+format+", use one of: manifests, argocd, flux")
			}
			if len(files) == 1 {
				facts.file = files[0]
			} else {
				request.Several = files
			}
			request.Facts = facts.request(s, c.Flags())
			request.Chart = chart.Chart
			request.Role = role
			return manifests.Render(c.Context(), s.session, request)
		},
	}
	c.Flags().StringArrayVar(&files, "facts", nil, factsUsage+"; repeated: one for each of several clusters")
	facts.addEach(c.Flags())
	chart.add(c.Flags())
	addRoleName(&role, c.Flags())
	c.Flags().StringVarP(&request.Kustomize, "kustomize", "k", "", "directory of a kustomize overlay to lay over the manifests")
	c.Flags().BoolVar(&request.IncludeNamespace, "include-namespace", false, "put the Namespace in front (OpenShift: cluster admins only)")
	c.Flags().StringVar(&request.FactsDir, "facts-dir", "", "directory of facts files, one for each of several clusters")
	c.Flags().StringVar(&request.OutputDir, "output-dir", "", "keep the manifests in this directory instead: one file per object and a kustomization.yaml")
	c.Flags().BoolVar(&request.Check, "check", false, "write nothing, and exit with code 4 if the files of --output-dir are not as they would be written")
	c.Flags().StringVar(&format, "format", "manifests", "manifests, or the objects that lead an engine to them: argocd, flux")
	addEngine(&request, c.Flags())
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
