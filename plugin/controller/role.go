package controller

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// A role that is there is kept: where it is, because its path cannot be changed, with
// its pattern or managed policy, unless you asked for another. The name in the
// inventory is looked at first, then the usual ones: names are unique in an account,
// so that one request finds a role under whatever path.

// lookAtRole reads the role that is there, and describes it as it should be. Where
// nothing says which pattern it is for, it has one that withPattern replaces: what
// the objects need of it is its ARN.
func lookAtRole(ctx context.Context, p *Plan) (iam.Role, error) {
	if err := readRole(ctx, p); err != nil {
		return iam.Role{}, err
	}
	options := &p.options.Role
	*options = options.Keeping(p.actual, onRecord(p), p.facts)
	known := *options
	if known.PolicyARN == "" {
		known.BucketPattern = cmp.Or(known.BucketPattern, iam.OwnBucketPattern)
	}
	return iam.DesiredController(p.facts, known)
}

// readRole finds the role.
func readRole(ctx context.Context, p *Plan) (err error) {
	if p.options.Role.Name == "" {
		if found, err := readRecorded(ctx, p); found || err != nil {
			return err
		}
	}
	name := p.options.Role.Name
	if name != "" {
		p.actual, err = iam.ToCreate(iam.Read(ctx, p.roles, name, p.found.Inventory.Found))
		return err
	}
	name, actual, err := iam.Controller.Usual(ctx, p.roles, p.facts, iam.Counts{Any: p.options.Role.Adopt})
	p.options.Role.Name = name
	p.actual, err = iam.ToCreate(actual, err)
	return err
}

// readRecorded reads the role that the inventory names, and reports whether it is the one
// that is kept. One with a name of its own counts only if it is ours. One with the name
// that an earlier version computed counts if it exists, or if IAM does not show whether it
// does: if it does not exist, the role is a new one, with the name of a new one.
func readRecorded(ctx context.Context, p *Plan) (bool, error) {
	name := ""
	if p.found.Inventory.Applied() {
		name = nameIn(p.found.Inventory.RoleARN, p.facts)
	}
	usual := render.ControllerRoleNames(p.facts.Issuer.Value)
	kept := func() bool { return iam.Controller.Owns(name, p.actual, p.facts) }
	read := func() (*iam.Actual, error) { return iam.Read(ctx, p.roles, name, true) }
	switch {
	case name == "":
		return false, nil
	case name == usual[0]:
		p.options.Role.Name = name
		return false, nil
	case name == usual[1]:
		kept = func() bool { return p.actual.Exists || p.actual.Hidden }
		read = func() (*iam.Actual, error) { return iam.ToCreate(iam.Read(ctx, p.roles, name, true)) }
	}
	var err error
	if p.actual, err = read(); err != nil || !kept() {
		return false, err
	}
	p.options.Role.Name = name
	return true, nil
}

// onRecord are the pattern and the managed policy that an earlier run was asked for: a
// hint, because somebody may have permissions in the controller's namespace. The pattern
// is that of one role.
func onRecord(p *Plan) iam.ControllerOptions {
	inventory := p.found.Inventory
	if !inventory.Applied() {
		return iam.ControllerOptions{}
	}
	asked := iam.ControllerOptions{RoleOptions: iam.RoleOptions{PolicyARN: inventory.PolicyARN}}
	name := cmp.Or(p.options.Role.Name, render.ControllerRoleName(p.facts.Issuer.Value))
	if nameIn(inventory.RoleARN, p.facts) == name && iam.CheckBucketPattern(inventory.BucketPattern) == nil {
		asked.BucketPattern = inventory.BucketPattern
	}
	return asked
}

// recordPattern has the pattern recorded. It says where the pattern is from if neither
// you, by given, nor the inventory has one, and what is done about a policy that has
// another one than the inventory.
func recordPattern(p *Plan, given iam.ControllerOptions) {
	recorded, pattern := onRecord(p).BucketPattern, p.options.Role.BucketPattern
	p.Objects.Inventory.BucketPattern = pattern
	if !iam.Controller.Owns(p.Role.Role.Name, p.actual, p.facts) {
		return
	}
	actual := iam.PolicyPattern(p.actual.Inline, p.facts.Account.Value)
	if recorded == "" && given.BucketPattern == "" && actual != "" && actual == pattern {
		note := "the bucket pattern " + pattern + " is read from the policy " + iam.PolicyName + " of the role, because none is recorded; if somebody changed that policy, give --bucket-pattern"
		if p.recorded() {
			note += "; this pattern is recorded now"
		}
		p.Notes = append(p.Notes, note)
	}
	p.Drift = drifted(iam.PatternDrift(p.actual.Inline, recorded, p.facts.Account.Value), given, pattern, recorded, actual)
}

// drifted adds to a drift what is done about it. pattern is what the role gets.
func drifted(drift string, given iam.ControllerOptions, pattern, recorded, actual string) string {
	switch {
	case drift == "":
		return ""
	case given.PolicyARN != "":
		return drift + ": --policy-arn takes its place"
	case given.BucketPattern != "" && pattern == recorded:
		return drift + " and, as --bucket-pattern says, is restored"
	case given.BucketPattern != "":
		return drift + "; as --bucket-pattern says, it becomes " + pattern
	case pattern == actual:
		return drift + ", which is not narrower: the role keeps its policy. To change it, give --bucket-pattern"
	case pattern == recorded:
		return drift + " and is restored"
	}
	return drift + "; it becomes " + pattern
}

// withPattern asks for the bucket pattern of a role that has none, and gives the role
// with it.
func withPattern(ctx context.Context, p *Plan, desired *iam.Role) (*iam.Role, error) {
	options := &p.options.Role
	if desired == nil || options.BucketPattern != "" || options.PolicyARN != "" {
		return desired, nil
	}
	exists := p.actual != nil && p.actual.Exists
	if p.options.ChoosePattern == nil {
		return nil, iam.NoBucketPattern(exists)
	}
	pattern, note, err := p.options.ChoosePattern(ctx, exists)
	if err != nil {
		return nil, err
	}
	if note != "" {
		p.Notes = append(p.Notes, note)
	}
	options.BucketPattern = pattern
	role, err := iam.DesiredController(p.facts, *options)
	return &role, err
}

// chosenIdentity is the mode that you asked for, or the one on record.
func chosenIdentity(p *Plan) operator.Identity {
	return cmp.Or(p.options.Identity, p.found.recordedIdentity(), operator.Subscription)
}

// NeedsRole reports whether there may be a role of ours, so that AWS has to be
// asked: where anything of ours is there, but for mere rights beside a controller
// of somebody else, whose role is theirs.
func (r *Removal) NeedsRole() bool {
	rights := len(r.objects(isRight)) > 0 && len(staying(r)) == 0
	return endsController(r) || rights || len(r.objects(isFurniture)) > 0
}

// KeepRole notes that the role stays because the user says so. The namespace that its
// trust policy names then stays as well: otherwise a user who requests a project of that
// name could assume the role.
func (r *Removal) KeepRole() {
	if arn, err := render.ParseARNOf(r.found.Inventory.RoleARN, "iam", "role"); err == nil {
		name := advice.RoleName(arn.Name())
		r.add(&removal.Line{Subject: removal.Role, Object: "role " + name.String(), Fate: removal.Kept, Why: "--keep-role", Next: advice.Command("aws iam get-role", advice.Flag("--role-name", name.Word())...)})
	}
	for _, p := range r.going(removal.Project) {
		p.Keep("the role that is kept can be assumed by a service account of this namespace, and so by everybody who creates a namespace of this name",
			"remove both: "+advice.Command("oc ostoy-s3 controller uninstall", advice.ControllerIn(r.found.Namespace)...))
		r.tellRoles()
	}
}

// PlanRole finds the role that is ours: by the inventory, by its usual name, in
// the end by its path and tags. The facts' namespace is the controller's, and
// their account is the one that the credentials are of. What the inventory says
// is a hint: a role that it names and that is not ours is a *problem.Error of
// kind Refused, as is one that others put policies on without leave.
func (r *Removal) PlanRole(ctx context.Context, facts render.Facts, roles RoleRemover) error {
	r.roles = roles
	name, err := r.roleName(ctx, facts)
	if err != nil || name == "" {
		return err
	}
	actual, err := r.readRole(ctx, name, facts)
	if err != nil || !actual.Exists {
		return err
	}
	if r.role, err = iam.RemovalPlan(actual, facts, r.removalOptions(name, actual, facts)); err != nil {
		return err
	}
	r.Notes = append(r.Notes, r.role.Notes...)
	r.add(&removal.Line{Subject: removal.Role, Object: "role " + name, Fate: removal.Removed})
	return nil
}

// roleName is the name that our role may have, "" if there is none.
func (r *Removal) roleName(ctx context.Context, facts render.Facts) (string, error) {
	if name := nameIn(r.found.Inventory.RoleARN, facts); name != "" {
		return name, nil
	}
	found, err := iam.Controller.Find(ctx, r.roles, facts)
	switch {
	case err != nil || len(found) == 0:
		return "", err
	case len(found) > 1:
		return "", whichRole(found)
	}
	return found[0].Name, nil
}

// nameIn is the name in the ARN of a role of our account, "" for anything else.
func nameIn(arn string, facts render.Facts) string {
	parsed, err := render.ParseARNOf(arn, "iam", "role")
	if err != nil || parsed.Account != facts.Account.Value || parsed.Partition != facts.Partition.Value {
		return ""
	}
	return parsed.Name()
}

func whichRole(found []iam.Found) error {
	var names, next []string
	for _, role := range found {
		issuer := advice.Issuer(role.Issuer())
		names = append(names, advice.RoleName(role.Name).String()+" for issuer "+issuer.String())
		next = append(next, advice.Command("--oidc-issuer", issuer.Word()))
	}
	return problem.Refuse("several roles were made for an ACK S3 controller",
		"they are of different clusters, and which issuer this one has is not known: "+strings.Join(names, ", "),
		strings.Join(next, "\nor ")+"\nor --keep-role")
}

// readRole looks at a role. One of an install that ran a moment ago is looked for
// more than once: were it called absent, it would stay behind, and the record that
// names it would go.
func (r *Removal) readRole(ctx context.Context, name string, facts render.Facts) (*iam.Actual, error) {
	const aMoment = 2 * time.Minute
	inventory := r.found.Inventory
	if name == nameIn(inventory.RoleARN, facts) && now(r.options.Now).Sub(inventory.Written()) < aMoment {
		return iam.ReadNew(ctx, r.roles, name)
	}
	return iam.Read(ctx, r.roles, name, true)
}

// removalOptions gives leave only for a role that this tool made: --adopt=role is
// about what others put on it, never about one that the record just happens to name.
func (r *Removal) removalOptions(name string, actual *iam.Actual, facts render.Facts) iam.RemovalOptions {
	madeByTool := actual.Tags[render.TagManagedBy] == render.ManagedBy && actual.Tags[render.TagNamespace] == facts.Namespace.Value
	policy := r.found.Inventory.PolicyARN
	if !r.found.Inventory.Found && actual.Inline == "" && len(actual.Inlines) == 0 && len(actual.Attached) == 1 {
		policy = actual.Attached[0] // install gives every role one or the other
	}
	return iam.RemovalOptions{Name: name, PolicyARN: policy, Adopt: r.options.AdoptRole && madeByTool, Controller: true}
}

// CheckAccount refuses credentials of another account than the one that install
// put on record: there the role would not be found, and nobody would remove it.
func (r *Removal) CheckAccount(have string) error {
	recorded := r.found.Inventory.Account
	if recorded == "" || recorded == have || (render.Facts{Account: render.Fact{Value: recorded}}).Validate() != nil {
		return nil
	}
	return problem.Refuse(fmt.Sprintf("the AWS credentials are of account %s", have),
		fmt.Sprintf("the controller's role is in account %s, as its inventory says", recorded),
		"choose other credentials with --profile; or --keep-role; or, if the inventory is wrong, "+advice.Command("--account-id", advice.Account(have).Word()))
}
