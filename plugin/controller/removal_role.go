package controller

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

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
			"delete the role, then "+advice.Command("oc delete namespace", r.found.Namespace))
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
	names, err := r.roleNames(ctx, facts)
	if err != nil {
		return err
	}
	var refused error
	for _, name := range names {
		actual, err := r.readRole(ctx, name, facts)
		if err != nil {
			return err
		}
		if !actual.Exists {
			continue
		}
		plan, err := iam.RemovalPlan(actual, facts, r.removalOptions(name, actual, facts))
		if err == nil {
			r.role = plan
			r.Notes = append(r.Notes, plan.Notes...)
			r.add(&removal.Line{Subject: removal.Role, Object: "role " + name, Fate: removal.Removed})
			return nil
		}
		if refused == nil {
			refused = err
		}
	}
	return refused
}

// roleNames are the names that our role may have, the most likely first.
func (r *Removal) roleNames(ctx context.Context, facts render.Facts) ([]string, error) {
	if name := nameIn(r.found.Inventory.RoleARN, facts); name != "" {
		return []string{name}, nil
	}
	found, err := iam.Controller.Find(ctx, r.roles, facts)
	if err != nil {
		return nil, err
	}
	if len(found) > 1 {
		return nil, whichRole(found)
	}
	var names []string
	for _, one := range found {
		names = append(names, one.Name)
	}
	return names, nil
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
	inventory, now := r.found.Inventory, time.Now()
	if r.options.Now != nil {
		now = r.options.Now()
	}
	if name == nameIn(inventory.RoleARN, facts) && now.Sub(inventory.Written()) < aMoment {
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
