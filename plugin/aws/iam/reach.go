package iam

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Reach is which S3 buckets of its account a role can configure, as far as its
// policies show: who may change a bucket's policy decides who reads its objects.
type Reach struct {
	// Patterns are those of the names of the buckets, sorted.
	Patterns []string
	// Any says that it is every bucket of the account, by the policy By.
	Any bool
	By  string
	// Unknown says why not all of it is known, "" if it is. What is known is then the
	// least that the role can do.
	Unknown string
	// Within are the patterns of a permissions boundary: a bucket has to match one of
	// them, too. Nil sets no limit.
	Within []string
	// Unbounded says why it is not known what a permissions boundary leaves, "" if that
	// is known. What is known is then the most that the role can do.
	Unbounded string
}

// Covers reports whether the role can configure a bucket, as far as is known.
func (r Reach) Covers(bucket string) bool {
	matches := func(p string) bool { return like(p, bucket) }
	return (r.Any || slices.ContainsFunc(r.Patterns, matches)) && (r.Within == nil || slices.ContainsFunc(r.Within, matches))
}

// Text is the reach in words.
func (r Reach) Text(account string) string {
	by := ""
	if r.By != "" {
		by = ", by its policy " + r.By
	}
	switch {
	case r.Any:
		return "every bucket of account " + account + by
	case r.Unknown != "":
		return "not known: " + r.Unknown
	case len(r.Patterns) == 0:
		return "no bucket"
	}
	text := "every bucket named " + strings.Join(r.Patterns, " or ") + " in account " + account
	switch {
	case r.Within == nil:
		return text
	case len(r.Within) == 0:
		return "no bucket: its permissions boundary allows none"
	}
	return text + ", as far as its permissions boundary allows it: " + strings.Join(r.Within, " or ")
}

// Both is the reach of two together. Of two with different boundaries none counts.
func (r Reach) Both(other Reach) Reach {
	if !slices.Equal(r.Within, other.Within) || r.Within == nil || other.Within == nil {
		r.Within = nil
	}
	r.Unbounded = cmp.Or(r.Unbounded, other.Unbounded)
	if other.Any && !r.Any {
		r.Any, r.By = true, other.By
	}
	r.Patterns = sorted(append(slices.Clone(r.Patterns), other.Patterns...))
	r.Unknown = cmp.Or(r.Unknown, other.Unknown)
	return r
}

// wide are AWS's own policies that give everything on every bucket. PowerUserAccess
// has an element, NotAction, that ParseDocument does not read.
func wide() []string { return []string{"AmazonS3FullAccess", "AdministratorAccess", "PowerUserAccess"} }

// reachOfARN is the reach that a managed policy is known to give by its ARN alone.
func reachOfARN(arn string) (Reach, bool) {
	_, name, found := strings.Cut(arn, ":iam::aws:policy/")
	if !found || !slices.Contains(wide(), name) {
		return Reach{}, false
	}
	return Reach{Any: true, By: name}, true
}

// reachOfText is the reach of one policy, as IAM gives its text.
func reachOfText(name, text, account string) Reach {
	d, err := ParseDocument(text)
	if err != nil {
		return Reach{Unknown: "policy " + awserr.Redact(name) + ": " + awserr.Redact(err.Error())}
	}
	return reachOf(name, d, account)
}

// reachOf is the reach of one policy. Statements that deny do not count: what they
// leave may be as bad.
func reachOf(name string, d Document, account string) Reach {
	r := Reach{}
	for _, s := range d.Statement {
		if s.Effect != "Allow" || s.Condition.met(account) == No {
			continue
		}
		if s.namesOne("sts:AssumeRole") {
			r.Unknown = "policy " + awserr.Redact(name) + " allows sts:AssumeRole: what the other role can do is not looked at"
		}
		if !s.namesOne(configures()...) {
			continue
		}
		for _, resource := range s.Resource {
			general, variable := withoutVariables(resource)
			patterns := bucketPatterns(general)
			if len(patterns) > 0 && variable {
				r.Unknown = "policy " + awserr.Redact(name) + " has a policy variable in a resource"
			} else {
				r.Patterns = append(r.Patterns, patterns...)
			}
		}
	}
	r.Patterns = sorted(r.Patterns)
	if coversAny(r.Patterns) {
		return Reach{Any: true, By: awserr.Redact(name)}
	}
	return r
}

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
	var reach Reach
	var err error
	if r.Policy != nil {
		reach = reachOf("", *r.Policy, account)
	} else if reach, err = managedReach(ctx, api, r.PolicyARN, account); err != nil {
		return reach, err
	}
	boundary := r.Boundary
	if a != nil && a.Exists {
		others, err := extraReach(ctx, api, r.Name, r.Extras(a), account)
		if err != nil {
			return reach, err
		}
		reach, boundary = reach.Both(others), cmp.Or(boundary, a.Boundary)
	}
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
	reach, err := extraReach(ctx, api, name, (Role{}).Extras(has), account)
	if refused := cmp.Or(has.InlinesErr, has.AttachedErr); refused != nil {
		reach = reach.Both(Reach{Unknown: inShort(refused)})
	}
	return reach, err
}

// extraReach is that of policies that ostoy-s3 does not manage, all together.
func extraReach(ctx context.Context, api ReachReader, role string, extras []Extra, account string) (Reach, error) {
	all := make([]Reach, len(extras))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(maxLooks)
	for i, extra := range extras {
		group.Go(func() (err error) {
			if extra.ARN == "" {
				all[i], err = inlineReach(ctx, api, role, extra.Inline, account)
			} else {
				all[i], err = managedReach(ctx, api, extra.ARN, account)
			}
			return err
		})
	}
	err := group.Wait()
	reach := Reach{}
	for _, one := range all {
		reach = reach.Both(one)
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
