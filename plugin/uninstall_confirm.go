package plugin

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// mayDeleteData refuses, before anybody is asked anything, to delete data for a
// script that did not say twice that it wants that.
func (u *uninstall) mayDeleteData() error {
	r := u.request
	if !r.DeleteData || r.Yes || r.DryRun || r.Ask != nil {
		return nil
	}
	return unconfirmed("--delete-data deletes for good, and nobody is at a terminal to confirm it", "--delete-data --yes")
}

func unconfirmed(why, flags string) error {
	return &problem.Error{
		Kind: problem.Usage,
		What: "not confirmed: nothing was removed",
		Why:  why,
		Next: "the same command with " + flags,
	}
}

// confirm asks before data is deleted, and where what was found leaves doubt. It
// does not ask for anything that install can make again.
func (u *uninstall) confirm(ctx context.Context) error {
	if u.request.Yes {
		return nil
	}
	for _, doubt := range u.doubts {
		if err := u.confirmed(ctx, doubt, "yes", "--yes"); err != nil {
			return err
		}
	}
	if !u.deletesData() {
		return nil
	}
	name := render.BucketName(u.namespace())
	return u.confirmed(ctx, "this deletes data for good: "+u.inDanger(), name, "--delete-data --yes")
}

// deletesData reports whether something is to go that nobody can make again.
func (u *uninstall) deletesData() bool { return u.request.DeleteData && u.inDanger() != "" }

func (u *uninstall) inDanger() string {
	var things []string
	for _, l := range u.lines {
		switch {
		case l.fate != fateRemoved:
		case l.about == theBucket:
			things = append(things, l.Object+" with "+amount(u.contents))
		case l.about == aVolume:
			things = append(things, l.Object)
		}
	}
	return strings.Join(things, ", ")
}

// confirmed asks for a word and takes nothing else for a yes.
func (u *uninstall) confirmed(ctx context.Context, what, word, flags string) error {
	if u.request.Ask == nil {
		return unconfirmed(what, flags)
	}
	u.UI.Warn(what, "")
	answer, err := u.request.Ask(ctx, "type "+word+" to go on: ")
	if err != nil {
		return err
	}
	if strings.TrimSpace(answer) != word {
		return &problem.Error{
			Kind: problem.Usage,
			What: "not confirmed: nothing was removed",
			Why:  "what was typed is not " + word,
			Next: "the same command again, or with " + flags + " where nobody is to be asked",
		}
	}
	return nil
}
