package uninstall

import (
	"context"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	waiting "k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// mayDeleteData refuses, before anybody is asked anything, to delete data for a script
// that did not say twice that it wants that.
func mayDeleteData(r Request) error {
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

// confirm asks before data is deleted, and if what was found leaves doubt. It does not ask
// for anything that install can create again.
func confirm(ctx context.Context, to *ui.UI, p prepared) error {
	a, lines := p.evidence.app, p.decision.lines
	if a.request.Yes {
		return nil
	}
	for _, doubt := range p.decision.doubts {
		doubted := session.Question{About: doubt, Word: "yes", Flags: "--yes", Nothing: nothingRemoved}
		if err := doubted.Confirm(ctx, to, a.request.Ask); err != nil {
			return err
		}
	}
	adopts := a.adopts(p.evidence.bucket.state)
	about, flags := "", "--delete-data --yes"
	switch {
	case a.request.DeleteData && lines.Removes(removal.Bucket, removal.Volume):
		about = "this deletes data for good: " + inDanger(ctx, p)
	case adopts && lines.Removes(removal.Bucket):
		about, flags = "this removes "+inDanger(ctx, p), "--adopt=bucket --yes"
	default:
		return nil
	}
	if adopts && !p.evidence.role.proof.Proven {
		about += "; no IAM role shows that the bucket is this project's (" + p.evidence.role.noProof() + "), only --adopt=bucket says so"
	}
	return session.Question{About: about, Word: a.bucketName(), Flags: flags, Nothing: nothingRemoved}.Confirm(ctx, to, a.request.Ask)
}

// inDanger is what is deleted that nobody can create again, with what a person should
// know before.
func inDanger(ctx context.Context, p prepared) string {
	var things []string
	for _, l := range p.decision.lines.With(removal.Removed) {
		switch {
		case l.Subject == removal.Bucket && p.evidence.app.request.Ask != nil:
			things = append(things, l.Object+" with "+bucket.Amount(p.evidence.bucket.contents)+", "+created(ctx, p))
		case l.Subject == removal.Bucket, l.Subject == removal.Volume: // without Ask nobody reads it
			things = append(things, l.Object)
		}
	}
	return strings.Join(things, ", ")
}

// created says since when the bucket exists, for the question before it is deleted.
func created(ctx context.Context, p prepared) string {
	at, err := p.by.s3.Created(ctx, bucket.TargetOf(p.evidence.app.facts))
	switch {
	case awserr.Denied(err):
		return "created at a time that cannot be seen without s3:ListAllMyBuckets"
	case err != nil, at.IsZero():
		return "created at an unknown time"
	}
	return "created " + at.UTC().Format("2006-01-02 15:04") + " UTC"
}

// keepForOthers keeps the project if there is something in it that is not managed by
// ostoy-s3, and that not every project is given.
func keepForOthers(ctx context.Context, conn *cluster.Conn, namespace string, l *removal.Line, all removal.Lines) error {
	others, err := live.Others(ctx, conn, namespace, func(*unstructured.Unstructured) bool { return false })
	if err == nil && len(others) > 0 {
		l.Keep("others have something in it: "+phrase.Few(others), deleteProjectCommand(namespace, all))
	}
	return err
}

// removeProject looks once more whether nothing else is in the project, deletes it unless
// that has begun already, and waits until it is gone.
func (p place) removeProject(ctx context.Context, terminating bool, lines removal.Lines) error {
	l := lines.One(removal.Project)
	if l == nil || l.Fate != removal.Removed {
		return nil
	}
	p.board.Set("project", ui.Busy, "deleting "+p.namespace)
	if !terminating {
		if err := p.deleteProject(ctx, l, lines); err != nil || l.Fate != removal.Removed {
			return err
		}
	}
	if err := p.projectGone(ctx); err != nil {
		return err
	}
	l.Done = true
	p.board.Set("project", ui.Done, "removed")
	return nil
}

// deleteProject has the project deleted, or says why it stays.
func (p place) deleteProject(ctx context.Context, l *removal.Line, lines removal.Lines) error {
	if err := keepForOthers(ctx, p.conn, p.namespace, l, lines); err != nil {
		return err
	}
	if l.Fate != removal.Removed {
		p.board.Set("project", ui.Kept, "others have something in it")
		return nil
	}
	client, err := project.Client(ctx, p.conn)
	if err != nil {
		return err
	}
	err = client.Delete(ctx, p.namespace, metav1.DeleteOptions{})
	if err != nil && !p.projectGoes(ctx) {
		return l.Fail(ctx, p.conn.Translate(l.Sent(err)))
	}
	return nil
}

// projectGoes reports whether the project is gone or about to be, whatever the answer to
// its deletion was: the answer to an earlier try may have been lost, and what is being
// deleted already may not be deleted once more (409, or 403 to a user whose permissions in
// it are gone).
func (p place) projectGoes(ctx context.Context) bool {
	now, err := project.LookAt(ctx, p.conn, p.namespace)
	return err == nil && (now.Terminating || !now.Exists)
}

// projectGone asks again and again: an admin of one project may not be allowed to watch
// projects. If you can no longer see it, it is gone.
func (p place) projectGone(ctx context.Context) error {
	const pause = 500 * time.Millisecond
	err := waiting.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
		now, err := project.LookAt(ctx, p.conn, p.namespace)
		switch {
		case apierrors.IsUnauthorized(err): // it does not pass: the login is over
			return false, err
		case err != nil: // it passes, or the time does
			return false, nil
		}
		return !now.Exists, nil
	})
	return problem.While("project "+p.namespace+" to be gone", err)
}
