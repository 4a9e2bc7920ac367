// Package cmd is the command line: flags become requests, requests go to
// package plugin, errors become exit codes. One file per command or group; what a
// command does is decided in plugin, never here.
package cmd

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/waiting"
)

// Process is what a command needs of the process it runs in.
type Process struct {
	Streams genericiooptions.IOStreams
	Version string
	Now     func() time.Time
	Getenv  func(string) string
}

// program is what the commands of one run share.
type program struct {
	Process
	name    string // how the user calls us, for example "oc ostoy-s3"
	config  *genericclioptions.ConfigFlags
	session *session.Session
	log     *logFlag
}

// Run executes one command line and returns the exit code.
func Run(ctx context.Context, args []string, process Process) int {
	name := hostName(process.Getenv)
	s := &program{
		Process: process,
		name:    name,
		config:  genericclioptions.NewConfigFlags(true),
	}
	s.session = &session.Session{
		Streams: process.Streams,
		UI:      ui.New(process.Streams.ErrOut, terminalStyle(process.Streams.ErrOut, process, name), process.Now),
		Report:  ui.New(process.Streams.Out, terminalStyle(process.Streams.Out, process, name), process.Now),
		Getter:  s.config,
		Version: process.Version,
		Now:     process.Now,
	}
	root := newRootCommand(s)
	root.SetArgs(args)
	err := root.ExecuteContext(waiting.With(ctx, waiting.Person{
		Patience: waiting.Patience,
		Present:  asker(s) != nil,
		Tell:     func(what string) { s.session.UI.Linef("still waiting for %s", plain.InLine(what)) },
	}))
	return s.conclude(ctx, err)
}

// hostName is the command our help speaks of. kubectl says who it is by
// KUBECTL_PATH since 1.37; everybody else is taken for oc.
func hostName(getenv func(string) string) string {
	host := strings.TrimSuffix(filepath.Base(getenv("KUBECTL_PATH")), ".exe")
	if strings.HasPrefix(host, "kubectl") {
		return "kubectl ostoy-s3"
	}
	return "oc ostoy-s3"
}

func newRootCommand(s *program) *cobra.Command {
	root := newCommand("kubectl-ostoy_s3", "Give an app on OpenShift its own S3 bucket and its own IAM role", `Gives OSToy, in its OpenShift project, an S3 bucket (through the ACK S3 controller)
and an IAM role that only its service account can assume and that reaches only
that bucket. "install" does it, "render" prints the same objects for GitOps.`, (*cobra.Command).Help)
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: s.name}
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(s.Streams.In)
	root.SetOut(plain.Writer(s.Streams.Out))
	root.SetErr(plain.Writer(s.Streams.ErrOut))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(c, err.Error()) })
	s.config.AddFlags(root.PersistentFlags())
	s.log = addLogFlag(root.PersistentFlags())
	root.PersistentPreRun = func(c *cobra.Command, _ []string) {
		s.log.start(s.Streams.ErrOut)
		warnOfReplaced(s, c)
	}
	root.AddCommand(
		newInstallCommand(s),
		newUninstallCommand(s),
		newReleaseCommand(s),
		newCheckCommand(s),
		newStatusCommand(s),
		newDiffCommand(s),
		newVerifyCommand(s),
		newOpenCommand(s),
		newRenderCommand(s),
		newValuesCommand(s),
		newFactsCommand(s),
		newIAMCommand(s),
		newControllerCommand(s),
		newCompletionCommand(s),
		newVersionCommand(s),
	)
	return root
}

// newCommand makes a command without arguments.
func newCommand(use, short, long string, run func(*cobra.Command) error) *cobra.Command {
	return &cobra.Command{
		Use:     use,
		Short:   short,
		Long:    long,
		Args:    noArgs,
		PreRunE: func(*cobra.Command, []string) error { return nil },
		RunE:    func(c *cobra.Command, _ []string) error { return run(c) },
	}
}

// first has something done before a command runs, and after what came first earlier.
func first(c *cobra.Command, do func() error) {
	earlier := c.PreRunE
	c.PreRunE = func(c *cobra.Command, args []string) error {
		if err := earlier(c, args); err != nil {
			return err
		}
		return do()
	}
}

// usage is an error about the command line itself.
func usage(c *cobra.Command, why string) error {
	return problem.Input("cannot read the command line", why, displayPath(c, "--help"))
}

// displayPath is the command as the user typed it, by the name that package ui
// replaces by the host's, with flags.
func displayPath(c *cobra.Command, flags ...string) string {
	path := strings.Fields(strings.TrimPrefix(c.CommandPath(), c.Root().CommandPath()))
	return advice.Command("oc ostoy-s3", append(path, flags...)...)
}

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(c, "unknown command or argument "+strings.Join(args, " "))
	}
	return nil
}

// conclude prints what went wrong and gives the exit code. The echo of a
// cancelled context is no error of its own: somebody pressed Ctrl-C.
func (s *program) conclude(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	s.log.stop()
	if ctx.Err() != nil && !isVerdict(err) {
		err = &problem.Error{Kind: problem.Interrupted, What: "interrupted", Err: err}
	}
	s.tell(err)
	return exitCode(err)
}

// tell prints an error in its parts.
func (s *program) tell(err error) {
	var several *problem.Several
	var told *problem.Error
	switch {
	case errors.As(err, &several):
		for _, one := range problem.Merge(several.Problems) {
			s.session.UI.Problem(one.What, one.Why, one.Next, one.More)
		}
		s.session.UI.Line(several.Note)
	case errors.As(err, &told) && told.What == "": // it has said all there is
	case errors.As(err, &told):
		s.session.UI.Problem(told.What, told.Why, told.Next, told.More)
	default:
		s.session.UI.Problem(err.Error(), "", "", "")
	}
}

// exitCode is the one place where an error becomes a number. An error of no
// known kind is a failure.
func exitCode(err error) int {
	var several *problem.Several
	var told *problem.Error
	// Itself, and not what it may be wrapped in: an interrupted run is just that.
	if compared, ok := err.(*comparisonError); ok {
		return compared.exitCode()
	}
	switch {
	case errors.As(err, &several):
		return int(several.Kind())
	case errors.As(err, &told):
		return int(told.Kind)
	}
	return int(problem.Failed)
}

// comparisonError is an error of a command whose exit code 1 means that there are
// differences.
type comparisonError struct{ error }

func (c *comparisonError) Unwrap() error { return c.error }

// exitCode is that of the error, unless that would be taken for an answer.
func (c *comparisonError) exitCode() int {
	if code := exitCode(c.error); code != int(problem.Differs) {
		return code
	}
	return int(problem.Undecided)
}

// isVerdict reports whether an error was reached, rather than being the echo
// of a cancelled context.
func isVerdict(err error) bool {
	var told *problem.Error
	if errors.As(err, &told) && told.Kind == problem.Interrupted {
		return true
	}
	var several *problem.Several
	return !errors.Is(err, context.Canceled) && (errors.As(err, &told) || errors.As(err, &several))
}

// terminalStyle finds out what a stream can show. NO_COLOR and TERM=dumb are
// obeyed; a locale that is not UTF-8 gets words instead of glyphs.
func terminalStyle(stream io.Writer, process Process, name string) ui.Style {
	file, isFile := stream.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd())) && process.Getenv("TERM") != "dumb"
	return ui.Style{
		Terminal: terminal,
		Color:    terminal && process.Getenv("NO_COLOR") == "",
		UTF8:     speaksUTF8(process.Getenv),
		Command:  name,
	}
}

// speaksUTF8 follows the order in which a C library reads the locale; Windows
// Terminal has no locale but says who it is.
func speaksUTF8(getenv func(string) string) bool {
	if getenv("WT_SESSION") != "" {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := getenv(name); value != "" {
			value = strings.ToUpper(value)
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return false
}
