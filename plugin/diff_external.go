package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/differ"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// externalDiff has a program show the two sides, which it gets as two folders
// with one file for each thing that is there. Its exit code says whether there
// is a difference: 0 none, 1 some; more is an error.
func (a *App) externalDiff(ctx context.Context, command string, pairs []differ.Pair, out io.Writer) (bool, error) {
	live, err := sideOf(differ.Live, pairs, func(p differ.Pair) string { return p.Before })
	defer func() { _ = os.RemoveAll(live) }()
	if err != nil {
		return false, noFolder(err)
	}
	merged, err := sideOf(differ.Merged, pairs, func(p differ.Pair) string { return p.After })
	defer func() { _ = os.RemoveAll(merged) }()
	if err != nil {
		return false, noFolder(err)
	}
	name, args := externalCommand(command, live, merged)
	program := exec.CommandContext(ctx, name, args...)
	program.Stdout, program.Stderr = out, a.Stream(a.UI)
	return differs(ctx, name, program.Run())
}

// externalCommand reads KUBECTL_EXTERNAL_DIFF as kubectl does ("kubectl diff
// --help"; DiffProgram in its pkg/cmd/diff): words at blanks, of which those after
// the first count only if they are letters, digits, - and =, and then stand behind
// the two folders. Nothing is left to a shell.
func externalCommand(command, live, merged string) (name string, args []string) {
	plain := regexp.MustCompile(`^[a-zA-Z0-9-=]+$`)
	words := strings.Split(command, " ")
	args = []string{live, merged}
	for _, word := range words[1:] {
		if plain.MatchString(word) {
			args = append(args, word)
		}
	}
	return words[0], args
}

// differs reads how the program ended.
func differs(ctx context.Context, name string, err error) (bool, error) {
	const some = 1
	var ended *exec.ExitError
	switch {
	case err == nil:
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.As(err, &ended) && ended.ExitCode() == some:
		return true, nil
	}
	return false, &problem.Error{
		Kind: problem.Failed,
		What: fmt.Sprintf("%s, which KUBECTL_EXTERNAL_DIFF names, did not show the diff", name),
		Why:  err.Error(),
		Next: "name a program that takes two folders and ends with 0 or 1; without the variable no program is needed",
		Err:  err,
	}
}

// sideOf writes one side into a new folder that only this user can read. The path
// is given with an error, too: for the caller to remove.
func sideOf(name string, pairs []differ.Pair, text func(differ.Pair) string) (dir string, err error) {
	const private = 0o600
	if dir, err = os.MkdirTemp("", strings.ToUpper(name)+"-"); err != nil {
		return dir, err
	}
	for _, p := range pairs {
		if text(p) == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, p.Name), []byte(text(p)), private); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

func noFolder(err error) error {
	return &problem.Error{
		Kind: problem.Failed, What: "the two sides of the diff cannot be written for the program that shows it",
		Why: err.Error(), Next: "make room in the folder for temporary files, or name another with TMPDIR", Err: err,
	}
}
