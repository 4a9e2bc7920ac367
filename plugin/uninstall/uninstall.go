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
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
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
	if err := nothingLeft(ctx, p); err != nil {
		return p, err
	}
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

// removeWorkload deletes the Deployments, waits until their pods have ended, and then
// deletes what the pods needed.
func (p place) removeWorkload(ctx context.Context, objects removal.Lines) error {
	var first, second removal.Lines
	for _, l := range objects.With(removal.Removed) {
		if isDeployment(l) {
			first = append(first, l)
		} else {
			second = append(second, l)
		}
	}
	if err := removal.Delete(ctx, p.applier, first); err != nil {
		return err
	}
	if err := p.podsGone(ctx, selectors(objects, first), p.cameBack(deployments(objects))); err != nil {
		return err
	}
	if err := removal.Delete(ctx, p.applier, second); err != nil {
		return err
	}
	if n := len(first) + len(second); n > 0 {
		p.board.Set("workload", ui.Done, phrase.Count(int64(n), "object")+" removed")
	}
	return nil
}

func isDeployment(l *removal.Line) bool { return l.Item.Ref.Kind == "Deployment" }

// selectors say which pods belong to the workload: those of the Deployments that existed,
// and those that the chart's have in any case, because an interrupted run may have deleted
// the Deployments already. The pods of a Deployment that is kept stay, and are not waited
// for.
func selectors(objects, deleted removal.Lines) []map[string]string {
	var all []map[string]string
	kept := objects.With(removal.Kept)
	for _, name := range []string{render.Frontend, render.Microservice} {
		if !slices.ContainsFunc(kept, func(l *removal.Line) bool { return isDeployment(l) && l.Item.Ref.Name == name }) {
			all = append(all, map[string]string{"app": name})
		}
	}
	for _, l := range deleted.With(removal.Removed) {
		labels, _, _ := unstructured.NestedStringMap(l.Item.Live.Object, "spec", "selector", "matchLabels")
		if len(labels) > 0 {
			all = append(all, labels)
		}
	}
	return all
}

// podsGone waits until no pod of the workload is left: until then one may still write to
// the bucket. While a pod is left that nobody has deleted, cameBack is asked for the
// reason.
func (p place) podsGone(ctx context.Context, of []map[string]string, cameBack func(context.Context) error) error {
	return removal.Await(ctx, p.conn, p.namespace, kinds.Pod, "the pods of the workload to be listed",
		func(pods []*unstructured.Unstructured) (string, error) {
			var left []string
			deleted := true
			for _, pod := range pods {
				if ofReplicaSet(pod) && slices.ContainsFunc(of, func(set map[string]string) bool {
					return labels.SelectorFromSet(set).Matches(labels.Set(pod.GetLabels()))
				}) {
					left = append(left, pod.GetName())
					deleted = deleted && pod.GetDeletionTimestamp() != nil
				}
			}
			if !deleted {
				if err := cameBack(ctx); err != nil {
					return "", err
				}
			}
			if len(left) == 0 {
				return "", nil
			}
			awaited := phrase.Count(len(left), "pod") + " to end: " + strings.Join(left, ", ")
			p.board.Set("workload", ui.Busy, "waiting for "+awaited)
			return awaited, nil
		}, p.observe)
}

// ofReplicaSet tells a Deployment's pods from others with the same labels.
func ofReplicaSet(pod *unstructured.Unstructured) bool {
	return slices.ContainsFunc(pod.GetOwnerReferences(), func(owner metav1.OwnerReference) bool { return owner.Kind == "ReplicaSet" })
}

// isAnother reports whether an object of an item's name is not the one that was planned:
// it was created after that one had been deleted.
func isAnother(planned *apply.Item, live *unstructured.Unstructured) bool {
	same := planned.Live != nil && live.GetUID() == planned.Live.GetUID()
	return !same && live.GetDeletionTimestamp() == nil
}

// cameBack gives a function that reads the Deployments again, at most once a second, and
// returns an error if one of them has been created again. The first time it only notes
// the time: what a Deployment leaves behind is deleted a moment after it.
func (p place) cameBack(deleted []*apply.Item) func(context.Context) error {
	last := p.now()
	return func(ctx context.Context) error {
		if p.now().Sub(last) < time.Second {
			return nil
		}
		last = p.now()
		for _, item := range deleted {
			live, err := p.applier.Get(ctx, item.Ref)
			if err != nil {
				return nil // it passes, or what is waited for says it better
			}
			if live != nil && isAnother(item, live) {
				return p.applier.CameBack(item.Ref, live)
			}
		}
		return nil
	}
}

// deployments are the Deployments that were deleted, and the chart's that did not exist.
func deployments(objects removal.Lines) []*apply.Item {
	var items []*apply.Item
	missing := []string{render.Frontend, render.Microservice}
	for _, l := range objects {
		if !isDeployment(l) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == l.Item.Ref.Name })
		if l.Fate == removal.Removed {
			items = append(items, l.Item)
		}
	}
	for _, name := range missing {
		items = append(items, &apply.Item{Ref: apply.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: name}})
	}
	return items
}
