package iam

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Remover is what removing a role takes: it deletes, and looks again where
// another was faster.
type Remover interface {
	Reader
	DeleteRolePolicy(context.Context, *awsiam.DeleteRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *awsiam.DetachRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DetachRolePolicyOutput, error)
	DeleteRole(context.Context, *awsiam.DeleteRoleInput, ...func(*awsiam.Options)) (*awsiam.DeleteRoleOutput, error)
}

// errStillThere is DeleteRole's NoSuchEntity about a role that GetRole shows:
// one of the two answers is old.
var errStillThere = errors.New("IAM says both that the role is there and that it is not")

// maxConflicts is how often DeleteRole may say that something is still on the
// role: some seconds' worth.
const maxConflicts = 6

// Remove walks the steps of the plan. What is gone already is no error and not
// in Result.Done: without a delete-role step there, another was faster, or the
// answer to a request of ours was lost. Where IAM says that something is still
// on the role, it looks again, plans again and goes on; what others put there
// meanwhile is refused as RemovalPlan would. It waits at most a minute
// altogether, and no longer than ctx. Errors are explained (*problem.Error).
func Remove(ctx context.Context, api Remover, plan *Removal) (Result, error) {
	result := Result{ARN: plan.ARN}
	waits, conflicts := pauses{}, 0
	for {
		step, err := takeAway(ctx, api, plan, &result)
		if err == nil {
			return result, nil
		}
		if awserr.Conflict(err) {
			conflicts++
		}
		if !worthAnother(err) || conflicts > maxConflicts || !waits.next(ctx) {
			return result, unremoved(ctx, err, step, plan)
		}
		// It was there a moment ago: that it is not may be an answer that is older.
		actual, err := ReadNew(ctx, api, plan.Name)
		if err != nil {
			return result, err
		}
		if plan, err = RemovalPlan(actual, plan.input.facts, plan.input.options); err != nil {
			return result, err
		}
	}
}

// takeAway does the steps one after the other and gives back the one that
// failed.
func takeAway(ctx context.Context, api Remover, plan *Removal, result *Result) (Step, error) {
	for _, step := range plan.Steps {
		err := unmake(ctx, api, plan.Name, step)
		if awserr.Missing(err) {
			if step.Kind != DeleteRole {
				continue
			}
			if err = gone(ctx, api, plan.Name); err == nil {
				continue
			}
		}
		if err != nil {
			return step, err
		}
		result.Done = append(result.Done, step)
	}
	return Step{}, nil
}

// unmake does one step: one IAM request, safe to repeat.
func unmake(ctx context.Context, api Remover, name string, s Step) error {
	var err error
	switch s.Kind {
	case DeletePolicy:
		_, err = api.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: aws.String(name), PolicyName: aws.String(s.PolicyName)})
	case DetachPolicy:
		_, err = api.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: aws.String(name), PolicyArn: aws.String(s.PolicyARN)})
	case DeleteRole:
		_, err = api.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String(name)})
	default:
		err = fmt.Errorf("step %q removes nothing", s.Kind)
	}
	return err
}

// gone asks whether the role that DeleteRole did not find is gone for good. A
// role made a moment ago may be unknown to some requests and known to others.
func gone(ctx context.Context, api roleGetter, name string) error {
	a := &Actual{}
	if err := readRole(ctx, api, name, a); err != nil {
		return err
	}
	if a.Exists {
		return errStillThere
	}
	return nil
}

// worthAnother reports whether looking and planning again may help: something
// was put on the role meanwhile, or what was taken off is not seen to be off
// yet. An instance profile goes by another's hand only.
func worthAnother(err error) bool {
	return errors.Is(err, errStillThere) || awserr.Conflict(err) && !inProfile(err)
}

func inProfile(err error) bool {
	return strings.Contains(strings.ToLower(awserr.Message(err)), "instance profile")
}

// unremoved explains why the role is still there.
func unremoved(ctx context.Context, err error, step Step, plan *Removal) error {
	if ctx.Err() != nil {
		return awserr.Translate(fmt.Errorf("%w, last answer: %w", ctx.Err(), err), step.Action, step.Resource)
	}
	const again = "; then run the same command again"
	name := advice.Flag("--role-name", plan.Name)
	p := &problem.Error{
		Kind: problem.Refused, What: fmt.Sprintf("the role %s is still in use and stays", plan.Name), Err: awserr.Cause(err),
	}
	switch {
	case !awserr.Conflict(err):
		return awserr.Translate(err, step.Action, step.Resource)
	case inProfile(err):
		p.Why = "it is in an instance profile, which this tool never makes: somebody gave the role to EC2 machines"
		p.Next = advice.Command("aws iam list-instance-profiles-for-role", name...) + ", and for each of these profiles " +
			advice.Command("aws iam remove-role-from-instance-profile", append(name, "--instance-profile-name", "PROFILE")...) + again
	default:
		p.Why = "IAM says that something is on it which cannot be seen or comes back: " + awserr.Message(err)
		p.Next = advice.Command("aws iam list-role-policies", name...) + " and " +
			advice.Command("aws iam list-attached-role-policies", name...) + " show what; remove it" + again
	}
	return p
}
