// Package session is what one run of the executable has: the streams and the UI, the
// clock, the connection to the cluster, and what the user named on the command line. It
// is made once, by package cmd, and every use case gets it.
//
// What a command writes to stdout leaves by this package or by Report. It knows no use
// case and none of their words.
package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Session is one run of the executable. It is safe for concurrent use.
type Session struct {
	Streams genericiooptions.IOStreams // Out is data, ErrOut is the UI's
	UI      *ui.UI
	Report  *ui.UI // on Out: what a person asked to see, where that is no document
	Getter  genericclioptions.RESTClientGetter
	Version string
	Now     func() time.Time

	mu   sync.Mutex
	conn *cluster.Conn
}

// Connect gives the one connection of the run; it sends nothing. The server's warnings
// are shown, each once: they are about what the user asked for. A kubeconfig can be a
// pipe, so reading it can be interrupted.
func (s *Session) Connect(ctx context.Context) (*cluster.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return s.conn, nil
	}
	conn, err := interrupt.Run(ctx, 0, func() (*cluster.Conn, error) {
		return cluster.Connect(s.Getter, cluster.Options{Version: s.Version, Warn: func(text string) { s.UI.Warn(plain.Line(text), "") }})
	})
	if err == nil {
		s.conn = conn
	}
	return conn, err
}

// Stream is the stream that a UI of this session writes to, for a program of the user's
// own that writes there itself.
func (s *Session) Stream(to *ui.UI) io.Writer {
	if to == s.Report {
		return s.Streams.Out
	}
	return s.Streams.ErrOut
}

// InTime runs a part of a command under its deadline, --timeout or what is left
// of it, and words the end of a run that was cut off.
func InTime(ctx context.Context, limit, timeout time.Duration, doneSoFar func() string, part func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := part(limited)
	if err == nil || limited.Err() == nil {
		return err
	}
	return CutOff(ctx, err, timeout, doneSoFar)
}

// CutOff words the end of a run that was stopped from outside: by Ctrl-C, which
// ends ctx, or by its deadline. What was reached is kept either way, and a
// second run goes on. An error that is about something else passes unchanged.
func CutOff(ctx context.Context, err error, timeout time.Duration, doneSoFar func() string) error {
	var told *problem.Error
	stopped := &problem.Error{Next: "run the same command again: it continues where this one stopped", Err: err}
	switch {
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || !errors.As(err, &told)):
		stopped.Kind, stopped.What, stopped.Why = problem.Interrupted, "interrupted", doneSoFar()
	case late(err):
		stopped.Kind, stopped.What = problem.Failed, fmt.Sprintf("not done within --timeout %s", timeout)
		stopped.Why = strings.TrimPrefix(awaited(err)+"\n"+doneSoFar(), "\n")
	default:
		return err
	}
	return stopped
}

// late reports whether an error is the deadline's, and not a finding of those
// who were waiting: what is not ready they know best.
func late(err error) bool {
	var told *problem.Error
	return errors.Is(err, context.DeadlineExceeded) && !(errors.As(err, &told) && told.Kind != problem.Failed)
}

// awaited says what was waited for when the time was over, as far as the error
// knows.
func awaited(err error) string {
	var known *problem.Awaited
	var told *problem.Error
	var request *url.Error
	switch {
	case errors.As(err, &known):
		return "it was waiting for " + known.What
	case errors.As(err, &told):
		return told.What + ": no answer in time"
	case errors.As(err, &request):
		path := request.URL
		if asked, err := url.Parse(request.URL); err == nil {
			path = asked.Host + asked.Path
		}
		return "no answer in time to " + strings.ToUpper(request.Op) + " " + path
	}
	return ""
}

// Question is what somebody has to say yes to before it is done.
type Question struct {
	About   string // what is about to be done
	Word    string // what has to be typed
	Flags   string // what a script says instead: "--yes"
	Nothing string // what has not happened yet: "nothing was removed"
}

// Ask puts a question to the user and gives the line that was typed.
type Ask func(ctx context.Context, question string) (string, error)

// Confirm asks for the word and takes nothing else for a yes. ask is nil if nobody is at
// a terminal: the error then names the flags.
func (q Question) Confirm(ctx context.Context, to *ui.UI, ask Ask) error {
	if ask == nil {
		return q.Unanswered()
	}
	to.Warn(q.About, "")
	answer, err := ask(ctx, "type "+q.Word+" to go on: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != q.Word {
		return problem.Input("not confirmed: "+q.Nothing, "what was typed is not "+q.Word,
			"the same command again, or with "+q.Flags+" where nobody is to be asked")
	}
	return nil
}

// Unanswered is the error where nobody can be asked.
func (q Question) Unanswered() error {
	return problem.Input("not confirmed: "+q.Nothing, q.About, "the same command with "+q.Flags)
}

// DryRun is how far a command goes.
type DryRun string

// The ways to run.
const (
	DryRunNone   DryRun = "none"
	DryRunClient DryRun = "client" // look and plan; send nothing to be judged
	DryRunServer DryRun = "server" // have the API server judge every object, persist nothing
)

// Known reports whether d is one of the ways.
func (d DryRun) Known() bool { return d == DryRunNone || d == DryRunClient || d == DryRunServer }

// Facts says which facts are given and where to look for the others.
type Facts struct {
	Given   render.Facts // by flag
	File    string       // a facts file, "-" for stdin; flags win over it
	Profile string       // of the AWS configuration
}

// Chart is the user's chart values, weakest first.
type Chart struct {
	Files     []string // "-" for stdin
	Set       []string
	SetString []string
	// Reset says that the values of the last install are not used again.
	Reset bool
}

// Given reads the facts file, and gives its facts and those by flag.
func (s *Session) Given(ctx context.Context, facts Facts) (render.Facts, error) {
	if facts.File == "" {
		return facts.Given, nil
	}
	data, err := s.Read(ctx, "facts file", facts.File)
	if err != nil {
		return render.Facts{}, err
	}
	fromFile, err := render.ParseFacts(data, facts.File)
	return render.Merge(facts.Given, fromFile), err
}

// ReadValues reads the user's value files.
func (s *Session) ReadValues(ctx context.Context, chart Chart) (render.Options, error) {
	options := render.Options{Set: chart.Set, SetString: chart.SetString, Reset: chart.Reset}
	for _, name := range chart.Files {
		data, err := s.Read(ctx, "values file", name)
		if err != nil {
			return render.Options{}, err
		}
		options.Files = append(options.Files, render.ValueFile{Name: name, Data: data})
	}
	return options, nil
}

// Read reads a file that the user named, or stdin for "-". Either may be a pipe that
// does not end, or that nobody writes to.
func (s *Session) Read(ctx context.Context, what, name string) ([]byte, error) {
	data, err := interrupt.Run(ctx, 0, func() ([]byte, error) { return readFile(s.Streams.In, name) })
	if ctx.Err() != nil {
		return nil, problem.While(what+" "+name+" to end", err)
	}
	if err != nil {
		return nil, problem.Input(what+" "+name,
			fmt.Sprintf("cannot be read: %v", err),
			"give a file that exists and that you may read, or - for stdin").Because(err)
	}
	return data, nil
}

// maxInput is far more than any file of values or facts has: a device or a program that
// writes without end must not take all memory.
const maxInput = 16 << 20

func readFile(stdin io.Reader, name string) ([]byte, error) {
	from := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("it has more than %d MB", maxInput>>20)
	}
	return data, err
}
