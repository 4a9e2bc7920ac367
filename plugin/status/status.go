// Package status tells how an install is, or all of a cluster. It changes nothing.
//
// What it compares with is expected: the app as the last install was asked for it. look
// asks cluster and AWS and gives a Found; Of judges that and gives a Report, without
// asking anybody and without a clock of its own; printReport prints it. For all installs
// (all*.go) the same functions work on lists that are asked for once: each install is a
// Seen, and RowOf judges it.
//
// How an object is, package health says; what install would change, the plans of packages
// apply and iam. Here is only what becomes of them when one looks and does not act: what
// may not be seen is unknown, which is neither good nor bad.
package status

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Request is what is to be looked at, and how it is to be told.
type Request struct {
	Facts session.Facts
	Chart session.Chart
	Role  iam.RoleOptions

	All     bool // every install of the cluster, in one table
	Audit   bool // also who used the role and who changed it
	Output  session.Format
	Timeout time.Duration
}

// Run tells how an install is, or all of them. It changes nothing, and what it finds is no
// failure, as with kubectl get and helm status: check is there to judge. Where nothing is
// installed the error is a refusal, since helm status fails for a release that is not
// there, and a script must be able to tell; with All an empty list is an answer.
func Run(ctx context.Context, s *session.Session, r Request) error {
	limited, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	run := one
	if r.All {
		run = all
	}
	return session.CutOff(ctx, run(limited, s, r), r.Timeout, func() string { return "nothing was changed: status only looks" })
}

// one looks at one install and prints it.
func one(ctx context.Context, s *session.Session, r Request) error {
	e, from, err := prepare(ctx, s, r)
	if err != nil {
		return err
	}
	found, history, err := look(ctx, s, e, from)
	if err != nil {
		return err
	}
	if err := missing(s, r.Output, found); err != nil {
		return err
	}
	if exposure.Among(e.objects) == nil {
		found.Left = exposure.Left(ctx, from.world.Conn, from.world.Namespace, found.Plan)
	}
	seen := Of(found)
	seen.Audit = history.report
	if err := printReport(s, r.Output, seen); err != nil {
		return err
	}
	return history.err
}

// missing prints, as a document, and returns as an error that the app is not installed, and
// what is kept of it; nil if it is installed.
func missing(s *session.Session, output session.Format, found Found) error {
	seen := found.presence()
	name := found.Facts.Namespace.Value
	switch {
	case seen.Installed():
		return nil
	case !found.readable():
		return problem.Fail("you may not look into project "+name,
			"the cluster refuses to show what is in it, and whether it is there",
			"ask an admin of "+name+" for the role view; "+advice.Command("oc projects")+" lists the projects that you may see")
	}
	if isDocument(output) {
		if err := s.WriteDocument(output, seen.Document()); err != nil {
			return err
		}
	}
	return seen.NotInstalled()
}

// sources are what is asked. The clients of AWS are nil if noAWS says why there are none.
type sources struct {
	world *live.World
	trail *audit.Client
	noAWS error
}

func sourcesOf(p project.Project, facts render.Facts) sources {
	from := sources{
		world: &live.World{Conn: p.Conn, Namespace: facts.Namespace.Value, Facts: facts},
		noAWS: noAWS(p, facts.Account.Value),
	}
	if from.noAWS != nil {
		return from
	}
	config := p.Found.AWS.In(facts.Region)
	from.world.Roles, from.world.Buckets = iam.New(config), bucket.New(config)
	from.trail = audit.New(config)
	return from
}

// noAWS is why AWS is not asked, nil if it is. An account that the install is not in is
// not asked: what it has belongs to others, and the install's role and bucket would seem
// to be gone.
func noAWS(p project.Project, account string) error {
	switch have := p.Found.Facts.Account.Value; {
	case p.Failures.AWS != nil:
		return p.Failures.AWS
	case p.Found.AWS == nil:
		return live.ErrNoAWS
	case have != "" && have != account:
		return problem.Refuse(fmt.Sprintf("the AWS credentials are of account %s", have),
			"the inventory of the project names account "+account,
			"choose other credentials with --profile")
	}
	return nil
}

// appPods chooses the pods of the app's Deployments by the label of their selectors,
// which never changes.
const appPods = "app in (ostoy-frontend,ostoy-microservice)"

// history is the answer of CloudTrail, where it was asked.
type history struct {
	report *audit.Report
	err    error
}

// look asks cluster, AWS and CloudTrail at the same time.
func look(outer context.Context, s *session.Session, e expected, from sources) (found Found, h history, err error) {
	found = e.found(s)
	group, ctx := errgroup.WithContext(outer)
	group.Go(func() (err error) {
		found.Plan, err = e.plan(ctx, from.world.Conn, e.inventory, s)
		return err
	})
	group.Go(func() error {
		found.Pods, found.PodsErr = from.world.List(ctx, kinds.Pod.GVR(), from.world.Namespace, appPods)
		return nil
	})
	group.Go(func() error {
		found.S3, found.IAM = askAWS(ctx, e, from)
		return nil
	})
	if e.request.Audit {
		group.Go(func() error {
			h = askTrail(ctx, s, e, from)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return found, h, err
	}
	if stale, is := live.Stale(outer, from.world, found.BucketObject(), s.Now()); is {
		found.S3.Stale = &stale
	}
	return e.advise(found), h, outer.Err()
}

// found is what is known before anybody is asked how things are.
func (e expected) found(s *session.Session) Found {
	return Found{Facts: e.facts, Now: s.Now(), RoleARN: e.role.ARN, Inventory: e.inventory}
}

// countedPages is how much of a bucket status counts: so many requests that wait
// for each other, 1,000 things each.
const countedPages = 10

// askAWS asks everything of AWS at the same time. A refusal is an answer.
func askAWS(ctx context.Context, e expected, from sources) (s S3, i IAM) {
	if err := from.noAWS; err != nil {
		return S3{BucketErr: err, ContentsErr: err, PublicErr: err, PolicyErr: err, EncryptionErr: err}, IAM{RoleErr: err}
	}
	w := from.world
	var group errgroup.Group
	ask := func(question func()) { group.Go(func() error { question(); return nil }) }
	ask(func() { s.Bucket, s.BucketErr = w.BucketState(ctx) })
	ask(func() { s.Public, s.PublicErr = w.PublicAccess(ctx) })
	ask(func() { s.Policy, s.PolicyErr = w.BucketPolicy(ctx) })
	ask(func() { s.Encryption, s.EncryptionErr = w.Encryption(ctx) })
	ask(func() {
		s.Contents, s.More, s.ContentsErr = bucket.CountSome(ctx, w.Buckets, bucket.TargetOf(e.facts), countedPages)
	})
	ask(func() { i = askRole(ctx, e, w) })
	_ = group.Wait() // none gives an error
	return s, i
}

func askRole(ctx context.Context, e expected, w *live.World) IAM {
	actual, err := iam.Strict(w.RoleOf(ctx, e.role.Name))
	if err != nil {
		return IAM{RoleErr: err}
	}
	plan, refused := iam.NewPlan(e.role, actual, e.facts)
	adopted := e.inventory.RoleOrigin == apply.OriginAdopted || e.byHand
	if refused != nil && adopted && e.role.Admits(actual.Trust, e.facts.Issuer.Value) {
		return IAM{Role: actual, Plan: usedAsIs(e, actual)}
	}
	return IAM{Role: actual, Plan: plan, PlanErr: refused}
}

// usedAsIs is the plan for a role that was there before install and is not changed.
func usedAsIs(e expected, actual *iam.Actual) *iam.Plan {
	plan := &iam.Plan{Role: e.role}
	if wider := e.role.Wider(actual, e.facts.Issuer.Value); len(wider) > 0 {
		plan.Notes = []string{"it was there before install, and may do more than OSToy does: " + strings.Join(plain.InLines(wider), "; ") +
			" (" + advice.TightenRole(e.facts.Namespace.Value) + ")"}
	}
	return plan
}

// askTrail reads CloudTrail's event history of the last day.
func askTrail(ctx context.Context, s *session.Session, e expected, from sources) history {
	if from.noAWS != nil {
		return history{err: from.noAWS}
	}
	const most = 50
	seen, err := audit.Look(ctx, from.trail, audit.Request{
		RoleARN: e.role.ARN, RoleName: e.role.Name, Bucket: e.role.Bucket,
		Region: e.facts.Region.Value, Partition: e.facts.Partition.Value, Since: s.Now().Add(-audit.Day), Max: most,
	})
	if err != nil {
		return history{err: err}
	}
	return history{report: &seen}
}
