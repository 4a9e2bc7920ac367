package cmd

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

// asker asks on the terminal. It is nil where nobody could answer: stdin or
// stderr leads somewhere else.
func (s *session) asker() func(context.Context, string) (string, error) {
	in, isFile := s.Streams.In.(*os.File)
	out, seen := s.Streams.ErrOut.(*os.File)
	if !isFile || !seen || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil
	}
	return func(ctx context.Context, question string) (string, error) {
		if _, err := fmt.Fprint(s.Streams.ErrOut, plain.Text(question)); err != nil {
			return "", err
		}
		answer := make(chan string, 1)
		// A read of a terminal cannot be interrupted: after Ctrl-C it is left to
		// end with the process. No answer (Ctrl-D) is an empty one.
		go func() {
			line, _ := bufio.NewReader(in).ReadString('\n')
			answer <- line
		}()
		select {
		case line := <-answer:
			return line, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
