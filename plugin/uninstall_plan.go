package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// fate is what becomes of one thing.
type fate string

const (
	fateRemoved fate = "removed"
	fateKept    fate = "kept" // on purpose
	fateLeft    fate = "left" // could not be removed: for the user to do
)

// subject is the kind of thing a line is about.
type subject int

const (
	anObject        subject = iota // of the cluster, not data
	theBucketObject                // ACK's Bucket
	theBucket                      // of S3
	aVolume
	theRole
	theInventory
	theProject
	aNamedRole // of others, and not theRole
)

// line is one thing and its fate: what will become of it before the run, what
// did after it. One list serves plan, dry run and result, so that they cannot
// say different things.
type line struct {
	Object string `json:"object"`
	Why    string `json:"why,omitempty"`
	Next   string `json:"next,omitempty"` // the command that does what was not done
	*bucket.Contents

	about subject
	fate  fate
	done  bool // really removed
	item  *apply.Item
}

func (u *uninstall) add(l *line) *line {
	u.lines = append(u.lines, l)
	return l
}

// of are the lines about a subject.
func (u *uninstall) of(about subject) []*line {
	var lines []*line
	for _, l := range u.lines {
		if l.about == about {
			lines = append(lines, l)
		}
	}
	return lines
}

// one is the line about a subject of which there is at most one; nil without.
func (u *uninstall) one(about subject) *line {
	if lines := u.of(about); len(lines) > 0 {
		return lines[0]
	}
	return nil
}

// keep turns a line into one about something that stays.
func (l *line) keep(why, next string) { l.fate, l.Why, l.Next = fateKept, why, next }

// leave turns a line into one about something that could not be removed.
func (l *line) leave(why, next string) { l.fate, l.Why, l.Next = fateLeft, why, next }

// decide says of each thing that was found what is to become of it. It asks only when
// a bucket that is to go was created, and what else is in a project that is to go.
func (u *uninstall) decide(ctx context.Context) error {
	if u.request.RoleOnly {
		u.decideRole()
		return nil
	}
	u.decideObjects()
	if err := u.decideBucket(ctx); err != nil {
		return err
	}
	u.decideVolumes()
	u.decideRole()
	if u.removal.InventoryOurs {
		u.add(&line{Object: "ConfigMap " + apply.InventoryName, about: theInventory, fate: fateRemoved})
	}
	if u.project.unseen && u.removesInAWS() {
		u.doubts = append(u.doubts, fmt.Sprintf("project %s is not there, or you may not see it; if it is there, its OSToy loses what is removed here", u.namespace()))
	}
	if unseen := u.unseenUsers(); len(unseen) > 0 {
		u.doubts = append(u.doubts, fmt.Sprintf("whether somebody's objects in project %s still use what is removed in AWS cannot be seen: you may not list %s",
			u.namespace(), strings.Join(unseen, " and ")))
	}
	// Tags are held against the issuer: who edits the record would choose whose
	// role and bucket pass for ours.
	if u.facts.Issuer.Source == onRecord && u.removesInAWS() {
		u.doubts = append(u.doubts, fmt.Sprintf("that this cluster issues tokens as %s is only what the inventory says; what is removed in AWS is that issuer's", u.facts.Issuer.Value))
	}
	return u.decideProject(ctx)
}

func (u *uninstall) namespace() string { return u.facts.Namespace.Value }

// again is the command with other flags. What you gave to tell whose role and
// bucket are meant is repeated: after this run the inventory no longer says it. So is
// --keep-role, which is not about what the other flags remove.
func (u *uninstall) again(flags ...string) string {
	words := append([]string{"-n", u.namespace()}, flags...)
	if u.request.KeepRole && !slices.Contains(flags, "--role-only") {
		words = append(words, "--keep-role")
	}
	if issuer := u.request.Facts.Given.Issuer; issuer.Known() {
		words = append(words, "--oidc-issuer", issuer.Value)
	}
	if profile := u.request.Facts.Profile; profile != "" {
		words = append(words, "--profile", profile)
	}
	return advice.Command("oc ostoy-s3 uninstall", words...)
}

func (u *uninstall) decideObjects() {
	for _, item := range u.removal.Objects {
		u.add(&line{Object: item.Ref.String(), about: anObject, fate: fateRemoved, item: item})
	}
	if item := u.removal.Bucket; item != nil {
		u.add(&line{Object: "object " + item.Ref.String(), about: theBucketObject, fate: fateRemoved, item: item})
	}
	for _, item := range u.removal.Kept {
		u.add(&line{Object: item.Ref.String(), about: anObject, fate: fateKept, Why: item.Why, Next: u.nextOfKept(item), item: item})
	}
	for _, item := range u.removal.Gone {
		u.UI.Warn(item.Ref.String()+" is forgotten: "+item.Why, "")
	}
}

// decideBucket keeps what is not ours, what no role names, what holds data that nobody
// gave up, and what was there before install came. An empty bucket of ours goes.
func (u *uninstall) decideBucket(ctx context.Context) error {
	l := &line{Object: "bucket " + u.bucketName(), about: theBucket, fate: fateRemoved, Contents: u.contents}
	if u.request.KeepBucket {
		// A plain uninstall would keep it again: without the inventory and the Bucket
		// object nothing says that install created it.
		l.keep("--keep-bucket", u.later())
		if u.removal.Bucket == nil && u.removal.Inventory.Bucket == "" {
			return nil
		}
		u.add(l)
		return nil
	}
	if !u.bucket.Exists() {
		return nil
	}
	if !u.ourBucket() && !u.adopts() {
		if u.removal.Bucket == nil && !u.removal.Inventory.Found {
			return nil // nothing says that it has to do with us
		}
		l.keep(u.notOurs(), "")
		u.add(l)
		return nil
	}
	why, next, err := u.keepsBucket(ctx)
	if err != nil {
		return err
	}
	if why != "" {
		l.keep(why, next)
	}
	u.add(l)
	return nil
}

// keepsBucket says why a bucket that may be the project's stays, with the command that
// removes it, or "" if it goes.
func (u *uninstall) keepsBucket(ctx context.Context) (why, next string, err error) {
	later := u.later()
	user := u.bucketUser()
	switch {
	case user != "":
		return user, "", nil
	case !u.mayRemoveBucket():
		return u.unproven(), "", nil
	case u.request.DeleteData:
		return "", "", nil
	case u.contents != nil && u.contents.Data():
		return amount(u.contents), later, nil
	case u.adopts():
		return "", "", nil
	case u.origin() == apply.OriginAdopted:
		return "it was there before install, and is empty", later, nil
	case u.origin() == "":
		return "it is empty, but nothing says any more whether install made it", later, nil
	}
	why, err = u.mayPredate(ctx)
	return why, later, err
}

// notOurs says why a bucket of the name is none of ours.
func (u *uninstall) notOurs() string {
	switch {
	case u.bucket.Kind == bucket.OtherAccount && u.bucket.Sure:
		return "it belongs to another AWS account"
	case u.bucket.Kind == bucket.OtherAccount, u.bucket.Kind == bucket.TagsUnreadable:
		return "whose it is cannot be seen without " + u.bucket.Missing
	}
	return "it is not ours: " + awserr.Whose(u.bucket.Tags, u.facts)
}

func (u *uninstall) decideVolumes() {
	for _, item := range u.removal.Volumes {
		l := u.add(&line{Object: "volume " + item.Ref.Name, about: aVolume, fate: fateRemoved, item: item})
		switch {
		case u.request.DeleteData:
		case u.project.terminating:
			l.keep("it goes with the project, which is being deleted", "")
		default:
			l.keep("it is data", u.again("--delete-data"))
		}
	}
}

func (u *uninstall) decideRole() {
	defer func() { u.lines = append(u.lines, u.named...) }()
	if u.keepsRole() {
		u.decideKeptRole()
		return
	}
	if u.role == nil || u.role.Empty() {
		if u.role == nil && u.hidden != "" {
			u.add(&line{Object: "role " + u.hidden, about: theRole}).keep(
				"AWS refuses to show it, in the words that it uses for a role that does not exist, too",
				"ask an AWS administrator to allow iam:GetRole on role "+u.hidden+", then "+u.again("--role-only"))
		}
		if u.role == nil && u.hidden == "" {
			u.warnOfNoRole()
		}
		return
	}
	l := u.add(&line{Object: "role " + u.role.Name, about: theRole, fate: fateRemoved})
	if user := u.roleUser(u.role.Name); user != "" {
		l.keep(user, "once that is gone: "+u.again("--role-only")) // which does not look for users
		return
	}
	for _, note := range u.role.Notes {
		u.UI.Warn(note, "")
	}
}

func (u *uninstall) removesInAWS() bool {
	for _, about := range []subject{theBucket, theRole} {
		if l := u.one(about); l != nil && l.fate == fateRemoved {
			return true
		}
	}
	return false
}

// somethingToDo reports whether anything is to be removed.
func (u *uninstall) somethingToDo() bool {
	for _, l := range u.lines {
		if l.fate == fateRemoved {
			return true
		}
	}
	return false
}

// announce prints where this is about to happen, and the plan.
func (u *uninstall) announce() {
	rows := []ui.Row{{Label: "project", Text: u.namespace(), From: u.facts.Namespace.Source}}
	if u.needsAWS() {
		account := u.facts.Account.Value
		if u.found.Caller != "" {
			account += ", as " + u.found.Caller
		}
		rows = append(rows, ui.Row{Label: "account", Text: account, From: u.facts.Account.Source})
	}
	if u.facts.Issuer.Known() {
		rows = append(rows, ui.Row{Label: "issuer", Text: u.facts.Issuer.Value, From: u.facts.Issuer.Source})
	}
	u.UI.Rows(rows)
	if !u.request.DryRun && u.somethingToDo() {
		u.UI.Line("")
		u.table(map[fate]string{fateRemoved: "to remove", fateKept: "to keep", fateLeft: "for you"})
		u.UI.Line("")
	}
}
