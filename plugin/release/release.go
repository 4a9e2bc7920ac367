// Package release forgets an install and leaves it running, for Argo CD or Flux to manage.
// It asks AWS nothing: role and bucket stay, with their tags.
package release

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Request is what is to be released.
type Request struct {
	Facts   session.Facts // of which only the namespace counts
	To      To            // what is to manage the objects then
	DryRun  bool
	Timeout time.Duration  // of everything together
	Output  session.Format // FormatJSON, or empty for talk
}

// installed is what there is to release.
type installed struct {
	conn      *cluster.Conn
	namespace render.Fact
	applier   *apply.Applier
	removal   *apply.Removal
}

// Run deletes the inventory and removes the field manager ostoy-s3 from the objects, which
// are otherwise unchanged. It is a refusal if there is no project, and while no engine
// manages the objects, unless To says that none is to. Of a run that is cut off the error
// tells how many objects are released.
func Run(ctx context.Context, s *session.Session, r Request) error {
	done := 0 // objects
	soFar := func() string {
		if done == 0 {
			return "nothing was changed"
		}
		return "done so far, and staying: " + phrase.Count(done, "object") + " released"
	}
	return session.InTime(ctx, r.Timeout, r.Timeout, soFar, func(ctx context.Context) error {
		return run(ctx, s, r, func(apply.Event) { done++ })
	})
}

func run(ctx context.Context, s *session.Session, r Request, observe func(apply.Event)) error {
	there, err := look(ctx, s, r)
	if err != nil {
		return err
	}
	tell(s.UI, there)
	if err := takenOver(ctx, there, r.To, s.Now()); err != nil {
		return err
	}
	if !r.DryRun && !there.nothing() {
		if err := there.applier.Release(ctx, there.items(), observe); err != nil {
			return there.conn.Translate(err)
		}
		// Last, so that a run that is cut off leaves it to the next.
		if err := there.applier.RemoveInventory(ctx, there.removal); err != nil {
			return there.conn.Translate(err)
		}
	}
	conclude(s.UI, r, there)
	if r.Output == session.FormatJSON {
		return s.WriteJSON(documentOf(r, there))
	}
	return nil
}

const statusOfAll = "oc ostoy-s3 status -A shows those of your projects that have an install"

// look finds what is ours, by our field manager, whoever else manages it.
func look(outer context.Context, s *session.Session, r Request) (there installed, err error) {
	var given render.Facts
	if there.conn, given, err = project.Given(outer, s, r.Facts); err != nil {
		return there, err
	}
	if err := given.Validate(); err != nil {
		return there, err
	}
	there.namespace = given.Namespace
	name := given.Namespace.Value
	there.applier = apply.New(there.conn, apply.Options{Namespace: name, ForceOwner: true, Now: s.Now})
	group, ctx := errgroup.WithContext(outer)
	var state project.State
	group.Go(func() (err error) {
		state, err = project.LookAt(ctx, there.conn, name)
		return err
	})
	var unseen error
	group.Go(func() error {
		inventory, err := there.applier.ReadInventory(ctx)
		if err == nil {
			there.removal, err = there.applier.PlanRemoval(ctx, inventory)
		}
		unseen = err
		return nil
	})
	if err := group.Wait(); err != nil {
		return there, err
	}
	if state.Missing() {
		if err := project.Absent(outer, there.conn, given.Namespace, state, statusOfAll); err != nil {
			return there, err
		}
	}
	return there, there.conn.Translate(unseen)
}

// items are the objects that are ours, data included.
func (i installed) items() []*apply.Item {
	items := slices.Concat(i.removal.Objects, i.removal.Volumes)
	if i.removal.Bucket != nil {
		items = append(items, i.removal.Bucket)
	}
	return items
}

func (i installed) nothing() bool { return len(i.items()) == 0 && !i.removal.InventoryOurs }

// tell prints what is about to be let go, and who has it then.
func tell(to *ui.UI, there installed) {
	to.Rows([]ui.Row{{Label: "project", Text: there.namespace.Value, From: there.namespace.Source}})
	if there.nothing() {
		to.Line("nothing here is ours: there is nothing to release")
		return
	}
	to.Line("")
	to.Line("Plan")
	by := map[string][]apply.Ref{}
	var order []string
	for _, item := range there.items() {
		who := strings.Join(apply.CoOwners(item.Live), ", ")
		if by[who] == nil {
			order = append(order, who)
		}
		by[who] = append(by[who], item.Ref)
	}
	slices.Sort(order)
	for _, who := range order {
		text := "unchanged, managed by " + who
		if who == "" {
			text = "unchanged, and managed by nobody then"
		}
		to.Plan(ui.Kept, phrase.Count(len(by[who]), "object"), text+":\n"+announce.Wrap(announce.Named(by[who])))
	}
	if there.removal.InventoryOurs {
		to.Plan(ui.Removed, "inventory", "ConfigMap "+apply.InventoryName)
	}
	to.Plan(ui.Kept, "AWS", "role and bucket stay, with their tags")
	to.Line("")
}

// conclude says what was done.
func conclude(to *ui.UI, r Request, there installed) {
	switch {
	case r.DryRun:
		to.Line("nothing was changed: this was a dry run")
	case !there.nothing():
		to.Marked(ui.Done, "%s released: install and uninstall no longer change them", phrase.Count(len(there.items()), "object"))
		if r.To == ToNone {
			to.Line("  to manage them again, as long as they are unchanged: " + advice.Command("oc ostoy-s3 install -n", there.namespace.Value))
		}
	}
}

// document is that of `release -o json`: what would be done, or what was.
type document struct {
	Namespace string   `json:"namespace"`
	DryRun    bool     `json:"dryRun,omitempty"`
	Objects   []object `json:"objects"`
	Inventory bool     `json:"inventory"` // there is one of ours, and it goes
}

type object struct {
	Object   string   `json:"object"`
	Managers []string `json:"managers"` // who manages it besides us
}

func documentOf(r Request, there installed) document {
	d := document{Namespace: there.namespace.Value, DryRun: r.DryRun, Objects: []object{}, Inventory: there.removal.InventoryOurs}
	for _, item := range there.items() {
		managers := append([]string{}, apply.OtherManagers(item.Live)...)
		d.Objects = append(d.Objects, object{item.Ref.String(), managers})
	}
	return d
}
