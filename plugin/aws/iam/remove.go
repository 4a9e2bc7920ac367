package iam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// RemovalOptions says which role is to go, and what leave was given.
type RemovalOptions struct {
	Name string // required; from the inventory's ARN, --role-name, or Found.Name
	Path string // "" takes the role wherever it is
	// PolicyARN is the managed policy that install attached (--policy-arn), or
	// "": any other is somebody else's.
	PolicyARN string
	// Adopt is leave (--adopt=role) to remove a role that is not ours, and
	// policies that others put on it.
	Adopt bool
	// AnyIssuer is leave to go by namespace alone where the facts do not know
	// the issuer: the user saw the role and said yes.
	AnyIssuer bool
	// Controller says that the role is to go with the ACK S3 controller, and not
	// with the app.
	Controller bool
}

func (o RemovalOptions) holder() Holder {
	if o.Controller {
		return Controller
	}
	return App
}

// Removal is the way from what the role is to its being gone. Without steps
// there is nothing to do. Notes are for the reader.
type Removal struct {
	Name  string
	ARN   string // "" if the role is not there
	Steps []Step
	Notes []string

	// What it was made of, so that Remove can make it again.
	facts   render.Facts
	options RemovalOptions
}

// Empty reports whether the role is gone already.
func (r *Removal) Empty() bool { return len(r.Steps) == 0 }

// RemovalPlan lists the steps that remove the role, or none where it is not
// there. It asks nobody. A role that is not ours, or that others put policies
// on, is a *problem.Error of kind Refused without leave; one in another account
// or under another path than the options say, or one of ours that was made for the
// other of app and controller, is refused always.
func RemovalPlan(actual *Actual, f render.Facts, o RemovalOptions) (*Removal, error) {
	r := &Removal{Name: o.Name, facts: f, options: o}
	if err := checkName(o.Name); err != nil {
		return nil, err
	}
	if actual == nil || !actual.Exists {
		return r, nil
	}
	if err := mayRemove(actual, f, o); err != nil {
		return nil, err
	}
	r.ARN = actual.ARN
	var names, takeOff []string
	for _, extra := range (Role{PolicyARN: o.PolicyARN}).Extras(actual) {
		names, takeOff = append(names, extra.Inline+extra.ARN), append(takeOff, extra.Removal(o.Name))
		r.Steps = append(r.Steps, extra.drop(actual.ARN, "not ours; --adopt=role says that it goes with the role"))
	}
	if len(names) > 0 && !o.Adopt {
		return nil, refuse(fmt.Sprintf("the role %s has policies that others put on it: %s", o.Name, strings.Join(names, ", ")),
			"somebody else uses the role too, and would lose these rights with it",
			strings.Join(takeOff, " && ")+"; or --adopt=role to remove them with the role")
	}
	if actual.hasOwnPolicy() {
		r.Steps = append(r.Steps, dropInline(actual.ARN, PolicyName, "", show(actual.Inline)))
	}
	// What may not be listed is tried: a policy that is not there is no error.
	if o.PolicyARN != "" && (actual.AttachedErr != nil || slices.Contains(actual.Attached, o.PolicyARN)) {
		r.Steps = append(r.Steps, dropAttached(actual.ARN, o.PolicyARN, ""))
	}
	r.Steps = append(r.Steps, Step{
		Kind: DeleteRole, What: "role", Before: actual.ARN,
		Action: "iam:DeleteRole", Resource: actual.ARN,
	})
	r.Notes = removalNotes(actual, f)
	return r, nil
}

func dropInline(role, name, reason, before string) Step {
	return Step{
		Kind: DeletePolicy, What: "inline policy " + name, Reason: reason, Before: before,
		Action: "iam:DeleteRolePolicy", Resource: role, PolicyName: name,
	}
}

func dropAttached(role, arn, reason string) Step {
	return Step{
		Kind: DetachPolicy, What: "managed policy", Reason: reason, Before: arn,
		Action: "iam:DetachRolePolicy", Resource: role, PolicyARN: arn,
	}
}

func removalNotes(a *Actual, f render.Facts) []string {
	var out []string
	if !sameOwner(a.Tags, f) {
		out = append(out, "the role is not ours and is removed, as --adopt=role says: "+whose(a.Tags, f))
	}
	for _, action := range a.unlisted() {
		out = append(out, "policies of others on the role were not looked at (needs "+action+"); if there are any, IAM keeps the role")
	}
	return out
}

// Remover is what removing a role takes: it deletes, and looks again where
// another was faster.
type Remover interface {
	Reader
	policyDropper
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
		if plan, err = RemovalPlan(actual, plan.facts, plan.options); err != nil {
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
			if !awserr.Answered(err) && !errors.Is(err, errStillThere) {
				result.Unsure = append(result.Unsure, step)
			}
			return step, err
		}
		result.Done = append(result.Done, step)
	}
	return Step{}, nil
}

// unmake does one step: one IAM request, safe to repeat.
func unmake(ctx context.Context, api Remover, name string, s Step) error {
	switch s.Kind {
	case DeletePolicy, DetachPolicy:
		return drop(ctx, api, aws.String(name), s)
	case DeleteRole:
		_, err := api.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: aws.String(name)})
		return err
	}
	return fmt.Errorf("step %q removes nothing", s.Kind)
}

// gone asks whether the role that DeleteRole did not find is gone for good. A
// role made a moment ago may be unknown to some requests and known to others.
func gone(ctx context.Context, api awsiam.GetRoleAPIClient, name string) error {
	a, err := roleAlone(ctx, api, name)
	if err == nil && a.Exists {
		err = errStillThere
	}
	return err
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
	p := problem.Refuse(fmt.Sprintf("the role %s is still in use and stays", plan.Name), "", "").Because(awserr.Cause(err))
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
