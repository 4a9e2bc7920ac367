package plugin

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// question is what somebody has to say yes to before it is done.
type question struct {
	about   string // what is about to be done
	word    string // what has to be typed
	flags   string // what a script says instead: "--yes"
	nothing string // what has not happened yet: "nothing was removed"
}

// confirmed asks for the word and takes nothing else for a yes. ask is nil where
// nobody is at a terminal: the error then names the flags.
func (a *App) confirmed(ctx context.Context, ask func(context.Context, string) (string, error), q question) error {
	if ask == nil {
		return q.unanswered()
	}
	a.UI.Warn(q.about, "")
	answer, err := ask(ctx, "type "+q.word+" to go on: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != q.word {
		return &problem.Error{
			Kind: problem.Usage,
			What: "not confirmed: " + q.nothing,
			Why:  "what was typed is not " + q.word,
			Next: "the same command again, or with " + q.flags + " where nobody is to be asked",
		}
	}
	return nil
}

// unanswered is the error where nobody can be asked.
func (q question) unanswered() error {
	return &problem.Error{
		Kind: problem.Usage,
		What: "not confirmed: " + q.nothing,
		Why:  q.about,
		Next: "the same command with " + q.flags,
	}
}
