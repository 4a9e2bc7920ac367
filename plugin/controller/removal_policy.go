package controller

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// isPolicy is IsAdmission of a part.
func isPolicy(p *Part) bool { return IsAdmission(p.Ref) }

// policyRefs are the admission policy and its binding, where the cluster serves them.
func (r *Removal) policyRefs(ctx context.Context) ([]apply.Ref, error) {
	served, err := r.conn.Discovery(ctx)
	if err != nil || !live.ServesAdmission(served) {
		return nil, err
	}
	var refs []apply.Ref
	for _, kind := range []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"} {
		refs = append(refs, apply.Ref{Group: operator.AdmissionGroup, Version: "v1", Kind: kind, Name: operator.PolicyName})
	}
	return refs, nil
}

func policyRights() []access.Right {
	return rightsIn("",
		grant{operator.AdmissionGroup, "validatingadmissionpolicies", "delete"},
		grant{operator.AdmissionGroup, "validatingadmissionpolicybindings", "delete"})
}

// removePolicy removes the admission policy after the permissions on Buckets and the
// controller: until then somebody may write a Bucket that a controller acts on.
func (r *Removal) removePolicy(ctx context.Context) error {
	return r.removeThose(ctx, isPolicy, func(int) health.State {
		return health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "removed", Ready: true}
	})
}

// noteUnchecked says that a controller stays which acts on Buckets that nothing checks
// any more.
func (r *Removal) noteUnchecked() {
	if others := r.others(); len(others) > 0 && len(r.going(TheObject, isPolicy)) > 0 {
		r.Notes = append(r.Notes, others[0].String()+" stays, and the ValidatingAdmissionPolicy "+operator.PolicyName+
			" is removed: nothing keeps a Bucket to the S3 buckets of its own project any more")
	}
}
