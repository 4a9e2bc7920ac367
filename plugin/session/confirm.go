package session

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

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
		return &problem.Error{
			Kind: problem.Usage,
			What: "not confirmed: " + q.Nothing,
			Why:  "what was typed is not " + q.Word,
			Next: "the same command again, or with " + q.Flags + " where nobody is to be asked",
		}
	}
	return nil
}

// Unanswered is the error where nobody can be asked.
func (q Question) Unanswered() error {
	return &problem.Error{
		Kind: problem.Usage,
		What: "not confirmed: " + q.Nothing,
		Why:  q.About,
		Next: "the same command with " + q.Flags,
	}
}
