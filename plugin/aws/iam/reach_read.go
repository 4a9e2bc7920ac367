package iam

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// ReachReader is what looking at what a role can configure takes.
type ReachReader interface {
	Reader
	PolicyReader
}

// ReadReach looks at what a role can configure, by all its policies and its boundary.
// What the caller may not read is no error: the reach is then not known. Where enough
// (nil: never) says so of our inline policy within the boundary, no other policy is
// looked at.
func ReadReach(ctx context.Context, api ReachReader, name, account string, enough func(Reach) bool) (Reach, error) {
	reach, err := inlineReach(ctx, api, name, PolicyName, account)
	if err != nil {
		return reach, err
	}
	a := &Actual{}
	switch err := readRole(ctx, api, name, a); {
	case awserr.Denied(err):
		reach.Unbounded = inShort(err)
		return reach.Both(Reach{Unknown: inShort(err)}), nil
	case err != nil:
		return reach, err
	case !a.Exists:
		return reach.Both(Reach{Unknown: "no role named " + name + " was found in account " + account}), nil
	}
	most, err := boundaryReach(ctx, api, a.Boundary, account)
	if own := reach.within(most); err != nil || enough != nil && enough(own) {
		return own, err
	}
	others, err := otherReach(ctx, api, name, account)
	return reach.Both(others).within(most), err
}

// RoleReach is what the controller's role can configure once it is as described: by its
// own policy, by those on it that others manage, and within its boundary.
func RoleReach(ctx context.Context, r Role, api ReachReader, a *Actual, account string) (Reach, error) {
	reach, boundary := Reach{}, r.Boundary
	if r.Policy != nil {
		reach = reachOf("", *r.Policy, account)
	} else {
		own, err := managedReach(ctx, api, r.PolicyARN, account)
		if err != nil {
			return own, err
		}
		reach = own
	}
	if a == nil || !a.Exists {
		return bounded(ctx, api, reach, boundary, account)
	}
	for _, extra := range r.Extras(a) {
		var one Reach
		var err error
		if extra.ARN == "" {
			one, err = inlineReach(ctx, api, r.Name, extra.Inline, account)
		} else {
			one, err = managedReach(ctx, api, extra.ARN, account)
		}
		if err != nil {
			return reach, err
		}
		reach = reach.Both(one)
	}
	return bounded(ctx, api, reach, cmp.Or(boundary, a.Boundary), account)
}

// bounded is what a permissions boundary leaves of a reach.
func bounded(ctx context.Context, api ReachReader, reach Reach, boundary, account string) (Reach, error) {
	most, err := boundaryReach(ctx, api, boundary, account)
	return reach.within(most), err
}

// boundaryReach is what a permissions boundary allows; without one everything.
func boundaryReach(ctx context.Context, api ReachReader, boundary, account string) (Reach, error) {
	if boundary == "" {
		return Reach{Any: true}, nil
	}
	return managedReach(ctx, api, boundary, account)
}

// within is what is left of a reach where no more than another is allowed.
func (r Reach) within(most Reach) Reach {
	switch {
	case most.Any:
	case most.Unknown != "":
		r.Unbounded = "permissions boundary: " + most.Unknown
	case r.Any:
		return most
	default:
		r.Within = append([]string{}, most.Patterns...)
	}
	return r
}

// otherReach is that of all policies but our inline one.
func otherReach(ctx context.Context, api ReachReader, name, account string) (Reach, error) {
	has := &Actual{}
	if err := readNames(ctx, api, name, has); err != nil {
		return Reach{}, err
	}
	all := make([]Reach, len(has.Inlines)+len(has.Attached))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(maxLooks)
	for i, policy := range has.Inlines {
		group.Go(func() (err error) {
			if policy != PolicyName {
				all[i], err = inlineReach(groupCtx, api, name, policy, account)
			}
			return err
		})
	}
	for i, arn := range has.Attached {
		group.Go(func() (err error) {
			all[len(has.Inlines)+i], err = managedReach(groupCtx, api, arn, account)
			return err
		})
	}
	err := group.Wait()
	reach := Reach{}
	for _, one := range all {
		reach = reach.Both(one)
	}
	for _, refused := range []error{has.InlinesErr, has.AttachedErr} {
		if refused != nil {
			reach = reach.Both(Reach{Unknown: inShort(refused)})
		}
	}
	return reach, err
}

func inlineReach(ctx context.Context, api Reader, role, policy, account string) (Reach, error) {
	text, err := InlinePolicy(ctx, api, role, policy)
	switch {
	case awserr.Missing(err):
		return Reach{}, nil
	case awserr.Denied(err):
		return Reach{Unknown: inShort(err)}, nil
	case err != nil || text == "":
		return Reach{}, err
	}
	return reachOfText(policy, text, account), nil
}

// managedReach is what a managed policy lets a role configure; AWS's widest are known without a look.
func managedReach(ctx context.Context, api PolicyReader, arn, account string) (Reach, error) {
	if reach, known := reachOfARN(arn); known {
		return reach, nil
	}
	text, err := ManagedPolicy(ctx, api, arn)
	switch {
	case awserr.Missing(err), awserr.Denied(err):
		return Reach{Unknown: inShort(err)}, nil
	case err != nil:
		return Reach{}, err
	}
	return reachOfText(arn, text, account), nil
}

// inShort is an error in a clause.
func inShort(err error) string {
	if told, ok := errors.AsType[*problem.Error](err); ok {
		return told.What
	}
	return awserr.Redact(err.Error())
}
