package plugin

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// mayDeleteData refuses, before anybody is asked anything, to delete data for a
// script that did not say twice that it wants that.
func (u *uninstall) mayDeleteData() error {
	r := u.request
	if !r.DeleteData || r.Yes || r.DryRun || r.Ask != nil {
		return nil
	}
	return question{
		about: "--delete-data deletes for good, and nobody is at a terminal to confirm it",
		flags: "--delete-data --yes", nothing: nothingRemoved,
	}.unanswered()
}

// nothingRemoved is what has not happened without a yes.
const nothingRemoved = "nothing was removed"

// confirm asks before data is deleted, and where what was found leaves doubt. It
// does not ask for anything that install can make again.
func (u *uninstall) confirm(ctx context.Context) error {
	if u.request.Yes {
		return nil
	}
	for _, doubt := range u.doubts {
		if err := u.confirmed(ctx, u.request.Ask, question{doubt, "yes", "--yes", nothingRemoved}); err != nil {
			return err
		}
	}
	if !u.deletesData() {
		return nil
	}
	name := render.BucketName(u.namespace())
	return u.confirmed(ctx, u.request.Ask, question{"this deletes data for good: " + u.inDanger(), name, "--delete-data --yes", nothingRemoved})
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
