package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// zeros is a device that gives bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// What writes without end takes no more memory than maxInput.
func TestReadInputHasALimit(t *testing.T) {
	full := bytes.Repeat([]byte{'#'}, maxInput)
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, append(full, '#'), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		file string
		in   io.Reader
		want int // bytes; 0: refused
	}{
		"a file":     {file, strings.NewReader(""), 0},
		"input":      {"-", zeros{}, 0},
		"full input": {"-", bytes.NewReader(full), maxInput},
	} {
		a := &Session{Streams: genericiooptions.IOStreams{In: tc.in}}
		data, err := a.Read(t.Context(), "values file", tc.file)
		var input *problem.Error
		refused := errors.As(err, &input) && strings.Contains(input.Why, "more than 16 MB")
		if refused != (tc.want == 0) || len(data) != tc.want {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
}

// The end of the context is the error then, not that a file cannot be read, and a deadline
// says which file it was.
func TestReadInputIsLeft(t *testing.T) {
	in, out := io.Pipe()
	defer func() { _ = out.Close() }()
	a := &Session{Streams: genericiooptions.IOStreams{In: in}}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := a.Read(ctx, "values file", "-")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(awaited(err), "values file -") {
		t.Errorf("%v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := a.Read(ctx, "values file", "-"); err != context.Canceled {
		t.Errorf("%v", err)
	}
}
