package plugin

import (
	"context"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// mayDeleteData refuses, before anybody is asked anything, to delete data for a
// script that did not say twice that it wants that.
func (u *uninstall) mayDeleteData() error {
	r := u.request
	if !r.DeleteData || r.Yes || r.DryRun || r.Ask != nil {
		return nil
	}
	return session.Question{
		About: "--delete-data deletes for good, and nobody is at a terminal to confirm it",
		Flags: "--delete-data --yes", Nothing: nothingRemoved,
	}.Unanswered()
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
		doubted := session.Question{About: doubt, Word: "yes", Flags: "--yes", Nothing: nothingRemoved}
		if err := doubted.Confirm(ctx, u.UI, u.request.Ask); err != nil {
			return err
		}
	}
	about, flags := "", "--delete-data --yes"
	switch removed := u.removes(theBucket); {
	case u.deletesData():
		about = "this deletes data for good: " + u.inDanger(ctx)
	case removed && u.adopts():
		about, flags = "this removes "+u.inDanger(ctx), "--adopt=bucket --yes"
	default:
		return nil
	}
	if u.adopts() && !u.proof.Proven {
		about += "; no IAM role shows that the bucket is this project's (" + u.noProof() + "), only --adopt=bucket says so"
	}
	return session.Question{About: about, Word: u.bucketName(), Flags: flags, Nothing: nothingRemoved}.Confirm(ctx, u.UI, u.request.Ask)
}

// deletesData reports whether something is to go that nobody can make again.
func (u *uninstall) deletesData() bool {
	return u.request.DeleteData && (u.removes(theBucket) || u.removes(aVolume))
}

// removes reports whether something of a kind is to be removed.
func (u *uninstall) removes(about subject) bool {
	return slices.ContainsFunc(u.of(about), func(l *line) bool { return l.fate == fateRemoved })
}

// inDanger is what goes, with what a person should know before.
func (u *uninstall) inDanger(ctx context.Context) string {
	var things []string
	for _, l := range u.lines {
		switch {
		case l.fate != fateRemoved:
		case l.about == theBucket && u.request.Ask == nil: // nobody reads it
			things = append(things, l.Object)
		case l.about == theBucket:
			things = append(things, l.Object+" with "+amount(u.contents)+", "+u.created(ctx))
		case l.about == aVolume:
			things = append(things, l.Object)
		}
	}
	return strings.Join(things, ", ")
}
