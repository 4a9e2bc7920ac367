package controller

import (
	"context"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// proof is which service accounts are those of controllers of the whole cluster: they
// are allowed to list and update Buckets in all projects. A Deployment proves nothing,
// because every project editor can create one.
type proof struct {
	accounts map[string]bool   // by user name
	named    map[string]string // the Deployments that are not this tool's, by the user name of their account
	unasked  bool              // you are not allowed to create SubjectAccessReviews
}

// prove asks about the controllers that are used, and not installed. From then on
// Others leaves out what is not a controller.
func (p *Plan) prove(ctx context.Context) error {
	others := p.found.Others()
	if len(others) == 0 && (!p.options.AsItIs || len(p.found.Deployments) == 0) {
		return nil
	}
	accounts := map[string]bool{operator.Account(p.facts): true}
	p.proof.named = map[string]string{}
	for _, c := range others {
		name := operator.AccountName(c.Namespace, c.Account())
		accounts[name], p.proof.named[name] = true, c.String()
	}
	var err error
	p.proof.accounts, err = p.found.World.ProvenAccounts(ctx, slices.Sorted(maps.Keys(accounts)))
	if apierrors.IsForbidden(err) {
		p.proof.unasked = true
		return nil
	}
	p.found.proven = p.proof.accounts
	return err
}
