package cmd

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

func newVersionCommand(s *program) *cobra.Command {
	var client bool
	var format session.Format
	c := newCommand("version", "Print the version; asks no server", "", func(*cobra.Command) error {
		platform := runtime.GOOS + "/" + runtime.GOARCH
		if format == "json" {
			text, err := plain.JSON(map[string]string{"version": s.Version, "go": runtime.Version(), "platform": platform})
			if err != nil {
				return err
			}
			_, err = s.Streams.Out.Write(text)
			return err
		}
		_, err := fmt.Fprintf(s.Streams.Out, "ostoy-s3 %s (%s, %s)\n", s.Version, runtime.Version(), platform)
		return err
	})
	addOutput(c, &format, "", "json")
	c.Flags().BoolVar(&client, "client", false, "accepted as kubectl's flag; only the client's version is ever printed")
	return c
}
