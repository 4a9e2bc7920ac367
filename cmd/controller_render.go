package cmd

import (
	"github.com/spf13/cobra"

	controllerrender "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller/render"
)

const controllerRenderLong = `Prints what brings the ACK S3 controller to a cluster, for GitOps, or for an admin who
is to apply it: the objects for OLM where the cluster has it; elsewhere the values for
ACK's own chart. Its IAM role is not among them: controller install makes that.

  oc ostoy-s3 controller render > controller.yaml
  oc ostoy-s3 controller render --values > values.yaml
  oc ostoy-s3 controller render --facts facts.yaml --version 1.13.0     without a cluster`

func newControllerRenderCommand(s *program) *cobra.Command {
	facts, request := &factFlags{}, controllerrender.Request{}
	c := &cobra.Command{
		Use:   "render",
		Short: "Print what brings the ACK S3 controller: OLM's objects, or values for ACK's chart",
		Long:  controllerRenderLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkIdentity(c, request.Identity, request.Role); err != nil {
				return err
			}
			request.Facts = facts.request(s, c.Flags())
			return controllerrender.Run(c.Context(), s.session, request)
		},
	}
	facts.add(c.Flags())
	addController(&request.Version, &request.Identity, &request.Role, c.Flags())
	c.Flags().BoolVar(&request.Values, "values", false, "print the values for ACK's chart, also where there is OLM")
	return c
}
