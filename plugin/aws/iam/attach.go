package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// unattached takes the name of a managed policy out of the tags of the role again, after
// AWS has refused to attach the policy: the tags say what the role has. If this fails, the
// tag counts for nothing (AskedPolicy), and the next run sets it.
func unattached(ctx context.Context, api Writer, role Role, result *Result) {
	n := slices.IndexFunc(result.Done, func(done Step) bool {
		tag := done.Tags[render.TagPolicy]
		return tag != "" && tag != done.Unattached
	})
	if n < 0 {
		return
	}
	tagged := result.Done[n]
	back := Step{Kind: TagRole, Tags: map[string]string{render.TagPolicy: tagged.Unattached}}
	if err := apply(ctx, api, role, back); err == nil && len(tagged.Tags) == 1 && tagged.Before != "" {
		result.Done = slices.Delete(result.Done, n, n+1) // the role is as it was
	}
}

// namePolicy explains a NoSuchEntity that is about the managed policy and not
// about the role: waiting does not heal it. IAM answers "Policy ARN does not exist or is
// not attachable." and, for a boundary, "Scope ARN: ARN does not exist or is
// not attachable."; CreateRole itself misses nothing but its boundary.
func namePolicy(err error, s Step) error {
	if !awserr.Missing(err) || s.PolicyARN == "" {
		return err
	}
	m := awserr.Message(err)
	if s.Kind != CreateRole && !strings.Contains(m, s.PolicyARN) && !strings.Contains(m, "not attachable") {
		return err
	}
	refused := noSuchPolicy(s, "AWS refused "+s.Action+" on "+s.Resource+": "+m)
	refused.Kind = problem.Failed
	return refused.Because(awserr.Cause(err))
}

// noSuchPolicy is the error for a step that names a managed policy that does not exist.
func noSuchPolicy(s Step, why string) *problem.Error {
	flag := "--policy-arn"
	if s.Kind != AttachPolicy {
		flag = "--permissions-boundary"
	}
	return problem.Refuse("the policy "+s.PolicyARN+" does not exist",
		why,
		flag+" with an ARN that is in the output of: "+advice.Command("aws iam list-policies"))
}

// MissingPolicy is the error for a plan that attaches a managed policy, or sets a
// permissions boundary, that does not exist: it is known before the first step. Nothing is
// said of a policy that the caller is not allowed to read.
func MissingPolicy(ctx context.Context, p *Plan, from PolicySource) error {
	for _, step := range p.Steps {
		if step.PolicyARN == "" || step.Kind == DetachPolicy {
			continue
		}
		if _, err := from.ManagedPolicy(ctx, step.PolicyARN); awserr.Missing(err) {
			return noSuchPolicy(step, "AWS answered to iam:GetPolicy: "+awserr.Message(err)).Because(awserr.Cause(err))
		}
	}
	return nil
}
