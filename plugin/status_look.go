package plugin

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// appPods chooses the pods of the app's Deployments by the label of their
// selectors, which never changes.
const appPods = "app in (ostoy-frontend,ostoy-microservice)"

// prepare finds the facts, and what install would make of them. AWS may be away:
// then the record of the last install says what it was asked for.
func (s *statusRun) prepare(ctx context.Context) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.sources.Cluster; err != nil {
		return err
	}
	if !s.project.exists && !s.checkup.inventory.Found {
		return s.noProject()
	}
	s.facts = s.checkup.found.Facts
	s.facts, s.install.request.Role = recorded(s.facts, s.request, s.checkup.inventory.Record)
	s.anotherAccount()
	if err := s.facts.Require(); err != nil {
		if s.sources.Issuer != nil {
			return s.sources.Issuer
		}
		return s.checkup.found.Require()
	}
	if err := s.facts.Validate(); err != nil {
		return err
	}
	s.clients()
	role, err := s.settledRole(ctx)
	if err != nil {
		return err
	}
	if s.desired, err = iam.Desired(s.facts, role); err != nil {
		return err
	}
	s.options.RoleARN = s.desired.ARN
	s.objects, err = renderObjects(ctx, s.facts, s.options, "")
	return err
}

// settledRole is the role that the last install was asked for. If nothing says which one,
// as after manifests from Git, IAM is asked.
func (s *statusRun) settledRole(ctx context.Context) (RoleRequest, error) {
	role := s.install.request.Role
	if role.Name != "" || s.noAWS != nil || !s.facts.Issuer.Known() {
		return role, nil
	}
	usual := s.world.UsualRole(ctx, iam.Counts{}) // an error is told with what else AWS does not show
	role.Name = usual.Name
	if ctx.Err() != nil {
		return role, usual.Err
	}
	return role, nil
}

// noProject: to who may not see a project OpenShift says the same as where there
// is none.
func (s *statusRun) noProject() error {
	name := s.checkup.found.Facts.Namespace.Value
	return &problem.Error{
		Kind: problem.Refused, What: "nothing is installed in project " + name,
		Why:  "there is no such project, or you may not see it",
		Next: "oc ostoy-s3 status -A shows those of your projects that have an install",
	}
}

// recorded takes what the last install was told by flags from its record, where
// nobody says otherwise now: status compares with that install, and not with one
// that nobody made. Somebody may have edited the record, so only what can be true
// is taken.
func recorded(facts render.Facts, request StatusRequest, record apply.Record) (render.Facts, RoleRequest) {
	recall := func(given render.Fact, value string, of func(*render.Facts) *render.Fact) {
		if !given.Known() {
			facts = recalled(facts, value, of)
		}
	}
	given := request.Facts.Given
	recall(given.Region, record.Region, func(f *render.Facts) *render.Fact { return &f.Region })
	recall(given.Account, record.Account, func(f *render.Facts) *render.Fact { return &f.Account })
	recall(given.Partition, record.Partition, func(f *render.Facts) *render.Fact { return &f.Partition })
	if !facts.Issuer.Known() {
		recall(given.Issuer, record.Issuer, func(f *render.Facts) *render.Fact { return &f.Issuer })
	}
	// An install whose user could not learn the cluster's id left it out of tags.
	if record.RoleARN != "" && record.ClusterID == "" && !given.ClusterID.Known() {
		facts.ClusterID = render.Fact{Why: "the last install did not know it"}
	}
	role := request.Role
	arn, legal := roleNamed(record.RoleARN)
	if legal && role.Name == "" && role.Path == "" && arn.Account == facts.Account.Value {
		role.Name, role.Path = arn.Name(), arn.Path()
	}
	if _, err := iam.Desired(facts, role); err != nil {
		role = request.Role
	}
	return facts, role
}

// recalled takes a fact from the record, if it can be true: somebody may have
// edited it.
func recalled(facts render.Facts, value string, of func(*render.Facts) *render.Fact) render.Facts {
	changed := facts
	if of(&changed).Value == value {
		return facts
	}
	*of(&changed) = render.Fact{Value: value, Source: onRecord}
	if value != "" && changed.Validate() == nil {
		return changed.Complete()
	}
	return facts
}

// anotherAccount keeps from asking an account that the install is not in: what it
// has there is somebody else's, and what it has here would seem to be gone.
func (s *statusRun) anotherAccount() {
	if s.sources.AWS != nil || s.checkup.found.AWS == nil {
		return
	}
	have := s.checkup.found.Facts.Account.Value
	if want := s.facts.Account.Value; have != "" && have != want {
		s.sources.AWS = &problem.Error{
			Kind: problem.Refused,
			What: fmt.Sprintf("the AWS credentials are of account %s", have),
			Why:  "the inventory of the project names account " + want,
			Next: "choose other credentials with --profile; or, if that is wrong, " + advice.Command("--account-id", advice.Account(have).Word()),
		}
	}
}

// lookPlan is install's own plan, as a client's dry run makes it, of objects that
// are read here or were read before.
func (s *statusRun) lookPlan(ctx context.Context, objects apply.Resources, inventory apply.Inventory) (*apply.Plan, error) {
	return apply.New(objects, apply.Options{
		Namespace: s.facts.Namespace.Value, Guess: true, Look: true, Now: s.Now,
	}).Plan(ctx, s.objects, inventory, apply.Record{})
}

// countedPages is how much of a bucket status counts: so many requests that wait
// for each other, 1,000 things each.
const countedPages = 10

// askAWS asks everything of AWS at the same time. A refusal is an answer.
func (s *statusRun) askAWS(ctx context.Context, w *live.World) (found status.AWS) {
	if err := s.noAWS; err != nil {
		return status.AWS{
			BucketErr: err, ContentsErr: err, PublicErr: err, PolicyErr: err, EncryptionErr: err, RoleErr: err,
		}
	}
	var group errgroup.Group
	ask := func(question func()) { group.Go(func() error { question(); return nil }) }
	ask(func() { found.Bucket, found.BucketErr = w.BucketState(ctx) })
	ask(func() { found.Public, found.PublicErr = w.PublicAccess(ctx) })
	ask(func() { found.Policy, found.PolicyErr = w.BucketPolicy(ctx) })
	ask(func() { found.Encryption, found.EncryptionErr = w.Encryption(ctx) })
	ask(func() {
		found.Contents, found.More, found.ContentsErr = bucket.CountSome(ctx, w.Buckets, bucket.TargetOf(s.facts), countedPages)
	})
	ask(func() { found.Role, found.Plan, found.RoleErr, found.PlanErr = s.askRole(ctx, w) })
	_ = group.Wait() // none gives an error
	return found
}

func (s *statusRun) askRole(ctx context.Context, w *live.World) (actual *iam.Actual, plan *iam.Plan, unread, refused error) {
	if actual, unread = iam.Strict(w.RoleOf(ctx, s.desired.Name)); unread != nil {
		return nil, nil, unread, nil
	}
	plan, refused = iam.NewPlan(s.desired, actual, s.facts)
	adopted := s.checkup.inventory.RoleOrigin == apply.OriginAdopted
	if refused != nil && adopted && s.desired.Admits(actual.Trust, s.facts.Issuer.Value) {
		return actual, usedAsIs(s.desired, actual, s.facts), nil, nil
	}
	return actual, plan, nil, refused
}

// usedAsIs is the plan for a role that was there before install and is not changed.
func usedAsIs(desired iam.Role, actual *iam.Actual, facts render.Facts) *iam.Plan {
	plan := &iam.Plan{Role: desired}
	if wider := desired.Wider(actual, facts.Issuer.Value); len(wider) > 0 {
		plan.Notes = []string{"it was there before install, and may do more than OSToy does: " + strings.Join(inLines(wider), "; ") +
			" (" + tightenIn(facts.Namespace.Value) + ")"}
	}
	return plan
}
