// Package uninstall removes what install created, in the safe order: the workload, then,
// when its pods have ended, the bucket, then the role, which shows that the bucket is this
// project's, and the inventory last, so that an interrupted run can be continued by
// another. What is not managed by ostoy-s3, and data that nobody gave up, is kept.
//
//	learn (cluster, project, facts) → look (bucket, role) → decide → confirm → execute
//
// Until execute, nothing is changed.
package uninstall

import (
	"context"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// Request is what is to be removed, and what the user allows.
type Request struct {
	Facts session.Facts

	DeleteData      bool // the objects in the bucket, and the volume
	KeepBucket      bool
	KeepRole        bool
	RoleOnly        bool // nothing in the cluster is changed
	DeleteNamespace bool
	ForceOwner      bool      // also what Argo CD, Flux or Helm bring
	Adopt           adopt.Set // a role with policies of others on it; a bucket that no role names

	Yes     bool
	DryRun  bool
	Timeout time.Duration  // of everything together
	Output  session.Format // FormatJSON, or empty for text
	Ask     session.Ask    // nil: nobody is at a terminal
}

func (r Request) needsAWS() bool { return !r.KeepBucket || !r.KeepRole }

// removesBucket reports whether a bucket may be removed in this run.
func (r Request) removesBucket() bool { return !r.KeepBucket && !r.RoleOnly }

// prepared is what a run knows before it changes anything.
type prepared struct {
	evidence evidence
	decision decision
	by       clients
}

// Run removes what install created. Of its errors, Usage is for a question that was not
// answered with yes, Refused for what is managed by something else or may be another
// project's, Failed for what could not be removed. The error of a run that was interrupted
// says what has been removed.
func Run(ctx context.Context, s *session.Session, request Request) error {
	if err := mayDeleteData(request); err != nil {
		return err
	}
	started, timeout, done := s.Now(), request.Timeout, &progress{}
	var p prepared
	err := session.InTime(ctx, timeout, timeout, done.soFar, func(ctx context.Context) (err error) {
		p, err = prepare(ctx, s, request)
		return err
	})
	if err != nil {
		return err
	}
	done.lines = p.decision.lines
	printPlan(s.UI, p)
	if !request.DryRun && done.lines.Removes() {
		// The time that a person takes to answer is not the run's.
		left := timeout - s.Now().Sub(started)
		if err := confirm(ctx, s.UI, p); err != nil {
			return session.CutOff(ctx, err, timeout, done.soFar)
		}
		err := session.InTime(ctx, left, timeout, done.soFar, func(ctx context.Context) error { return execute(ctx, s, p, done) })
		if err != nil {
			return err
		}
	}
	done.lines.Conclude(s.UI, request.DryRun)
	if request.Output == session.FormatJSON {
		if err := s.WriteJSON(done.lines.Document(p.evidence.app.namespace(), request.DryRun, s.Now().Sub(started))); err != nil {
			return err
		}
	}
	return done.lines.Leftovers()
}

// prepare finds out what there is and decides what is to be removed.
func prepare(ctx context.Context, s *session.Session, request Request) (prepared, error) {
	a, err := learn(ctx, s, request)
	if err != nil {
		return prepared{}, err
	}
	p := prepared{by: clientsFor(a)}
	p.evidence, err = look(ctx, a, p.by)
	warn(s.UI, p.evidence.bucket.notes, p.evidence.role.notes)
	if err != nil {
		return p, err
	}
	p.decision = decide(p.evidence)
	warn(s.UI, p.decision.notes)
	if project := p.decision.lines.One(removal.Project); project != nil && project.Fate == removal.Removed && !a.state.Terminating {
		err = keepForOthers(ctx, a.conn, a.namespace(), project, p.decision.lines)
	}
	return p, err
}

func warn(to *ui.UI, notes ...[]string) {
	for _, some := range notes {
		for _, note := range some {
			to.Warn(note, "")
		}
	}
}

// printPlan prints where this is about to happen, and the plan.
func printPlan(to *ui.UI, p prepared) {
	a := p.evidence.app
	rows := []ui.Row{{Label: "project", Text: a.namespace(), From: a.facts.Namespace.Source}}
	if a.request.needsAWS() {
		account := a.facts.Account.Value
		if a.detected.Caller != "" {
			account += ", as " + a.detected.Caller
		}
		rows = append(rows, ui.Row{Label: "account", Text: account, From: a.facts.Account.Source})
	}
	if a.facts.Issuer.Known() {
		rows = append(rows, ui.Row{Label: "issuer", Text: a.facts.Issuer.Value, From: a.facts.Issuer.Source})
	}
	to.Rows(rows)
	if !a.request.DryRun && p.decision.lines.Removes() {
		p.decision.lines.Announce(to)
	}
}

// progress is what a run has done so far.
type progress struct {
	lines   removal.Lines
	emptied int64 // versions and delete markers in the bucket
}

func (p *progress) soFar() string {
	if l := p.lines.One(removal.Bucket); p.emptied > 0 && !l.Done {
		return p.lines.SoFar(phrase.Count(p.emptied, "version") + " in " + l.Object)
	}
	return p.lines.SoFar()
}
