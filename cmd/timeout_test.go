package cmd

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// TestEveryCommandThatAsksEnds: each command that asks the cluster or AWS has --timeout.
// Those that ask nobody are the exception, and are listed.
func TestEveryCommandThatAsksEnds(t *testing.T) {
	asksNobody := []string{"version", "completion"}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		group := len(c.Commands()) > 0
		if has := c.Flags().Lookup("timeout") != nil; has == (group || slices.Contains(asksNobody, c.Name())) {
			t.Errorf("%s: --timeout: %t", c.CommandPath(), has)
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newTestRoot())
}

// TestTimeoutEnds: what has no answer ends after --timeout, with its name, whichever of the
// commands asks.
func TestTimeoutEnds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and is silent
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	silent := listener.Addr().String()
	for name, value := range map[string]string{
		"HOME": t.TempDir(), "KUBECONFIG": "", "AWS_ENDPOINT_URL": "http://" + silent, "AWS_REGION": "us-east-2",
		"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_PROFILE": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
	} {
		t.Setenv(name, value)
	}
	for command, awaits := range map[string]string{
		"iam policy --for install": silent + " to answer sts:GetCallerIdentity", // the others ask the cluster as well
		"facts -n demo":            "", "render -n demo": "", "values -n demo": "", "iam plan -n demo": "", "iam render -n demo": "",
		"controller render": "", "status -n demo": "", "check -n demo": "", "diff -n demo": "", "open -n demo": "", "verify -n demo": "",
	} {
		t.Run(command, func(t *testing.T) {
			var out bytes.Buffer
			args := append(strings.Fields(command), "--timeout", "200ms", "--server", "http://"+silent)
			code := Run(t.Context(), args, Process{
				Streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &out},
				Now:     time.Now, Getenv: func(string) string { return "" },
			})
			text := out.String()
			if code == 0 || !strings.Contains(text, "not done within --timeout 200ms") || !strings.Contains(text, awaits) {
				t.Errorf("exit code %d\n%s", code, text)
			}
		})
	}
}
