package uninstall

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// decideBucket keeps what is not the project's, what no role names, what holds data that
// nobody gave up, and what existed before install. An empty bucket of the project is
// removed. nil says nothing of it.
func decideBucket(e evidence) *removal.Line {
	a, known := e.app, e.app.removal
	l := &removal.Line{Object: "bucket " + a.bucketName(), Subject: removal.Bucket, Fate: removal.Removed, Contents: e.bucket.contents}
	if a.request.KeepBucket {
		// A plain uninstall would keep it again: without the inventory and the Bucket
		// resource nothing says that install created it.
		l.Keep("--keep-bucket", e.later())
		if known.Bucket == nil && known.Inventory.Bucket == "" {
			return nil
		}
		return l
	}
	if !e.bucket.state.Exists() {
		return nil
	}
	related := e.mayBeOurs() || known.Bucket != nil || known.Inventory.Found
	if !related { // nothing says that it has to do with the app
		return nil
	}
	if why, next, _ := e.keepsBucket(); why != "" {
		l.Keep(why, next)
	}
	return l
}

// keepsBucket says why a bucket stays, with the command that removes it, or "" if it is
// removed. byAge reports that nothing but the age of the bucket decides.
func (e evidence) keepsBucket() (why, next string, byAge bool) {
	contents := e.bucket.contents
	user := bucketUser(e.app)
	switch adopts := e.app.adopts(e.bucket.state); {
	case !e.mayBeOurs():
		return e.notOurs(), "", false
	case user != "":
		return user, "", false
	case !adopts && !e.role.proof.Proven:
		return e.unproven(), "", false
	case e.app.request.DeleteData:
		return "", "", false
	case contents != nil && contents.Data():
		return bucket.Amount(contents), e.later(), false
	case adopts:
		return "", "", false
	}
	switch e.app.bucketOrigin() {
	case apply.OriginAdopted:
		return "it was there before install, and is empty", e.later(), false
	case "":
		return "it is empty, but nothing says any more whether install made it", e.later(), false
	}
	return e.bucket.predates, e.later(), true
}

// mayBeOurs reports whether the bucket looks like this project's, or the user says that
// it is.
func (e evidence) mayBeOurs() bool { return e.app.owns(e.bucket.state) || e.app.adopts(e.bucket.state) }

// notOurs says why a bucket of the name is not this project's.
func (e evidence) notOurs() string {
	switch state := e.bucket.state; {
	case state.Kind == bucket.OtherAccount && state.Sure:
		return "it belongs to another AWS account"
	case state.Kind == bucket.OtherAccount, state.Kind == bucket.TagsUnreadable:
		return "whose it is cannot be seen without " + state.Missing
	}
	return "it is not ours: " + awserr.Whose(e.bucket.state.Tags, e.app.facts)
}

// unproven says why a bucket with the tags of this project stays.
func (e evidence) unproven() string {
	text := "no IAM role shows that it is this project's (" + e.role.noProof() + "), and its tags can be written from inside the project; " +
		"if you know that it is: " + e.withoutRole()
	if contents := e.bucket.contents; contents != nil && contents.Data() {
		text = bucket.Amount(contents) + "; " + text
	}
	return text
}

// withoutRole are the flags that remove the bucket although no role names it. For a
// bucket with data --delete-data is needed, which deletes the volume, too.
func (e evidence) withoutRole() string {
	data := "--delete-data --adopt=bucket"
	var volumes []string
	for _, item := range e.app.removal.Volumes {
		volumes = append(volumes, item.Ref.Name)
	}
	if len(volumes) > 0 && !e.app.request.DeleteData {
		data += " (--delete-data also deletes the volume " + strings.Join(volumes, ", ") + ")"
	}
	switch contents := e.bucket.contents; {
	case contents == nil:
		return "--adopt=bucket removes it while it is empty, otherwise " + data
	case contents.Data():
		return data
	}
	return "--adopt=bucket"
}

// later is the command that removes a bucket which stays: if its role goes in this run,
// nothing but the user's word says afterwards that it is this project's. "" if nothing
// says it now. An empty bucket does not need --delete-data, which deletes the volume, too.
func (e evidence) later() string {
	a, plan, proven := e.app, e.role.plan, e.role.proof.Proven
	roleGoes := !a.keepsRole() && plan != nil && !plan.Empty() && roleUser(a, plan.Name) == ""
	word := a.request.Adopt.Bucket() || proven && roleGoes
	switch {
	case (word || proven) && e.bucket.contents != nil && !e.bucket.contents.Data():
		return a.again("--adopt=bucket")
	case word:
		return a.again("--delete-data", "--adopt=bucket")
	case proven, a.keepsRole():
		return a.again("--delete-data")
	}
	return ""
}

// store is the bucket in S3 and its Bucket resource, of which the one is not removed
// without the other.
type store struct {
	at       place
	evidence evidence
	s3       bucketClient
}

func (s store) target() bucket.Target { return bucket.TargetOf(s.evidence.app.facts) }

// remove empties the bucket if its data was given up, releases it from its Bucket
// resource, and has S3 delete it, which S3 does only while it is empty.
func (s store) remove(ctx context.Context, lines removal.Lines) error {
	l, r := lines.One(removal.Bucket), resource{s.at, lines.One(removal.BucketResource)}
	wanted := l != nil && l.Fate == removal.Removed
	if wanted {
		if err := s.empty(ctx, l); err != nil {
			return err
		}
	}
	if r.line != nil {
		if err := r.release(ctx); err != nil {
			return err
		}
	}
	if !wanted || l.Fate != removal.Removed {
		return nil
	}
	return s.delete(ctx, l, r)
}

// empty deletes everything in the bucket with --delete-data, and otherwise only what
// verify has written.
func (s store) empty(ctx context.Context, l *removal.Line) error {
	data, contents := s.evidence.app.request.DeleteData, s.evidence.bucket.contents
	if !data && (contents == nil || contents.Ours == 0) {
		return nil
	}
	err := s.s3.Empty(ctx, s.target(), !data, func(deleted int64) {
		s.at.done.emptied = deleted
		s.at.board.Set("bucket", ui.Busy, fmt.Sprintf("emptying: %d deleted", deleted))
	})
	if err != nil {
		s.at.board.Set("bucket", ui.Failed, "not emptied")
		return l.Fail(ctx, err)
	}
	return nil
}

// delete has S3 delete the bucket. If you are not allowed to, the controller is asked to.
func (s store) delete(ctx context.Context, l *removal.Line, r resource) error {
	s.at.board.Set("bucket", ui.Busy, "deleting")
	err := s.s3.Remove(ctx, s.target())
	if errors.Is(err, bucket.ErrNotEmpty) && s.onlyProofs(ctx) {
		err = s.s3.Remove(ctx, s.target())
	}
	switch {
	case err == nil, errors.Is(err, bucket.ErrGone):
		s.removed(l)
		return nil
	case errors.Is(err, bucket.ErrNotEmpty):
		return s.keepFull(ctx, l)
	case awserr.Denied(err) && r.line != nil && !s.evidence.app.state.Terminating:
		return s.throughController(ctx, l, r, err)
	case awserr.Denied(err):
		return l.Fail(ctx, err)
	}
	s.at.board.Set("bucket", ui.Failed, "not removed")
	return l.Fail(ctx, l.Sent(err))
}

// onlyProofs deletes what a verify in another process has written meanwhile. It is false
// if there is anything else in the bucket.
func (s store) onlyProofs(ctx context.Context) bool {
	contents, err := s.s3.Count(ctx, s.target())
	if err != nil || contents.Partial || contents.Data() {
		return false
	}
	return s.s3.Empty(ctx, s.target(), true, nil) == nil
}

func (s store) removed(l *removal.Line) {
	l.Done = true
	s.at.board.Set("bucket", ui.Done, "removed")
}

// keepFull keeps a bucket that turned out not to be empty, and counts again.
func (s store) keepFull(ctx context.Context, l *removal.Line) error {
	e := s.evidence
	if contents, err := s.s3.Count(ctx, s.target()); err == nil {
		l.Contents = &contents
	}
	s.at.board.Set("bucket", ui.Kept, "kept: it is not empty")
	if e.app.request.DeleteData {
		l.Leave("something writes to it while it is emptied: "+bucket.Amount(l.Contents), "")
	} else {
		l.Keep(bucket.Amount(l.Contents), e.later())
	}
	return ctx.Err()
}
