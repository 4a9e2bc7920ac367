package cmd

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// asker asks on the terminal. It is nil where nobody could answer: stdin or
// stderr leads somewhere else.
func asker(s *program) func(context.Context, string) (string, error) {
	in, isFile := s.Streams.In.(*os.File)
	out, seen := s.Streams.ErrOut.(*os.File)
	if !isFile || !seen || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	return func(ctx context.Context, question string) (string, error) {
		if _, err := fmt.Fprint(s.Streams.ErrOut, plain.Text(question)); err != nil {
			return "", err
		}
		return interrupt.Run(ctx, 0, func() (string, error) {
			line, _ := bufio.NewReader(in).ReadString('\n')
			return line, nil // no answer (Ctrl-D) is an empty one
		})
	}
}
