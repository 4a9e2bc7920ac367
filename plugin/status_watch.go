package plugin

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/wait"
)

const (
	// unwatched is how old what no watch tells of may be: AWS has none, and a
	// watch of Secrets would be one of everybody's.
	unwatched = 30 * time.Second
	// gather is how long further changes are waited for after a first.
	gather = 200 * time.Millisecond
	// settling is how often time alone is looked at: a state may have lasted too
	// long. It costs no request.
	settling = 5 * time.Second
)

// watching is one run of status --watch.
type watching struct {
	*statusRun
	follow *wait.Following
	asked  chan polled
	last   polled
	view   watchView
	silent bool // the API server does not answer, which has been said
}

// polled is what no watch tells of.
type polled struct {
	aws     status.AWS
	secrets []*unstructured.Unstructured
	err     error // of the secrets
	left    exposedBy
}

// watch tells how an install is and then what changes, until it is interrupted:
// that is its ordinary end, so nothing is said about it, and the exit code is the
// one that kubectl get -w ends with (130).
func (s *statusRun) watch(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.request.Timeout)
	defer cancel()
	if err := s.prepare(limited); err != nil {
		return cutOff(ctx, err, s.request.Timeout, func() string { return "nothing was changed: status only looks" })
	}
	w := &watching{statusRun: s, asked: make(chan polled, 1)}
	w.view = watchView{run: s, started: s.Now()}
	w.follow = wait.Follow(ctx, s.conn.Dynamic, s.facts.Namespace.Value, w.kinds()...)
	defer w.follow.Stop()
	err := w.run(ctx)
	if ctx.Err() != nil {
		return &problem.Error{Kind: problem.Interrupted, Err: ctx.Err()}
	}
	return err
}

// run shows what there is whenever something changed.
func (w *watching) run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	poll, settle := time.NewTicker(unwatched), time.NewTicker(settling)
	defer poll.Stop()
	defer settle.Stop()
	go w.poll(ctx)
	known := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case w.last = <-w.asked:
			known = true
		case <-poll.C:
			go w.poll(ctx)
			continue
		case <-settle.C:
		case <-w.follow.Changed():
			if !pause(ctx, gather) {
				return ctx.Err()
			}
		}
		if !known || !w.follow.Complete() {
			continue
		}
		if err := w.show(ctx); err != nil {
			return err
		}
	}
}

// poll asks AWS, and for the app's Secrets. An answer that comes while another is
// still to be taken is dropped.
func (w *watching) poll(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, w.request.Timeout)
	defer cancel()
	var p polled
	var group errgroup.Group
	world := w.freshWorld()
	group.Go(func() error { p.aws = w.askAWS(limited, world); return nil })
	group.Go(func() error { p.secrets, p.err = w.secrets(limited); return nil })
	group.Go(func() error { p.left = w.leftExposing(limited, &apply.Plan{}); return nil })
	_ = group.Wait() // none gives an error
	p.aws.Stale = w.staleOf(limited, world)
	select {
	case w.asked <- p:
	default:
	}
}

// staleOf judges the install's Bucket as it is watched.
func (w *watching) staleOf(ctx context.Context, world *live.World) *wait.State {
	if !slices.Contains(w.kinds(), "Bucket") {
		return nil
	}
	for _, object := range w.follow.List("Bucket") {
		if state, stale := world.Stale(ctx, object, w.Now()); stale && object.GetName() == w.desired.Bucket {
			return &state
		}
	}
	return nil
}

func (w *watching) secrets(ctx context.Context) ([]*unstructured.Unstructured, error) {
	resource := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	list, err := w.conn.Dynamic.Resource(resource).Namespace(w.facts.Namespace.Value).List(ctx, metav1.ListOptions{LabelSelector: ofTheApp})
	if err != nil {
		return nil, err
	}
	var secrets []*unstructured.Unstructured
	for i := range list.Items {
		secrets = append(secrets, &list.Items[i])
	}
	return secrets, nil
}

// kinds are those that install makes, but for Secrets, and the pods that come of
// them. Inventory and settings are both ConfigMaps.
func (w *watching) kinds() []string {
	kinds := []string{"Pod", "ConfigMap"}
	for _, object := range w.objects {
		if kind := object.GetKind(); kind != "Secret" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// show judges what the watches show and tells it.
func (w *watching) show(ctx context.Context) error {
	w.server()
	snapshot := &apply.Snapshot{}
	snapshot.Add(schema.GroupKind{Kind: "Secret"}, w.last.secrets, w.last.err)
	for _, object := range w.objects {
		if kind := object.GroupVersionKind().GroupKind(); kind.Kind != "Secret" {
			snapshot.Add(kind, w.follow.List(kind.Kind), w.follow.Refused(kind.Kind))
		}
	}
	w.checkup.inventory = apply.Inventory{}
	for _, object := range w.follow.List("ConfigMap") {
		if object.GetName() == apply.InventoryName {
			w.checkup.inventory = apply.InventoryOf(object)
		}
	}
	found := w.found0()
	found.AWS, found.Pods, found.PodsErr = w.last.aws, w.follow.List("Pod"), w.follow.Refused("Pod")
	w.advise(&found)
	var err error
	if found.Plan, err = w.lookPlan(ctx, snapshot, found.Inventory); err != nil {
		return err
	}
	if w.view.shown == nil {
		if err := w.missing(found); err != nil {
			return err
		}
	}
	return w.view.show(w.judge(found, w.last.left))
}

// server says once that the API server is away, and once that it is back.
func (w *watching) server() {
	trouble := w.follow.Trouble()
	switch {
	case trouble != "" && !w.silent:
		w.UI.Warn("the API server "+inLine(trouble), "")
	case trouble == "" && w.silent:
		w.UI.Marked(ui.Done, "the API server answers again")
	}
	w.silent = trouble != ""
}

// pause waits, and reports whether it was left to.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// watchView is what has been shown so far.
type watchView struct {
	run     *statusRun
	started time.Time
	shown   []statusLine
	printed string // the document, as JSON
}

// show tells what is new. On a terminal the picture is drawn anew; elsewhere each
// line that changed is told with the time; as JSON or YAML, the whole document.
func (v *watchView) show(report status.Report) error {
	request := v.run.request
	if request.Output == FormatJSON || request.Output == FormatYAML {
		v.shown = []statusLine{}
		return v.document(report)
	}
	// Ages are those of the beginning: that time goes by is no change.
	lines := statusLines(report, v.started, request.Output == FormatWide)
	if slices.Equal(lines, v.shown) {
		return nil
	}
	before := v.shown
	v.shown = lines
	now := v.run.Now()
	if v.run.Report.Terminal() {
		picture := v.run.drawn(statusLines(report, now, request.Output == FormatWide))
		v.run.Report.Picture(append(picture, "", now.Format(time.TimeOnly)+"  Ctrl-C ends"))
		return nil
	}
	for _, line := range v.run.drawn(changedLines(before, lines)) {
		v.run.Report.Line(now.Format(time.TimeOnly) + "  " + line)
	}
	return nil
}

func (v *watchView) document(report status.Report) error {
	text, err := compact(report)
	if err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	if text == v.printed {
		return nil
	}
	if v.printed != "" && v.run.request.Output == FormatYAML {
		v.run.Report.Line("---")
	}
	v.printed = text
	return v.run.document(report)
}

// changedLines are the lines that are new or say something else than before, and
// of those that are gone that they are. Each has its label, because its
// neighbours need not be told with it.
func changedLines(before, after []statusLine) []statusLine {
	was, is := labelled(before), labelled(after)
	var changed []statusLine
	for _, line := range is {
		if !slices.Contains(was, line) {
			changed = append(changed, line)
		}
	}
	for _, line := range was {
		same := func(l statusLine) bool { return l.label == line.label && l.name == line.name }
		if line.name != "" && line.text != "" && !slices.ContainsFunc(is, same) && line.label != "try" {
			changed = append(changed, statusLine{line.label, "", line.name, "no longer"})
		}
	}
	return changed
}

func labelled(lines []statusLine) []statusLine {
	all := slices.Clone(lines)
	for i := range all {
		if all[i].label == "" && i > 0 {
			all[i].label = all[i-1].label
		}
	}
	return all
}
