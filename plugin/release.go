package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ReleaseRequest is what is to be released.
type ReleaseRequest struct {
	Facts   FactsRequest // of which only the namespace counts
	To      ReleaseTo    // what is to manage the objects then
	DryRun  bool
	Timeout time.Duration // of everything together
	Output  Format        // FormatJSON, or empty for talk
}

// release is one run.
type release struct {
	*App
	request   ReleaseRequest
	conn      *cluster.Conn
	namespace render.Fact
	applier   *apply.Applier
	removal   *apply.Removal
	done      int // objects
}

// released is the document of `release -o json`: what would be done, or what was.
type released struct {
	Namespace string           `json:"namespace"`
	DryRun    bool             `json:"dryRun,omitempty"`
	Objects   []releasedObject `json:"objects"`
	Inventory bool             `json:"inventory"` // there is one of ours, and it goes
}

type releasedObject struct {
	Object   string   `json:"object"`
	Managers []string `json:"managers"` // who manages it besides us
}

// Release forgets an install and leaves it running: the inventory is deleted, and the
// field manager ostoy-s3 is removed from the objects, which are otherwise unchanged.
// It refuses while no engine manages them, unless To says that none is to. AWS is not
// asked anything: role and bucket stay, with their tags.
func (a *App) Release(ctx context.Context, request ReleaseRequest) error {
	r := &release{App: a, request: request}
	return session.InTime(ctx, request.Timeout, request.Timeout, r.doneSoFar, r.run)
}

func (r *release) run(ctx context.Context) error {
	if err := r.look(ctx); err != nil {
		return err
	}
	r.announce()
	if err := r.takenOver(ctx); err != nil {
		return err
	}
	if r.request.DryRun || r.nothingToDo() {
		return r.conclude()
	}
	observe := func(apply.Event) { r.done++ }
	if err := r.applier.Release(ctx, r.items(), observe); err != nil {
		return r.conn.Translate(err)
	}
	// Last, so that a run that is cut off leaves it to the next.
	if err := r.applier.RemoveInventory(ctx, r.removal); err != nil {
		return r.conn.Translate(err)
	}
	return r.conclude()
}

// look finds what is ours, by our field manager, whoever else manages it.
func (r *release) look(ctx context.Context) (err error) {
	given, err := r.Given(ctx, r.request.Facts)
	if err != nil {
		return err
	}
	if r.conn, err = r.Connect(ctx); err != nil {
		return err
	}
	if r.namespace = given.Namespace; !r.namespace.Known() {
		name, _ := r.conn.Namespace()
		r.namespace = render.Fact{Value: name, Source: r.conn.NamespaceSource()}
	}
	if err := (render.Facts{Namespace: r.namespace}).Validate(); err != nil {
		return err
	}
	r.applier = apply.New(r.conn, apply.Options{Namespace: r.namespace.Value, ForceOwner: true, Now: r.Now})
	group, ctx := errgroup.WithContext(ctx)
	var there project
	group.Go(func() (err error) {
		there, err = lookAtProject(ctx, r.conn, r.namespace.Value)
		return err
	})
	var unseen error
	group.Go(func() error {
		inventory, err := r.applier.ReadInventory(ctx)
		if err == nil {
			r.removal, err = r.applier.PlanRemoval(ctx, inventory)
		}
		unseen = err
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if !there.exists {
		return r.noProject()
	}
	return r.conn.Translate(unseen)
}

func (r *release) noProject() error {
	return &problem.Error{
		Kind: problem.Refused, What: "there is nothing to release in project " + r.namespace.Value,
		Why:  "there is no such project, or you may not see it",
		Next: "oc ostoy-s3 status -A shows those of your projects that have an install",
	}
}

// items are the objects that are ours, data included.
func (r *release) items() []*apply.Item {
	items := slices.Concat(r.removal.Objects, r.removal.Volumes)
	if r.removal.Bucket != nil {
		items = append(items, r.removal.Bucket)
	}
	return items
}

func (r *release) nothingToDo() bool { return len(r.items()) == 0 && !r.removal.InventoryOurs }

// announce prints what is about to be let go, and who has it then.
func (r *release) announce() {
	r.UI.Rows([]ui.Row{{Label: "project", Text: r.namespace.Value, From: r.namespace.Source}})
	if r.nothingToDo() {
		r.UI.Line("nothing here is ours: there is nothing to release")
		return
	}
	r.UI.Line("")
	r.UI.Line("Plan")
	by := map[string][]apply.Ref{}
	var order []string
	for _, item := range r.items() {
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
		r.planned(ui.Kept, plural(int64(len(by[who])), "object"), text+":\n"+wrap(named(by[who])))
	}
	if r.removal.InventoryOurs {
		r.planned(ui.Removed, "inventory", "ConfigMap "+apply.InventoryName)
	}
	r.planned(ui.Kept, "AWS", "role and bucket stay, with their tags")
	r.UI.Line("")
}

// conclude says what was done, and prints it as data where that was asked for.
func (r *release) conclude() error {
	switch {
	case r.request.DryRun:
		r.UI.Line("nothing was changed: this was a dry run")
	case !r.nothingToDo():
		r.UI.Marked(ui.Done, "%s released: install and uninstall no longer change them", plural(int64(r.done), "object"))
		if r.request.To == ReleaseToNone {
			r.UI.Line("  to manage them again, as long as they are unchanged: " + advice.Command("oc ostoy-s3 install -n", r.namespace.Value))
		}
	}
	if r.request.Output != FormatJSON {
		return nil
	}
	document := released{Namespace: r.namespace.Value, DryRun: r.request.DryRun, Objects: []releasedObject{}, Inventory: r.removal.InventoryOurs}
	for _, item := range r.items() {
		managers := append([]string{}, apply.OtherManagers(item.Live)...)
		document.Objects = append(document.Objects, releasedObject{item.Ref.String(), managers})
	}
	return r.WriteJSON(document)
}

// doneSoFar says what a run that was cut off has done.
func (r *release) doneSoFar() string {
	if r.done == 0 {
		return nothingChanged
	}
	return fmt.Sprintf("%s%s released", stays, plural(int64(r.done), "object"))
}
