package controller

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Mode is how a cluster gets its controller.
type Mode string

// The modes.
const (
	Used   Mode = "existing" // one that is not managed by ostoy-s3 exists, and is not changed
	ByOLM  Mode = "OLM"
	ByHand Mode = "by hand" // with Helm, by the user: role, permissions and policy are created here
)

// Options are what a user may say about the controller.
type Options struct {
	Version  string            // "1.13.0"; "" is what is there, or the newest
	Identity operator.Identity // "" is what is there, or Subscription
	Role     iam.ControllerOptions
	Upgrade  bool // go on to the newest version, or to Version
	// HelmLine is the command that installs ACK's chart for this role, for the reader.
	HelmLine string
	// AllowAnyBucket accepts that nothing keeps a Bucket to the S3 buckets of its own
	// project.
	AllowAnyBucket bool
	// ChoosePattern gives the bucket pattern of a role where neither you nor a role that
	// exists gives one, and what to note about that.
	ChoosePattern func(ctx context.Context, exists bool) (pattern, note string, err error)

	DryRun                     session.DryRun // how the objects are looked at
	ForceConflicts, ForceOwner bool
	Tool                       string // our version, for the record
	Now                        func() time.Time
}

// Plan is what would be done. Without changes it only follows.
type Plan struct {
	Mode    Mode
	Version Target
	// MakesNamespace says that the namespace is not there yet.
	MakesNamespace bool
	Identity       operator.Identity
	Objects        *apply.Plan
	Role           *iam.Plan // nil where the controller is somebody else's
	Admission      Admission
	Reach          *Reach // nil where it was not looked at
	// Drift says that the policy of the role has another bucket pattern than the
	// inventory, and what is done about it; "" if it has not.
	Drift string
	Notes []string

	basis
	set []*unstructured.Unstructured
}

// Target is the version that OLM is to have installed at the end.
type Target struct {
	CSV string // its name
	// From is the version that an upgrade starts at, "" where nothing is upgraded.
	From string
	// Available is a newer version than the one that is installed at the end, "" if
	// there is none.
	Available string
	// Versions are those of the Subscription; nil before the first is installed.
	Versions *Versions
	// Finishes says that OLM has still to install CSV for the Subscription: an earlier
	// run did not wait for it, or was interrupted.
	Finishes bool
}

// basis is what a plan is made from.
type basis struct {
	found   *Found
	facts   render.Facts
	options Options
	roles   iam.API
	proof   proof
	actual  *iam.Actual // the role that is there
}

// Found is what the plan was made from.
func (p *Plan) Found() *Found { return p.found }

// Changed reports whether executing the plan would change anything.
func (p *Plan) Changed() bool {
	return p.MakesNamespace || p.Version.Finishes || p.Version.From != "" || p.Objects.Changed() || p.Role != nil && !p.Role.Empty()
}

// AwaitsHelm reports whether the controller itself has still to be installed with Helm.
func (p *Plan) AwaitsHelm() bool { return p.Mode == ByHand && len(p.found.byHelm()) == 0 }

// Planted are the existing Buckets that name S3 buckets of other projects, where this
// run starts the controller that acts on them: the policy does not check a Bucket that
// is older.
func (p *Plan) Planted() []RefusedBucket {
	if p.Mode == Used || !p.Changed() || slices.ContainsFunc(slices.Concat(p.found.Mine(), p.found.byHelm()), Serves) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Admission.Refused), func(b RefusedBucket) bool { return !b.foreign })
}

// NewPlan decides what is to be done, and refuses what must not be: a second
// controller, a second OperatorGroup, a role that is somebody else's. It sends
// nothing but reads, and, unless it guesses (DryRunClient), dry runs of applies. Errors are
// *problem.Error.
func NewPlan(ctx context.Context, found *Found, facts render.Facts, roles iam.API, options Options) (*Plan, error) {
	p := &Plan{basis: basis{found: found, facts: facts, roles: roles, options: options}}
	if err := p.mayGoOn(); err != nil {
		return nil, err
	}
	err := prove(ctx, p)
	if err != nil {
		return nil, err
	}
	if p.Mode, err = p.mode(); err != nil {
		return nil, err
	}
	if err := mayChoose(p); err != nil {
		return nil, err
	}
	if err := mayTrust(ctx, p); err != nil {
		return nil, err
	}
	// The role trusts a service account of the namespace: nobody else may create it.
	p.MakesNamespace = found.Project == nil && p.Mode != Used
	desired, err := p.decide(ctx)
	if err != nil {
		return nil, err
	}
	if err := mayInstall(ctx, p); err != nil {
		return nil, err
	}
	noteStopped(ctx, p)
	if err := p.compare(ctx, desired); err != nil {
		return nil, err
	}
	// Asked last: an answer is wasted on a plan that is refused.
	if desired, err = withPattern(ctx, p, desired); err != nil {
		return nil, err
	}
	if desired != nil {
		if p.Role, err = iam.NewPlan(*desired, p.actual, p.facts); err != nil {
			return nil, err
		}
		recordPattern(p, options.Role)
		if err := lookAtReach(ctx, p, *desired); err != nil {
			return nil, err
		}
	}
	return p, mayWiden(ctx, p)
}

// compare decides what happens to each object, and finds the Buckets that the policy
// refuses.
func (p *Plan) compare(ctx context.Context, role *iam.Role) error {
	var refused []RefusedBucket
	var warnings []Warning
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { p.Objects, err = p.planObjects(groupCtx, role); return err })
	group.Go(func() (err error) { refused, warnings, err = lookAtBuckets(groupCtx, p); return err })
	if err := group.Wait(); err != nil {
		return err
	}
	p.Admission.Refused, p.Admission.Warnings = refused, append(p.Admission.Warnings, warnings...)
	return nil
}

// mayGoOn refuses where whatever is done now would be undone.
func (p *Plan) mayGoOn() error {
	project := p.found.Project
	if project == nil || project.GetDeletionTimestamp() == nil {
		return nil
	}
	return problem.Refuse("namespace "+p.found.Namespace+" is being deleted",
		"what is put into it now goes with it",
		advice.Command("oc get namespace", p.found.Namespace, "-w")+"; when it is deleted, run the same command again")
}

// mode decides how the controller comes, or has come.
func (p *Plan) mode() (Mode, error) {
	byOLM, byChart := p.found.origins()
	switch {
	case byOLM && p.found.OLM:
		return ByOLM, nil
	case byChart, p.found.otherwise():
		return Used, nil
	case len(p.found.byHelm()) > 0:
		return ByHand, nil
	case len(p.found.unverified()) > 0:
		return "", refuseUnproven(p)
	case p.found.OLM:
		return ByOLM, nil
	}
	return ByHand, nil
}

// mayChoose refuses a version, or an upgrade, of a controller that this run does not change.
func mayChoose(p *Plan) error {
	flag := ""
	switch {
	case p.Mode == Used && p.options.Version != "":
		flag = "--version " + p.options.Version
	case p.Mode == Used && p.options.Upgrade:
		flag = "--upgrade"
	case p.Mode == ByHand && p.options.Upgrade:
		return problem.Refuse("--upgrade changes nothing here: this cluster has no OLM",
			"ostoy-s3 upgrades the controller by its Subscription; here Helm installs it",
			"leave out --upgrade, and run the helm command that is printed")
	}
	if flag == "" {
		return nil
	}
	return problem.Refuse(flag+" cannot be done: the ACK S3 controller of this cluster is not managed by ostoy-s3",
		"its version is chosen by whoever installed it",
		"leave out the flag to use it as it is; or upgrade it with the tool that installed it")
}

// decide settles which objects there are to be, of the controller itself and those that
// give projects their Buckets, and gives the role; nil where there is to be none.
func (p *Plan) decide(ctx context.Context) (role *iam.Role, err error) {
	if err := decideAdmission(ctx, p); err != nil {
		return nil, err
	}
	if p.Mode != Used {
		desired, err := lookAtRole(ctx, p)
		if err != nil {
			return nil, err
		}
		role = &desired
	} else if p.options.Role.BucketPattern != "" {
		p.Notes = append(p.Notes, "--bucket-pattern changes nothing here: the controller and its role are not changed")
	}
	switch p.Mode {
	case ByOLM:
		p.set, err = olmObjects(ctx, p, role.ARN)
	case ByHand:
		p.Identity = chosenIdentity(p)
	}
	p.Notes = append(p.Notes, exempt(p)...)
	p.set = append(p.set, accessOf(p)...)
	return role, err
}

// planObjects decides what happens to each object.
func (p *Plan) planObjects(ctx context.Context, role *iam.Role) (*apply.Plan, error) {
	record, inventory := apply.Record{}, apply.Inventory{}
	if role != nil {
		inventory = p.found.Inventory
		origin := map[bool]string{true: apply.OriginCreated, false: apply.OriginExisting}
		record = apply.Record{
			RoleARN: role.ARN, PolicyARN: p.options.Role.PolicyARN,
			Account: p.facts.Account.Value, Partition: p.facts.Partition.Value, Region: p.facts.Region.Value,
			Issuer: p.facts.Issuer.Value, ClusterID: p.facts.ClusterID.Value,
			NamespaceOrigin: origin[p.found.Project == nil || p.found.NamespaceOurs()], Version: p.options.Tool, Identity: string(p.Identity),
		}
	}
	withdrawn, err := withdrawn(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, ref := range withdrawn {
		if !slices.Contains(inventory.Objects, ref) {
			inventory.Objects = append(slices.Clone(inventory.Objects), ref)
		}
	}
	return p.applier().Plan(ctx, p.set, inventory, record)
}

func (p *Plan) applier() *apply.Applier {
	how := map[session.DryRun]apply.How{session.DryRunClient: apply.Guess, session.DryRunServer: apply.TryCreates} // else DryRun
	return apply.New(p.found.World.Conn, apply.Options{
		Set: apply.Controller(), Namespace: p.found.Namespace, Fresh: p.found.Project == nil,
		How: how[p.options.DryRun], ForceConflicts: p.options.ForceConflicts, ForceOwner: p.options.ForceOwner,
		Shared: p.found.shared, Now: p.options.Now,
	})
}
