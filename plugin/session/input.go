package session

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

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
	options := render.Options{Set: chart.Set, SetString: chart.SetString}
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
		return nil, &problem.Error{
			Kind: problem.Usage,
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
