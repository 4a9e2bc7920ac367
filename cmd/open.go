package cmd

import (
	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/open"
)

const openLong = `Opens the app in the browser, by http, as the tutorial does.

  oc ostoy-s3 open -n demo
  oc ostoy-s3 open -n demo --print    only prints the address

Where the app has no Route, a port-forward leads to a pod until you end it with
Ctrl-C, and its address is printed, too.`

func newOpenCommand(s *program) *cobra.Command {
	request := open.Request{}
	c := &cobra.Command{
		Use:   "open",
		Short: "Open the app in the browser",
		Long:  openLong,
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			request.Facts = (&factFlags{}).request(s, c.Flags())
			request.Browse = s.browse
			return open.Run(c.Context(), s.session, request)
		},
	}
	c.Flags().BoolVar(&request.Print, "print", false, "print the address on stdout and start no browser")
	return c
}
