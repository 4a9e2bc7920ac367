package uninstall

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// learn finds the project, the objects in it that are managed by ostoy-s3, the inventory,
// and the facts by which a role and a bucket are recognised. It is not project.Look: the
// role can be removed without a cluster, and no credentials are needed if bucket and role
// are kept.
func learn(ctx context.Context, s *session.Session, request Request) (app, error) {
	given, err := s.Given(ctx, request.Facts)
	if err != nil {
		return app{}, err
	}
	conn, err := s.Connect(ctx)
	if err != nil && !request.RoleOnly {
		return app{}, err
	}
	if !given.Namespace.Known() && conn != nil {
		name, _ := conn.Namespace()
		given.Namespace = render.Fact{Value: name, Source: conn.NamespaceSource()}
	}
	if !given.Namespace.Known() {
		return app{}, problem.Input("the project is not known",
			"there is no kubeconfig to take it from",
			"-n PROJECT").Because(err)
	}
	if err := (render.Facts{Namespace: given.Namespace}).Validate(); err != nil {
		return app{}, err
	}
	a := app{request: request, conn: conn, now: s.Now, removal: &apply.Removal{}, facts: render.Facts{Namespace: given.Namespace}}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		a.detected, err = detectFacts(groupCtx, conn, given, request.Facts.Profile)
		return err
	})
	if conn != nil {
		applier := apply.New(conn, apply.Options{Namespace: given.Namespace.Value, ForceOwner: request.ForceOwner, Now: s.Now})
		a.applier = applier
		group.Go(func() (err error) {
			a.state, a.removal, err = lookIn(groupCtx, conn, applier, given.Namespace.Value, request.RoleOnly)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return a, err
	}
	if err := onlyEngine(a); err != nil {
		return a, err
	}
	settled, err := a.settle(ctx, given)
	if err != nil {
		return settled, alsoAbsent(ctx, a, err)
	}
	return settled, nil
}

// absent is the error for a project that does not exist, nil if it exists or need not.
func (a app) absent(ctx context.Context, next ...string) error {
	if a.conn == nil || a.request.RoleOnly || !a.state.Missing() {
		return nil
	}
	return project.Absent(ctx, a.conn, a.facts.Namespace, a.state, next...)
}

// alsoAbsent is the error that keeps AWS from being asked, after the one that there is no
// such project: what is left of a project that was deleted cannot be known then.
func alsoAbsent(ctx context.Context, a app, err error) error {
	var absent, told *problem.Error
	switch {
	case !errors.As(a.absent(ctx), &absent) || !errors.As(err, &told):
		return err
	case told.Kind == problem.Usage:
		return err
	}
	return &problem.Several{Problems: []*problem.Error{absent, told}}
}

// detectFacts finds what identifies role and bucket. A cluster whose tokens AWS cannot
// check, or that does not answer, does not end the run here: the issuer may be known
// otherwise.
func detectFacts(ctx context.Context, conn *cluster.Conn, given render.Facts, profile string) (detect.Result, error) {
	found, err := detect.Detect(ctx, detect.Request{
		Given: given,
		Connect: func() (*cluster.Conn, error) {
			if conn == nil {
				return nil, cluster.ErrNotConfigured
			}
			return conn, nil
		},
		AWS:    detect.AWSOptions{Profile: profile, Region: given.Region.Value},
		Policy: detect.AskNeeded,
	})
	var told *problem.Error
	if errors.As(err, &told) && told.Kind == problem.Refused {
		return found, nil
	}
	return found, err
}

// lookIn looks at the project and lists what is managed by ostoy-s3 in it. If only the
// role is to be removed, the inventory is read for hints, and no failure ends the run.
func lookIn(outer context.Context, conn *cluster.Conn, applier *apply.Applier, name string, roleOnly bool) (project.State, *apply.Removal, error) {
	var state project.State
	var unseen error
	planned := &apply.Removal{}
	group, ctx := errgroup.WithContext(outer)
	group.Go(func() (err error) {
		state, err = project.LookAt(ctx, conn, name)
		return err
	})
	group.Go(func() error {
		inventory, err := applier.ReadInventory(ctx)
		if err == nil && roleOnly {
			planned.Inventory = inventory
			return nil
		}
		if err == nil {
			planned, err = applier.PlanRemoval(ctx, inventory)
		}
		if apierrors.IsForbidden(err) {
			planned, unseen = &apply.Removal{}, err
			return nil
		}
		return err
	})
	err := group.Wait()
	switch {
	case roleOnly && outer.Err() == nil:
		return state, planned, nil
	case roleOnly:
		return state, planned, err
	case err == nil && state.Exists:
		err = unseen
	}
	if err != nil {
		return state, planned, conn.Translate(err)
	}
	return state, planned, nil
}

// settle joins what was detected with the inventory. Flags win, then what the cluster
// says; the inventory is used if neither knows. The region is an exception: the bucket is
// where it was created, not where the next one would be.
func (a app) settle(ctx context.Context, given render.Facts) (app, error) {
	if err := a.detected.ClusterFailure; err != nil && !a.request.RoleOnly {
		return a, err
	}
	if err := a.detected.AWSFailure; err != nil && a.request.needsAWS() {
		return a, err
	}
	a.facts = a.detected.Facts
	if err := a.facts.Validate(); err != nil {
		return a, err
	}
	a, err := a.identified(ctx)
	if err != nil {
		return a, err
	}
	record := a.removal.Inventory.Record
	recall := func(value string, of func(*render.Facts) *render.Fact) {
		a.facts = project.Recalled(a.facts, value, of)
	}
	if !a.request.needsAWS() { // AWS was not asked
		recall(record.Account, func(f *render.Facts) *render.Fact { return &f.Account })
		recall(record.Partition, func(f *render.Facts) *render.Fact { return &f.Partition })
	}
	if !a.facts.Issuer.Known() {
		recall(record.Issuer, func(f *render.Facts) *render.Fact { return &f.Issuer })
	}
	if !a.facts.ClusterID.Known() {
		recall(record.ClusterID, func(f *render.Facts) *render.Fact { return &f.ClusterID })
	}
	if !given.Region.Known() {
		recall(record.Region, func(f *render.Facts) *render.Fact { return &f.Region })
		if a.removal.Bucket != nil {
			recall(ack.Region(a.removal.Bucket.Live), func(f *render.Facts) *render.Fact { return &f.Region })
		}
	}
	if given.Account.Known() {
		return a, nil
	}
	return a, a.sameAccount(record.Account)
}

// identified asks whose the credentials are. They must be those of the account that was
// given, if one was.
func (a app) identified(ctx context.Context) (app, error) {
	if !a.request.needsAWS() {
		return a, nil
	}
	var err error
	if a.detected.AWS == nil {
		options := detect.AWSOptions{Profile: a.request.Facts.Profile, Region: a.facts.Region.Value}
		if a.detected.AWS, err = detect.LoadAWS(ctx, options); err != nil {
			return a, err
		}
	}
	identity, err := a.detected.AWS.Identity(ctx)
	if err != nil {
		return a, err
	}
	a.detected.Caller = identity.Caller
	if err := credentialsOf(identity.Account, a.facts.Account); err != nil {
		return a, err
	}
	a.facts.Account.Value, a.facts.Partition.Value = identity.Account, identity.Partition
	return a, nil
}

// sameAccount makes sure that role and bucket are looked for in the account that they
// were created in: in another one they would not be found, and nobody would remove them.
// What is not an account number is ignored.
func (a app) sameAccount(recorded string) error {
	account := render.Fact{Value: recorded, Source: "the inventory (" + project.OnRecord + ")"}
	if !a.request.needsAWS() || (render.Facts{Account: account}).Validate() != nil {
		return nil
	}
	return credentialsOf(a.facts.Account.Value, account)
}

func credentialsOf(have string, want render.Fact) error {
	if !want.Known() || want.Value == have {
		return nil
	}
	return problem.Refuse(fmt.Sprintf("the AWS credentials are of account %s", have),
		fmt.Sprintf("%s names account %s", want.Source, advice.Account(want.Value)),
		"choose other credentials with --profile; or, if that is wrong, "+advice.Command("--account-id", advice.Account(have).Word()))
}

// nothingLeft is the error for a project that does not exist and of which AWS shows nothing
// either: its name is mistyped, or all of it has been removed.
func nothingLeft(ctx context.Context, p prepared) error {
	var hidden []string
	for _, l := range p.decision.lines {
		if seen := p.evidence.role; seen.plan != nil || l.Subject != removal.Role || l.Fate != removal.Kept || seen.hidden == "" {
			return nil
		}
		hidden = append(hidden, "if it was deleted: "+l.Next) // AWS refuses to show a role of any name
	}
	return p.evidence.app.absent(ctx, hidden...)
}
