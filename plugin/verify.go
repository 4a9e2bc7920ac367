package plugin

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/forward"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
)

// VerifyLevel is a level of the proof.
type VerifyLevel = verify.Level

// VerifyLevels are all levels, in order.
func VerifyLevels() []VerifyLevel { return verify.Levels() }

// VerifyRequest is what is to be proven.
type VerifyRequest struct {
	Facts   FactsRequest  // of which namespace, account, region and audience are used
	Role    RoleRequest   // of which name and path are used
	Levels  []VerifyLevel // none: all
	Keep    bool          // leave the objects that were written
	Timeout time.Duration // of everything together
	Output  Format        // FormatJSON, or empty for talk
}

// appPort is the frontend's.
const appPort = 8080

// Verify verifies the app's access to its bucket, and that AWS refuses the probes of what
// its role is not for.
func (a *App) Verify(ctx context.Context, request VerifyRequest) error {
	limited, cancel := context.WithTimeout(ctx, request.Timeout)
	defer cancel()
	err := a.verify(limited, request)
	return session.CutOff(ctx, err, request.Timeout, func() string { return "nothing is proven" })
}

func (a *App) verify(ctx context.Context, request VerifyRequest) error {
	conn, target, err := a.verifyTarget(ctx, request)
	if err != nil {
		return err
	}
	target.Conn, target.Way.Forward = conn, forwarder(conn, target.Namespace)
	names := []string{}
	for _, level := range verify.WithNeeded(request.Levels...) {
		names = append(names, string(level))
	}
	board := a.UI.Board(names...)
	record, _ := apply.New(conn, apply.Options{Namespace: target.Namespace}).ReadInventory(ctx) // unread: as by install
	report, err := verify.Run(ctx, target, verify.Options{
		Levels: request.Levels, Keep: request.Keep, Patience: patience(ctx), Narrow: narrow(record, target.Namespace),
		Given: givenTo(record, target.Namespace), Cure: lookForCure(target, record.RoleOrigin == apply.OriginExisting),
	}, func(e verify.Event) { showLevel(board, e) })
	a.tellProof(report)
	if err != nil {
		return err
	}
	if request.Output == FormatJSON {
		if err := a.WriteJSON(report); err != nil {
			return err
		}
	}
	return unproven(report, "not verified")
}

// narrow is the command that narrows the role of an install that has adopted it; ""
// where it made its own, or nobody can tell.
func narrow(record apply.Inventory, namespace string) string {
	if record.RoleOrigin != apply.OriginAdopted {
		return ""
	}
	return tightenIn(namespace)
}

// givenTo says what to do about a role that another tool manages, nil for any other. The
// flags name the role once IAM has confirmed it.
func givenTo(record apply.Inventory, namespace string) func(verify.Flags) string {
	if record.RoleOrigin != apply.OriginExisting {
		return nil
	}
	return func(flags verify.Flags) string {
		return check.HaveRoleMade(advice.Command("oc ostoy-s3 iam render", append([]string{"-n", namespace}, flags.Words()...)...))
	}
}

// verifyTarget gathers what the flags and the cluster know, and who the caller is
// to AWS: that nobody is, is no error.
func (a *App) verifyTarget(ctx context.Context, request VerifyRequest) (*cluster.Conn, verify.Target, error) {
	var target verify.Target
	given, err := a.Given(ctx, request.Facts)
	if err != nil {
		return nil, target, err
	}
	conn, err := a.Connect(ctx)
	if err != nil {
		return nil, target, err
	}
	if !given.Namespace.Known() {
		given.Namespace.Value, _ = conn.Namespace()
	}
	if err := given.Validate(); err != nil {
		return nil, target, err
	}
	target.Namespace, target.Audience, target.Region = given.Namespace.Value, given.Audience.Value, given.Region.Value
	target.Flags = verifyFlags(request.Facts, request.Role)
	loaded, err := detect.LoadAWS(ctx, detect.AWSOptions{Profile: request.Facts.Profile, Region: target.Region})
	if err != nil {
		return nil, target, err
	}
	target.AWS = loaded.Config
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		target.Way.URL, err = appURL(ctx, conn, target.Namespace)
		if errors.Is(err, errHost) { // the app can be reached past its Route
			target.Way.NoURL, err = errHost.Error(), nil
		}
		return err
	})
	var unknown error
	group.Go(func() error {
		var identity detect.Identity
		if identity, unknown = loaded.Identity(ctx); unknown != nil {
			target.NoCaller = unknown.Error()
		}
		target.CallerAccount = identity.Account
		target.Account, target.Partition = whereInstalled(given, identity, loaded.ConfiguredRegion)
		return nil
	})
	err = group.Wait()
	target.Role = roleOfInstall(target, request.Role, unknown)
	return conn, target, err
}

// forwarder opens port-forwards to pods of a namespace.
func forwarder(conn *cluster.Conn, namespace string) func(context.Context, string) (string, func(), error) {
	return func(ctx context.Context, pod string) (string, func(), error) {
		way, err := forward.Open(ctx, conn, namespace, pod, appPort)
		if err != nil {
			return "", nil, err
		}
		return way.URL, way.Close, nil
	}
}

// patience is how long IAM may take to spread a change (FACTS 5), if the run has
// that long: there must be time for a verdict.
func patience(ctx context.Context) time.Duration {
	const longest = time.Minute
	deadline, ok := ctx.Deadline()
	if !ok {
		return longest
	}
	return min(longest, time.Until(deadline)/2)
}

// showLevel shows what a level is at. That it is looked at is gone in a moment.
func showLevel(board *ui.Board, e verify.Event) {
	if e.Report == nil && (!e.Waiting || e.Again) {
		board.Glimpse(string(e.Level), markOfEvent(e), inLine(e.Text))
		return
	}
	board.Set(string(e.Level), markOfEvent(e), inLine(e.Text))
}

func markOfEvent(e verify.Event) ui.Mark {
	switch {
	case e.Waiting:
		return ui.Warned
	case e.Report == nil:
		return ui.Busy
	case e.Report.Outcome == verify.Passed:
		return ui.Done
	case e.Report.Outcome == verify.Failed:
		return ui.Failed
	case e.Report.Outcome == verify.NotVerified:
		return ui.Warned
	}
	return ui.Kept
}

// tellProof tells what is to be known beside the verdict.
func (a *App) tellProof(report verify.Report) {
	for _, probe := range report.NotTested() {
		a.UI.Marked(ui.Kept, "not tested: %s", inLine(probe.What))
	}
	a.tellSurroundings(report)
	if len(report.OutOfScope) > 0 {
		a.UI.Marked(ui.Kept, "not part of this verification: %s", strings.Join(report.OutOfScope, "; "))
	}
}

// tellSurroundings tells what the user should know whatever the verdict.
func (a *App) tellSurroundings(report verify.Report) {
	if report.Detour != "" && report.Via == verify.ViaForward {
		a.UI.Marked(ui.Kept, "the Route does not answer from here: %s; a port-forward was used", inLine(report.Detour))
	}
	for _, key := range report.Left {
		a.UI.Warn(inLine("object "+key+" stays in bucket "+report.Bucket+": "+report.WhyLeft),
			advice.Command("aws s3 rm", "s3://"+report.Bucket+"/"+key)+"\n"+
				"or delete it with the bucket: "+advice.Command("oc ostoy-s3 uninstall", "-n", report.Namespace))
	}
}

// unproven is the error of what failed, nil if all is proven.
func unproven(report verify.Report, note string) error {
	err := report.Err()
	var several *problem.Several
	if errors.As(err, &several) {
		several.Note = note
	}
	return err
}
