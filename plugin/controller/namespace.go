package controller

import (
	"context"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// mayTrust refuses a namespace in which somebody who is no cluster admin can act as the
// controller (live.Writers). If the controller runs there already, or this tool created
// the namespace, it is a warning: a cluster admin gave these permissions, and the
// controller needs its updates.
func (p *Plan) mayTrust(ctx context.Context) error {
	if p.found.Project == nil || p.Mode == Used {
		return nil
	}
	writers, err := p.found.World.Writers(ctx, p.found.Namespace)
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
	refusal := p.distrust(writers)
	if p.found.NamespaceOurs() || p.established(ctx) {
		p.Admission.warn(refusal.Error(), refusal.Next)
		return nil
	}
	return refusal
}

// established reports whether the controller that this tool installed works in the
// namespace: its service account may do what only a cluster admin can allow.
func (p *Plan) established(ctx context.Context) bool {
	if len(p.found.Mine()) == 0 {
		return false
	}
	own := operator.Account(p.facts)
	proven, err := p.found.World.ProvenAccounts(ctx, []string{own})
	return err == nil && proven[own]
}

// distrust counts also those of whom you are not allowed to know, and says so.
func (p *Plan) distrust(writers live.Writers) *problem.Error {
	next := "use another namespace: oc ostoy-s3 controller install -n NAMESPACE"
	if commands := writers.Revoke(p.found.Namespace); len(commands) > 0 {
		next = strings.Join(commands, "\n") + "\nor " + next
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "namespace " + p.found.Namespace + " cannot be trusted with the ACK S3 controller",
		Why:  writers.Why(), Next: next, More: "docs/security.md",
	}
}
