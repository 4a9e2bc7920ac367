package controller

import (
	"context"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// mayTrust refuses a namespace in which somebody who is no cluster admin can act as the
// controller (live.Writers). If the controller runs there already, or this tool created
// the namespace, it is a warning: a cluster admin gave these permissions, and the
// controller needs its updates.
func mayTrust(ctx context.Context, p *Plan) error {
	if p.found.Project == nil || p.Mode == Used {
		return nil
	}
	writers, err := live.WritersOf(ctx, p.found.World, p.found.Namespace)
	if err != nil {
		return p.found.World.Conn.Translate(err)
	}
	if len(writers) == 0 {
		return nil
	}
	// Who runs this command has the permissions of an installation anyway.
	self, err := access.Self(ctx, p.found.World.Conn)
	if err != nil {
		return err
	}
	if writers = writers.Without(self); len(writers) == 0 {
		return nil
	}
	refusal := distrust(p, writers)
	if p.found.NamespaceOurs() || established(ctx, p) {
		p.Admission.warn(refusal.Error(), refusal.Next)
		return nil
	}
	return refusal
}

// established reports whether the controller that this tool installed, or that Helm
// installed for its role, works in the namespace: its service account may do what only a cluster admin can allow.
func established(ctx context.Context, p *Plan) bool {
	if len(p.found.Mine()) == 0 && len(p.found.byHelm()) == 0 {
		return false
	}
	own := operator.Account(p.facts)
	proven, err := p.found.World.ProvenAccounts(ctx, []string{own})
	return err == nil && proven[own]
}

// distrust counts also those of whom you are not allowed to know, and says so.
func distrust(p *Plan, writers live.Writers) *problem.Error {
	next := "use another namespace: oc ostoy-s3 controller install -n NAMESPACE"
	if commands := writers.Revoke(p.found.Namespace); len(commands) > 0 {
		next = strings.Join(commands, "\n") + "\nor " + next
	}
	return problem.Refuse("namespace "+p.found.Namespace+" cannot be trusted with the ACK S3 controller",
		writers.Why(),
		next).See("docs/security.md")
}

// proof is which service accounts are those of controllers of the whole cluster: they
// are allowed to list and update Buckets in all projects. A Deployment proves nothing,
// because every project editor can create one.
type proof struct {
	accounts map[string]bool   // by user name
	named    map[string]string // the Deployments that are not this tool's, by the user name of their account
	unasked  bool              // you are not allowed to create SubjectAccessReviews
	exempt   []string          // then, whom the admission policy in the cluster exempts
}

// prove asks about this tool's own service account besides those of Found. If you are
// not allowed to ask, those that the admission policy exempts are proven: only a cluster
// admin can have written that.
func prove(ctx context.Context, p *Plan) error {
	f := p.found
	others := f.notMine(f.Controllers.All)
	if _, byChart := f.origins(); len(others) == 0 && !byChart {
		return nil
	}
	accounts := map[string]bool{operator.Account(p.facts): true}
	p.proof.named = map[string]string{}
	for _, c := range others {
		name := operator.AccountName(c.Namespace, c.Account())
		accounts[name], p.proof.named[name] = true, c.String()
	}
	if len(f.Controllers.Unverified) > 0 {
		return proveByPolicy(ctx, p)
	}
	var err error
	p.proof.accounts, err = f.World.ProvenAccounts(ctx, slices.Sorted(maps.Keys(accounts)))
	if apierrors.IsForbidden(err) {
		return proveByPolicy(ctx, p)
	}
	return err
}

func proveByPolicy(ctx context.Context, p *Plan) error {
	w := p.found.World
	p.proof.unasked = true
	found, err := live.ReadAdmission(ctx, w)
	if apierrors.IsForbidden(err) {
		return nil // the plan of its objects says so
	}
	if err != nil {
		return w.Conn.Translate(err)
	}
	p.proof.exempt = operator.Inspect(found.Policy, nil).Exempt
	p.found.Controllers = p.found.Controllers.With(p.proof.exempt)
	return nil
}

// refuseUnproven refuses to install a controller if something else may be one and you are not
// allowed to ask: two controllers undo each other's work.
func refuseUnproven(p *Plan) error {
	some := p.found.unverified()
	return problem.Refuse("whether an ACK S3 controller is installed already is not verified",
		namesOf(some)+" may be one, or only look like it; which of them is a controller depends on what its service account is allowed to do, and you are not allowed to "+
			access.Reviewing,
		"ask a cluster admin to run the same command, or for that permission").See("docs/controller.md")
}

// namesOf names the first few Deployments.
func namesOf(all []ack.Controller) string {
	var names []string
	for _, c := range all {
		names = append(names, c.String())
	}
	return some(names)
}
