package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin"
)

func newRenderCommand(s *session) *cobra.Command {
	facts, chart, role := &factFlags{}, &chartFlags{}, plugin.RoleRequest{}
	request := plugin.RenderRequest{}
	c := &cobra.Command{
		Use:   "render",
		Short: "Print the manifests that install would apply",
		Long: `Prints the manifests in apply order, the same bytes every time. Facts that are
not given are looked up; with all of them given it asks neither cluster nor AWS:

  oc ostoy-s3 render -n demo --account-id 123456789012 --region us-east-2 \
    --oidc-issuer https://oidc.op1.openshiftapps.com/2abc --platform rosa-hcp > manifests.yaml

With --output-dir they become a directory that "kubectl kustomize" builds to the
same bytes. A second run writes only what changed, and touches no file of yours:

  oc ostoy-s3 render --facts facts.yaml --output-dir apps/demo
  oc ostoy-s3 render --facts facts.yaml --output-dir apps/demo --check

The role itself is not in there: "oc ostoy-s3 install" makes it.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			request.Facts = facts.request(s, c.Flags())
			request.Chart = chart.ChartRequest
			request.Role = role
			return s.app().Render(c.Context(), request)
		},
	}
	facts.add(c.Flags())
	chart.add(c.Flags())
	addRoleName(&role, c.Flags())
	c.Flags().StringVarP(&request.Kustomize, "kustomize", "k", "", "directory of a kustomize overlay to lay over the manifests")
	c.Flags().StringVar(&request.OutputDir, "output-dir", "", "keep the manifests in this directory instead: one file per object and a kustomization.yaml")
	c.Flags().BoolVar(&request.Check, "check", false, "write nothing, and exit with code 4 if the files of --output-dir are not as they would be written")
	c.Flags().BoolVar(&request.IncludeNamespace, "include-namespace", false, "put the Namespace in front (OpenShift: cluster admins only)")
	return c
}
