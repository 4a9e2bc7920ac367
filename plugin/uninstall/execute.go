package uninstall

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// place is where things are removed, and where it is shown.
type place struct {
	conn      *cluster.Conn
	applier   *apply.Applier
	namespace string
	board     *ui.Board
	done      *progress
	timeout   time.Duration
	now       func() time.Time
}

// observe shows an API server that does not answer, and that does again.
func (p place) observe(state wait.State) {
	p.board.Set(state.Name, announce.Mark(state), state.Text)
}

// execute removes what the decision says, in the safe order: nothing writes to the bucket
// any more when it is emptied, nobody needs the role when it is deleted, and the inventory
// lasts as long as anything that it lists. What cannot be removed does not keep the rest;
// but the inventory then stays, for the next run.
func execute(ctx context.Context, s *session.Session, p prepared, done *progress) error {
	a := p.evidence.app
	at := place{
		conn: a.conn, applier: a.applier, namespace: a.namespace(), board: s.UI.Board("workload"), done: done,
		timeout: a.request.Timeout, now: s.Now,
	}
	if err := removeAll(ctx, at, p); err != nil {
		if ctx.Err() == nil { // otherwise the error itself says it
			s.UI.Line(done.soFar())
		}
		return err
	}
	return nil
}

func removeAll(ctx context.Context, at place, p prepared) error {
	a, lines := p.evidence.app, p.decision.lines
	inventory := lines.One(removal.Inventory)
	if inventory != nil {
		// Other runs learn from it what this one is about to do. A user who may not write
		// the inventory may still delete objects.
		if err := a.applier.MarkRemoval(ctx, a.removal); err != nil && !apierrors.IsForbidden(err) {
			return err
		}
	}
	if r := a.removal; r.InventoryOurs || len(r.Objects)+len(r.Volumes) > 0 || r.Bucket != nil {
		if err := at.removeWorkload(ctx, lines.Of(removal.Object)); err != nil {
			return err
		}
	}
	if err := (store{at, p.evidence, p.by.s3}).remove(ctx, lines); err != nil {
		return err
	}
	if err := at.removeVolumes(ctx, lines.With(removal.Removed).Of(removal.Volume)); err != nil {
		return err
	}
	if err := removeRole(ctx, at, p); err != nil {
		return err
	}
	if len(lines.With(removal.Left)) > 0 {
		lines.Postpone(removal.Inventory, removal.Project)
		return nil
	}
	if inventory != nil {
		if err := inventory.Sent(a.applier.RemoveInventory(ctx, a.removal)); err != nil {
			return err
		}
		inventory.Done = true
	}
	return at.removeProject(ctx, a.state.Terminating, lines)
}

// removeVolumes removes the volumes that were given up, and waits until they are gone.
func (p place) removeVolumes(ctx context.Context, lines removal.Lines) error {
	if len(lines) == 0 {
		return nil
	}
	uids := map[types.UID]bool{}
	for _, l := range lines {
		uids[l.Item.Live.GetUID()] = true
	}
	if err := removal.Delete(ctx, p.applier, lines); err != nil {
		return err
	}
	err := removal.Await(ctx, p.conn, p.namespace, kinds.PersistentVolumeClaim, "the volumes to be listed",
		func(volumes []*unstructured.Unstructured) (string, error) {
			for _, volume := range volumes {
				if uids[volume.GetUID()] && volume.GetDeletionTimestamp() != nil {
					awaited := volume.GetName() + " to be released: " + strings.Join(volume.GetFinalizers(), ", ")
					p.board.Set("volume", ui.Busy, "waiting for "+awaited)
					return awaited, nil
				}
			}
			return "", nil
		}, p.observe)
	if err == nil {
		p.board.Set("volume", ui.Done, "removed")
	}
	return err
}

// removeRole removes the role, unless a bucket that was to go is still there: the next run
// needs the role to know that the bucket is this project's.
func removeRole(ctx context.Context, at place, p prepared) error {
	lines := p.decision.lines
	roleAfterBucket(p.evidence.app, lines)
	l := lines.One(removal.Role)
	if l == nil || l.Fate != removal.Removed {
		return nil
	}
	if bucket := lines.One(removal.Bucket); bucket != nil && bucket.Fate == removal.Left {
		l.Keep("it is deleted after the bucket, because it shows that the bucket is this project's", "")
		return nil
	}
	plan := p.evidence.role.plan
	at.board.Set("role", ui.Busy, plan.Name)
	err := removal.DeleteRole(ctx, p.by.iam, plan, l)
	if l.Done {
		at.board.Set("role", ui.Done, "removed")
	} else {
		at.board.Set("role", ui.Failed, "not removed")
	}
	return err
}

// onlyEngine refuses to uninstall an app that Argo CD, Flux or Helm alone manages. There
// is nothing in the cluster that this tool applied, and the engine restores whatever is
// deleted. Data that the engine leaves when the app has left Git is no reason: then role
// and bucket are looked at as usual.
func onlyEngine(a app) error {
	r := a.removal
	if a.request.RoleOnly || len(r.Objects)+len(r.Volumes) > 0 || r.Bucket != nil {
		return nil
	}
	var engines, sources []string
	var managed []apply.Ref
	add := func(names []string, name string) []string {
		if name == "" || slices.Contains(names, name) {
			return names
		}
		return append(names, name)
	}
	active := false
	for _, item := range r.Kept {
		by := engineOf(item)
		if by == "" {
			continue
		}
		engines, sources = add(engines, by), add(sources, apply.Source(item.Live))
		managed = append(managed, item.Ref)
		active = active || !isData(item.Ref)
	}
	if !active {
		return nil
	}
	engine := strings.Join(engines, " and ")
	next := removeFrom(engines) + ", then run the same command again for the role and the bucket"
	if r.InventoryOurs { // a release was interrupted: the next one deletes the inventory
		next = "end the release: " + advice.Command("oc ostoy-s3 release -n", a.namespace()) + "; or " + next
	}
	from := ""
	if len(sources) > 0 {
		from = " (" + strings.Join(sources, ", ") + ")"
	}
	return problem.Refuse(fmt.Sprintf("project %s is managed by %s%s and not by ostoy-s3", a.namespace(), engine, from),
		fmt.Sprintf("%s manages %s and restores what is deleted here; the IAM role and the bucket are in use",
			engine, strings.Join(announce.Named(managed), ", ")),
		next)
}

// engineOf is the engine that manages an object, "" without one.
func engineOf(item *apply.Item) string {
	if item.Live == nil {
		return ""
	}
	return apply.DeliveredBy(item.Live)
}

// removeFrom is how an app is removed from what manages it.
func removeFrom(engines []string) string {
	if slices.Equal(engines, []string{apply.Helm}) {
		return "uninstall the Helm release"
	}
	return "remove the app from Git"
}

func isData(ref apply.Ref) bool { return ref.IsBucket() || ref.IsVolume() }

// nextOfKept is the command for an object that is kept because it is not managed by
// ostoy-s3. Data is never deleted by a command printed here, and what an engine manages
// would come back. of is the command for several objects, nil if it names none.
func nextOfKept(namespace string, item *apply.Item) (next string, of func(words []string) string) {
	switch by := engineOf(item); {
	case by != "" && isData(item.Ref):
		return "after it is removed from Git, take it over: " + advice.Command("oc ostoy-s3 install -n", namespace, "--force-owner") + ", then uninstall again", nil
	case by != "":
		return removeFrom([]string{by}), nil
	case isData(item.Ref):
		return "", nil
	}
	of = func(words []string) string {
		return advice.Command("oc delete", append(slices.Clone(words), "-n", namespace)...)
	}
	return of([]string{item.Ref.Resource()}), of
}

// deleteProjectCommand is the command that deletes the project by hand; "" if a volume or
// a Bucket resource that is kept would be deleted with it, or what Argo CD, Flux or Helm
// restores.
func deleteProjectCommand(namespace string, all removal.Lines) string {
	for _, l := range all.With(removal.Kept) {
		if l.Item != nil && (isData(l.Item.Ref) || engineOf(l.Item) != "") {
			return ""
		}
	}
	return advice.Command("oc delete project", namespace)
}
