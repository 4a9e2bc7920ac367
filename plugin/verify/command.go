// Package verify proves that an installed app reaches its bucket as its service
// account, and that AWS refuses what it tries beside that. It does what the
// app's pods do: it has the cluster issue a token for the service account,
// exchanges it at STS for the role, and reads and writes the bucket with that;
// then it tries what must be refused; then it uses the app's own pages.
//
// The use cases verify and install call it, with a connection to the cluster and
// the caller's AWS configuration. The caller's own AWS credentials serve two
// things only: to find another bucket of the account, and to remove the objects
// that were written. Without them verify goes on and says what it could not test.
//
// It never prints, and never changes anything in the cluster: the tokens it asks
// for are dry runs. Tokens and credentials never leave it, not even in errors. It
// knows nothing of how the role, the bucket and the app came to be, and does not
// look at policies: what AWS answers is all that counts.
//
// What pods and annotations say is compared with what the use case knows of the
// install. It never chooses the role, the account, or the audience of a token.
package verify

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/forward"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Request is what is to be proven.
type Request struct {
	Facts   session.Facts   // of which namespace, account, region and audience are used
	Role    iam.RoleOptions // of which name and path are used
	Levels  []Level         // none: all
	Keep    bool            // leave the objects that were written
	Timeout time.Duration   // of everything together
	Output  session.Format  // FormatJSON, or empty for talk
}

// AppPort is the frontend's.
const AppPort = 8080

// Verify verifies the app's access to its bucket, and that AWS refuses the probes of what
// its role is not for. A level that is not verified is a refusal; what kept it from
// looking, such as an API server that does not answer, is an error of its own kind.
func Verify(ctx context.Context, s *session.Session, request Request) error {
	limited, cancel := context.WithTimeout(ctx, request.Timeout)
	defer cancel()
	err := verify(limited, s, request)
	return session.CutOff(ctx, err, request.Timeout, func() string { return "nothing is proven" })
}

func verify(ctx context.Context, s *session.Session, request Request) error {
	conn, target, err := targetOf(ctx, s, request)
	if err != nil {
		return err
	}
	seen, err := presence.Require(ctx, s, request.Facts)
	if err != nil {
		return err
	}
	target.Conn, target.Way.Forward = conn, Forwarder(conn, target.Namespace)
	names := []string{}
	for _, level := range WithNeeded(request.Levels...) {
		names = append(names, string(level))
	}
	board := s.UI.Board(names...)
	hands := tutorial.HandsOf(seen.Objects, target.Namespace)
	record, _ := apply.New(conn, apply.Options{Namespace: target.Namespace}).ReadInventory(ctx) // unread: as by install
	report, err := Run(ctx, target, Options{
		Levels: request.Levels, Keep: request.Keep, Patience: PatienceOf(ctx), Narrow: narrow(record, hands, target.Namespace),
		Given: givenTo(record, hands, target.Namespace), Cure: lookForCure(target, installOf(record, hands, target.Namespace)), Hands: hands,
	}, func(e Event) { showLevel(board, e) })
	if err != nil {
		named := render.Fact{Value: target.Namespace, Source: request.Facts.Given.Namespace.Source}
		err = project.Explain(ctx, conn, named, err)
	}
	tellProof(s.UI, report)
	if err != nil {
		return err
	}
	if request.Output == session.FormatJSON {
		if err := s.WriteJSON(report); err != nil {
			return err
		}
	}
	return Unproven(report, "not verified")
}

// narrow is the command that narrows the role of an install that has adopted it; ""
// where it made its own, or nobody can tell.
func narrow(record apply.Inventory, hands live.Hands, namespace string) string {
	if record.RoleOrigin != apply.OriginAdopted {
		return ""
	}
	return hands.Install(namespace, "--adopt", "--tighten-role")
}

// givenRole reports whether another tool manages the role: the inventory says so, or there
// is none because Argo CD, Flux or Helm deliver the app, which make no role.
func givenRole(record apply.Inventory, hands live.Hands) bool {
	return record.RoleOrigin == apply.OriginExisting || hands.Engine != "" && !record.Found
}

// installOf is the install that restores the role; "" if another tool manages that.
func installOf(record apply.Inventory, hands live.Hands, namespace string) string {
	if givenRole(record, hands) {
		return ""
	}
	return hands.Install(namespace)
}

// givenTo says what to do about a role that another tool manages, nil for any other. The
// flags name the role once IAM has confirmed it.
func givenTo(record apply.Inventory, hands live.Hands, namespace string) func(Flags) string {
	if !givenRole(record, hands) {
		return nil
	}
	return func(flags Flags) string {
		return check.HaveRoleMade(advice.Command("oc ostoy-s3 iam render", append([]string{"-n", namespace}, flags.Words()...)...))
	}
}

// targetOf gathers what the flags and the cluster know, and who the caller is
// to AWS: that nobody is, is no error.
func targetOf(ctx context.Context, s *session.Session, request Request) (*cluster.Conn, Target, error) {
	var target Target
	conn, given, err := project.Given(ctx, s, request.Facts)
	if err != nil {
		return nil, target, err
	}
	if err := given.Validate(); err != nil {
		return nil, target, err
	}
	target.Namespace, target.Audience, target.Region = given.Namespace.Value, given.Audience.Value, given.Region.Value
	target.Flags = FlagsOf(request.Facts, request.Role)
	loaded, err := detect.LoadAWS(ctx, detect.AWSOptions{Profile: request.Facts.Profile, Region: target.Region})
	if err != nil {
		return nil, target, err
	}
	target.AWS = loaded.Config
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		target.Way.URL, err = exposure.URL(ctx, conn, target.Namespace)
		if errors.Is(err, exposure.ErrHost) { // the app can be reached past its Route
			target.Way.NoURL, err = exposure.ErrHost.Error(), nil
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

// Forwarder opens port-forwards to pods of a namespace.
func Forwarder(conn *cluster.Conn, namespace string) func(context.Context, string) (string, func(), error) {
	return func(ctx context.Context, pod string) (string, func(), error) {
		way, err := forward.Open(ctx, conn, namespace, pod, AppPort)
		if err != nil {
			return "", nil, err
		}
		return way.URL, way.Close, nil
	}
}

// PatienceOf is how long IAM may take to spread a change, which is eventually consistent
// ("Changes that I make are not always immediately visible" in the IAM User Guide), if the
// run has that long: there must be time for a verdict.
func PatienceOf(ctx context.Context) time.Duration {
	const longest = time.Minute
	deadline, ok := ctx.Deadline()
	if !ok {
		return longest
	}
	return min(longest, time.Until(deadline)/2)
}

// showLevel shows what a level is at. That it is looked at is gone in a moment.
func showLevel(board *ui.Board, e Event) {
	if e.Report == nil && (!e.Waiting || e.Again) {
		board.Glimpse(string(e.Level), markOfEvent(e), plain.InLine(e.Text))
		return
	}
	board.Set(string(e.Level), markOfEvent(e), plain.InLine(e.Text))
}

func markOfEvent(e Event) ui.Mark {
	switch {
	case e.Waiting:
		return ui.Warned
	case e.Report == nil:
		return ui.Busy
	case e.Report.Outcome == Passed:
		return ui.Done
	case e.Report.Outcome == Failed:
		return ui.Failed
	case e.Report.Outcome == NotVerified:
		return ui.Warned
	}
	return ui.Kept
}

// tellProof tells what is to be known beside the verdict.
func tellProof(to *ui.UI, report Report) {
	for _, probe := range report.NotTested() {
		to.Marked(ui.Kept, "not tested: %s", plain.InLine(probe.What))
	}
	TellSurroundings(to, report)
	if len(report.OutOfScope) > 0 {
		to.Marked(ui.Kept, "not part of this verification: %s", strings.Join(report.OutOfScope, "; "))
	}
}

// TellSurroundings tells what the user should know whatever the verdict.
func TellSurroundings(to *ui.UI, report Report) {
	if report.Detour != "" && report.Via == ViaForward {
		to.Marked(ui.Kept, "the Route does not answer from here: %s; a port-forward was used", plain.InLine(report.Detour))
	}
	for _, key := range report.Left {
		to.Warn(plain.InLine("object "+key+" stays in bucket "+report.Bucket+": "+report.WhyLeft),
			advice.Command("aws s3 rm", "s3://"+report.Bucket+"/"+key)+"\n"+
				"or delete it with the bucket: "+advice.Command("oc ostoy-s3 uninstall", "-n", report.Namespace))
	}
}

// Unproven is the error of what failed, nil if all is proven.
func Unproven(report Report, note string) error {
	err := report.Err()
	var several *problem.Several
	if errors.As(err, &several) {
		several.Note = note
	}
	return err
}
