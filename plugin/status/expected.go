package status

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// expected is what an install is compared with: the app as install would make it, asked
// for what the last one was asked for.
type expected struct {
	request   Request
	detected  render.Facts // and given, without what is on record
	facts     render.Facts
	inventory apply.Inventory
	byHand    bool // the role is the one that the tutorial's service account names
	role      iam.Role
	objects   []*unstructured.Unstructured
}

// renderer gives the objects of an app.
type renderer func(context.Context, render.Facts, render.Options) ([]*unstructured.Unstructured, error)

// rendered is e with its role and objects. Its facts must be complete.
func (e expected) rendered(ctx context.Context, role iam.RoleOptions, values render.Options, of renderer) (expected, error) {
	var err error
	if e.role, err = iam.Desired(e.facts, role); err != nil {
		return e, err
	}
	values.RoleARN = e.role.ARN
	e.objects, err = of(ctx, e.facts, values)
	return e, err
}

// plan is what install would change of objects that are read here or were read before, as
// a client's dry run says it.
func (e expected) plan(ctx context.Context, objects apply.Resources, inventory apply.Inventory, s *session.Session) (*apply.Plan, error) {
	return apply.New(objects, apply.Options{
		Namespace: e.facts.Namespace.Value, How: apply.Guess, Look: true, Now: s.Now,
	}).Plan(ctx, e.objects, inventory, apply.Record{})
}

// prepare finds what a project is compared with. AWS may be away: then the record of the
// last install says what it was asked for.
func prepare(ctx context.Context, s *session.Session, r Request) (e expected, from sources, err error) {
	values, err := s.ReadValues(ctx, r.Chart)
	if err != nil {
		return e, from, err
	}
	p, err := project.Look(ctx, s, project.Wanted{Facts: r.Facts, MustExist: true, Tolerant: true})
	switch {
	case err != nil:
		return e, from, err
	case p.Failures.Cluster != nil:
		return e, from, p.Failures.Cluster
	}
	asked := r
	if p.Failures.AWS == nil && p.Found.AWS != nil { // S3 was asked whether the recorded one counts
		asked.Facts.Given.Region = p.Facts.Region
	}
	facts, role := recorded(p.Facts, asked, p.Inventory.Record)
	if err := complete(p, facts); err != nil {
		return e, from, err
	}
	from = sourcesOf(p, facts)
	byHand := false
	if role, byHand, err = roleAskedFor(ctx, from, role); err != nil {
		return e, from, err
	}
	e = expected{byHand: byHand, request: r, detected: p.Found.Facts, facts: facts, inventory: p.Inventory}
	if values, err = recall(s, p.Inventory, facts, values); err != nil {
		return e, from, err
	}
	e, err = e.rendered(ctx, role, values, plan.Render)
	return e, from, err
}

// recall adds the values of the last install to those that are given, and says which.
func recall(s *session.Session, inventory apply.Inventory, facts render.Facts, values render.Options) (render.Options, error) {
	chart, err := render.New()
	if err != nil || values.Reset {
		return values, err
	}
	recorded := plan.RecallValues(chart, inventory, facts)
	values.Recorded = recorded.Values
	lines, err := render.FromRecord(values)
	announce.Dropped(s.UI, recorded.Dropped)
	s.UI.Rows(announce.FromRecord(lines))
	return values, err
}

// complete is the error for facts that are missing or that cannot be.
func complete(p project.Project, facts render.Facts) error {
	switch {
	case facts.Require() == nil:
		return facts.Validate()
	case p.Failures.Issuer != nil:
		return p.Failures.Issuer
	}
	return p.Found.Require()
}

// roleAskedFor is the role that the last install was asked for. If nothing says which one, as
// after manifests from Git, IAM is asked.
func roleAskedFor(ctx context.Context, from sources, role iam.RoleOptions) (_ iam.RoleOptions, byHand bool, _ error) {
	if role.Name != "" || from.noAWS != nil || !from.world.Facts.Issuer.Known() {
		return role, false, nil
	}
	if role.Path == "" {
		if arn := tutorialRole(ctx, from); arn.Name() != "" {
			role.Name, role.Path = arn.Name(), arn.Path()
			return role, true, nil
		}
	}
	usual := from.world.UsualRole(ctx, iam.Counts{}) // an error is told with what else AWS does not show
	role.Name = usual.Name
	if ctx.Err() != nil {
		return role, false, usual.Err
	}
	return role, false, nil
}

// tutorialRole is the role that the tutorial's service account names, if IAM shows that it
// is this app's; the zero ARN otherwise.
func tutorialRole(ctx context.Context, from sources) render.ARN {
	account, err := from.world.Account(ctx)
	if err != nil || account == nil || tutorial.Differs(account) != "" {
		return render.ARN{}
	}
	arn := iam.RoleHere(account.GetAnnotations()[live.RoleAnnotation], from.world.Facts)
	if arn.Name() == "" {
		return render.ARN{}
	}
	if its, err := iam.ClaimedBy(ctx, from.world.Roles, arn, from.world.Facts); err != nil || !its {
		return render.ARN{}
	}
	return arn
}

// recorded takes what the last install was told by flags from its record, where nobody
// says otherwise now: status compares with that install, and not with one that nobody
// made. Somebody may have edited the record, so only what can be true is taken.
func recorded(facts render.Facts, r Request, record apply.Record) (render.Facts, iam.RoleOptions) {
	recall := func(given render.Fact, value string, of func(*render.Facts) *render.Fact) {
		if !given.Known() {
			facts = project.Recalled(facts, value, of)
		}
	}
	given := r.Facts.Given
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
	return facts, project.RecalledRole(facts, r.Role, record.RoleARN)
}

// advise is what was found with the commands for it, when AWS has answered.
func (e expected) advise(found Found) Found {
	hands := found.hands()
	found.Again, found.Tighten = e.again(hands, found), e.again(hands, found, "--adopt", "--tighten-role")
	if e.inventory.RoleOrigin == apply.OriginExisting && !e.onlyUsed(found.IAM) {
		found.Again += "\n" + advice.ManagedByOthers
	}
	if createsFirstRoute(found) {
		found.Again += "\n" + asksForRoute
	}
	found.Again = e.inAccount(found.Again)
	return found
}

// inAccount is the install with the other way out if the credentials are of another account
// than the inventory names: that of the inventory may be the right one.
func (e expected) inAccount(again string) string {
	have, named := advice.Account(e.detected.Account.Value), advice.Account(e.facts.Account.Value)
	if have.String() == named.String() || e.detected.Account.Value == "" {
		return again
	}
	return "to look with credentials of account " + named.String() + ", which the inventory names: " +
		advice.Command("oc ostoy-s3 status", "-n", e.facts.Namespace.Value, "--profile", "PROFILE") +
		"\nor, to install the app in account " + have.String() + ", of which your credentials are: " + again
}

// asksForRoute says what install asks. What the app was exposed by before, only the project
// says.
const asksForRoute = "install asks for confirmation before it creates the Route or Ingress, because the bucket has objects; a script needs --yes"

// createsFirstRoute reports whether install would create a Route or an Ingress to an app
// that exists, with a bucket that is not known to be empty.
func createsFirstRoute(found Found) bool {
	if found.Plan == nil || found.S3.ContentsErr == nil && found.S3.Contents.Objects == 0 && !found.S3.More {
		return false
	}
	creates, exists := false, false
	for _, item := range found.Plan.Items {
		creates = creates || exposure.IsKind(item.Ref.Kind) && item.Action == apply.Create
		exists = exists || item.Ref.Kind == "Deployment" && item.Live != nil
	}
	return creates && exists
}

// again is the install that changes everything to what status compares with, with flags.
// Everybody who can edit the project can write its inventory and its Bucket. So what
// install does not find out by itself is among the words only if you gave it, or if AWS
// says it: IAM of the role, S3 of the region.
func (e expected) again(hands live.Hands, from Found, flags ...string) string {
	words := e.regionWords(from.S3)
	words = append(words, e.roleWords(from.IAM)...)
	if policy := e.request.Role.PolicyARN; policy != "" {
		words = append(words, "--policy-arn", policy)
	}
	if e.onlyUsed(from.IAM) {
		words = append(words, "--iam=skip")
	}
	return hands.Install(e.facts.Namespace.Value, append(words, flags...)...)
}

// onlyUsed reports whether another tool manages the role: the inventory says so, and IAM
// shows it. The issuer that the inventory names shows nothing.
func (e expected) onlyUsed(from IAM) bool {
	return e.inventory.RoleOrigin == apply.OriginExisting && iam.OnlyUsed(e.inventory.RoleARN, e.detected, from.Role)
}

// regionWords are the region of the bucket, if install would use another one without it.
func (e expected) regionWords(from S3) []string {
	given := e.request.Facts.Given.Region.Value
	region := given
	if said := from.Bucket; from.BucketErr == nil && said.Kind != bucket.OtherAccount && advice.Region(said.Region).Legal() {
		region = said.Region
	}
	if region == "" || given == "" && region == e.detected.Region.Value {
		return nil
	}
	return []string{"--region", region}
}

// roleWords name the role: as you did, or as the inventory does if IAM proves it. Which
// role was adopted install finds out by itself.
func (e expected) roleWords(from IAM) []string {
	given, record := e.request.Role, e.inventory.Record
	switch {
	case given.Name != "" || given.Path != "":
		return advice.RoleFlags(given.Name, given.Path, render.RoleNames(e.detected.Issuer.Value, e.detected.Namespace.Value)...)
	case record.RoleOrigin == apply.OriginAdopted:
		return nil
	}
	return iam.Recall(record.RoleARN, record.RoleOrigin == apply.OriginExisting, e.detected, func() *iam.Actual { return from.Role })
}
