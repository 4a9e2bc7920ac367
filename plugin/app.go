package plugin

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// App is what the use cases need of their surroundings.
type App struct {
	Streams genericiooptions.IOStreams // Out is data, ErrOut is the UI's
	UI      *ui.UI
	Report  *ui.UI // on Out: what a person asked to see, where that is no document
	Getter  genericclioptions.RESTClientGetter
	Version string
	Now     func() time.Time
}

// Format is an output format; each use case knows its own.
type Format string

// The formats.
const (
	FormatTable Format = "table"
	FormatYAML  Format = "yaml"
	FormatJSON  Format = "json"
	FormatJUnit Format = "junit"
)

// FactsRequest says which facts are given and where to look for the others.
type FactsRequest struct {
	Given   render.Facts // by flag
	File    string       // a facts file, "-" for stdin; flags win over it
	Profile string       // of the AWS configuration
}

// ChartRequest is the user's chart values, weakest first.
type ChartRequest struct {
	Files     []string // "-" for stdin
	Set       []string
	SetString []string
}

// RoleRequest is what the user wants of the role.
type RoleRequest = iam.RoleOptions

// connect opens the connection that a whole run shares. The server's warnings
// are shown, each once: they are about what the user asked for. A kubeconfig can be a
// pipe, too.
func (a *App) connect(ctx context.Context) (*cluster.Conn, error) {
	return interrupt.Run(ctx, 0, func() (*cluster.Conn, error) {
		return cluster.Connect(a.Getter, cluster.Options{
			Version: a.Version,
			Warn:    func(text string) { a.UI.Warn(plain.Line(text), "") },
		})
	})
}

// connector returns connect for a caller that may not need a connection.
func (a *App) connector(ctx context.Context) func() (*cluster.Conn, error) {
	return func() (*cluster.Conn, error) { return a.connect(ctx) }
}

// readInput reads a file the user named, or stdin for "-". Either may be a pipe that
// does not end, or that nobody writes to.
func (a *App) readInput(ctx context.Context, what, name string) ([]byte, error) {
	data, err := interrupt.Run(ctx, 0, func() ([]byte, error) { return a.readFile(name) })
	if ctx.Err() != nil {
		return nil, problem.While(what+" "+name+" to end", err)
	}
	if err != nil {
		return nil, &render.InputError{
			What: what + " " + name,
			Why:  fmt.Sprintf("cannot be read: %v", err),
			Next: "give a file that exists and that you may read, or - for stdin",
			Err:  err,
		}
	}
	return data, nil
}

// maxInput is far more than any file of values or facts has: a device or a program that
// writes without end must not take all memory.
const maxInput = 16 << 20

func (a *App) readFile(name string) ([]byte, error) {
	from := a.Streams.In
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

// options reads the user's value files.
func (a *App) options(ctx context.Context, chart ChartRequest) (render.Options, error) {
	options := render.Options{Set: chart.Set, SetString: chart.SetString}
	for _, name := range chart.Files {
		data, err := a.readInput(ctx, "values file", name)
		if err != nil {
			return render.Options{}, err
		}
		options.Files = append(options.Files, render.ValueFile{Name: name, Data: data})
	}
	return options, nil
}
