package install

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// await watches everything that was applied until it is ready, and proves that it works.
func await(ctx context.Context, i *run, p plan.Plan) error {
	if !i.request.Wait {
		return conclude(i, p, wait.Result{}, nil)
	}
	result, err := wait.Wait(ctx, p.Desired.Project.Conn.Dynamic, targets(i, p), func(state wait.State) {
		// A run that found nothing to change says no more than that, unless something is
		// not as it is to be.
		if i.done.Nothing && state.Level == health.Info {
			return
		}
		i.board.Set(state.Name, announce.Mark(state), plain.InLine(state.Text))
		// Of all that may still pass, the controller alone is somebody else's to repair:
		// who waits must see how before the time is over.
		if state.Kind == "Bucket" && state.Level == health.Warn && state.Hint != "" {
			i.UI.Try(state.Hint)
		}
	})
	i.done.Ready = err == nil
	if err != nil {
		blameSecrets(ctx, i, p)
	}
	if err != nil || !i.request.Verify {
		return conclude(i, p, result, err)
	}
	return conclude(i, p, result, prove(ctx, i, p, result.URL))
}

// targets are the objects of the set whose state means something.
func targets(i *run, p plan.Plan) wait.Targets {
	d := p.Desired
	targets := wait.Targets{
		Namespace:     d.Project.Name(),
		Live:          p.Objects.Live(),
		Inventory:     p.Objects.Recorded(),
		BucketWritten: bucketSpecWritten(p),
		RoleARN:       p.Role.Role.ARN,
		Unfinished: func(ctx context.Context, object *unstructured.Unstructured) (wait.State, bool) {
			// What S3 has of a Bucket whose status stays unfinished.
			w := &live.World{Conn: d.Project.Conn, Namespace: d.Project.Name(), Facts: d.Facts(), Buckets: d.Buckets}
			return live.StaleNow(ctx, w, object)
		},
	}
	if !d.ProjectsIdentity() {
		targets.Identity = []string{render.Frontend}
	}
	for _, object := range d.Objects {
		switch object.GetKind() {
		case "Bucket":
			targets.Bucket = object.GetName()
		case "Deployment":
			targets.Deployments = append(targets.Deployments, object.GetName())
		case "PersistentVolumeClaim":
			targets.PVC = object.GetName()
		case "Route":
			targets.Route = object.GetName()
		case "Ingress":
			targets.Ingress = object.GetName()
		}
	}
	return targets
}

// bucketSpecWritten reports whether this run gave ACK something to do: it looks at a
// Bucket again when the spec changes, not for an annotation or an owner.
func bucketSpecWritten(p plan.Plan) bool {
	if !p.Objects.Wrote("Bucket", render.BucketName(p.Desired.Project.Name())) {
		return false
	}
	return slices.ContainsFunc(p.Objects.Items, func(item *apply.Item) bool {
		return item.Ref.Kind == "Bucket" && (item.Action == apply.Create || slices.ContainsFunc(item.Changes, func(c apply.FieldChange) bool {
			return strings.HasPrefix(c.Path, "spec")
		}))
	})
}

// warnOfSecrets says which of the Secrets that others bring are not there.
func warnOfSecrets(i *run, flaws []string) {
	for _, flaw := range flaws {
		i.UI.Warn(flaw+": the values say that it is brought by somebody else, and no pod starts without it",
			"bring it, by SealedSecrets or External Secrets, say; or leave out secrets.existing, and the samples are made")
	}
}

// blameSecrets says once more which Secrets are not there, after a wait in vain: kubelet
// reports a missing one only in events, or not at all. The time of the run may be over by
// now, so it takes a little of its own; a user who pressed Ctrl-C waits for nothing.
func blameSecrets(ctx context.Context, i *run, p plan.Plan) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	const limit = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	d := p.Desired
	warnOfSecrets(i, exposure.SecretFlaws(ctx, d.Project.Conn, d.Project.Name(), d.Objects))
}

// prove is verify as the last step: one line on the board, unless something is wrong.
func prove(ctx context.Context, i *run, p plan.Plan, url string) error {
	const line = "verified"
	d := p.Desired
	f, account := d.Facts(), d.Facts().Account.Value
	report, err := verify.Run(ctx, verify.Target{
		Namespace: d.Project.Name(), Flags: proofFlags(i.request), Audience: f.Audience.Value, Region: f.Region.Value,
		Way:  verify.Way{URL: url, Forward: verify.Forwarder(d.Project.Conn, d.Project.Name())},
		Conn: d.Project.Conn, AWS: d.Project.Found.AWS.Config, CallerAccount: account,
		Account: account, Partition: f.Partition.Value,
		Role: func(context.Context, string, render.ARN) (render.ARN, error) {
			return render.ParseARNOf(p.Role.Role.ARN, "iam", "role")
		},
	}, proofOptions(ctx, i, p), func(e verify.Event) { showProof(i.board, line, e) })
	if err == nil {
		i.done.Proof = &report
		if report.Err() == nil {
			mark := ui.Done
			if !report.Verified { // in part, because the user chose a wider role
				mark = ui.Warned
			}
			i.board.Conclude(line, mark, report.Summary())
		}
	}
	verify.TellSurroundings(i.UI, report)
	const note = "applied, not verified"
	var told *problem.Error
	if errors.As(err, &told) {
		return &problem.Several{Problems: []*problem.Error{told}, Note: note}
	}
	if err != nil {
		return err
	}
	return verify.Unproven(report, note)
}

func proofOptions(ctx context.Context, i *run, p plan.Plan) verify.Options {
	options := verify.Options{
		Patience: verify.PatienceOf(ctx),
		Settling: !p.Role.Empty() || p.Desired.Request.IAM == plan.IAMSkip, // who made the role may have done so a moment ago
		Applied:  true,
		Policy:   p.Role.Role.PolicyARN,
		AsIs:     p.Desired.Adopted.AsIs,
		Narrow:   narrow(p.Desired),
		Foreseen: verify.Foreseen(p.Outlook),
		// A role that somebody else made by policies of other names needs them, and is
		// for its maker to change.
		Cure: func(_ context.Context, _, probe string) string {
			if p.RoleMaker() != "" && p.Outlook.OwnLacks() {
				return ""
			}
			return verify.CureOf(p.Outlook, probe, "")
		},
	}
	if maker := p.RoleMaker(); maker != "" {
		options.Given = func(verify.Flags) string { return maker }
	}
	return options
}

// showProof shows a level on the one line of the board.
func showProof(board *ui.Board, line string, e verify.Event) {
	switch {
	case e.Waiting && e.Again:
		board.Glimpse(line, ui.Warned, plain.InLine(e.Text))
	case e.Waiting:
		board.Set(line, ui.Warned, plain.InLine(e.Text))
	case e.Report == nil:
		board.Glimpse(line, ui.Busy, string(e.Level))
	case e.Report.Outcome == verify.Failed, e.Report.Outcome == verify.NotVerified && !e.Report.ByChoice():
		board.Set(line, ui.Failed, plain.InLine(string(e.Level)+": "+e.Text))
	}
}

// proofFlags are the flags of a run that commands in messages repeat: those that you gave.
func proofFlags(r Request) verify.Flags {
	flags := verify.FlagsOf(r.Facts, r.Role)
	if r.IAM == plan.IAMSkip {
		flags = append(flags, verify.IAMSkip())
	}
	return flags
}

// narrow is the command that narrows a role that is used as it is, "" for any other.
func narrow(d plan.Desired) string {
	if !d.Adopted.AsIs {
		return ""
	}
	return advice.TightenRole(d.Project.Name())
}
