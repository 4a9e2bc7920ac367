package controller

import (
	"context"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

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
func (p *Plan) prove(ctx context.Context) error {
	f := p.found
	others := f.notMine(f.Controllers.All)
	if len(others) == 0 && (!p.options.AsItIs || len(f.Controllers.All) == 0) {
		return nil
	}
	accounts := map[string]bool{operator.Account(p.facts): true}
	p.proof.named = map[string]string{}
	for _, c := range others {
		name := operator.AccountName(c.Namespace, c.Account())
		accounts[name], p.proof.named[name] = true, c.String()
	}
	if len(f.Controllers.Unverified) > 0 {
		return p.proveByPolicy(ctx)
	}
	var err error
	p.proof.accounts, err = f.World.ProvenAccounts(ctx, slices.Sorted(maps.Keys(accounts)))
	if apierrors.IsForbidden(err) {
		return p.proveByPolicy(ctx)
	}
	return err
}

func (p *Plan) proveByPolicy(ctx context.Context) error {
	w := p.found.World
	p.proof.unasked = true
	found, err := w.Admission(ctx)
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

// unproven refuses to install a controller if something else may be one and you are not
// allowed to ask: two controllers undo each other's work.
func (p *Plan) unproven() error {
	some := p.found.unverified()
	return &problem.Error{
		Kind: problem.Refused,
		What: "whether an ACK S3 controller is installed already is not verified",
		Why: namesOf(some) + " may be one, or only look like it; which of them is a controller depends on what its service account is allowed to do, and you are not allowed to " +
			access.Reviewing,
		Next: "ask a cluster admin to run the same command, or for that permission",
		More: "docs/controller.md",
	}
}

// namesOf names the first few Deployments.
func namesOf(all []ack.Controller) string {
	var names []string
	for _, c := range all {
		names = append(names, c.String())
	}
	return some(names)
}
