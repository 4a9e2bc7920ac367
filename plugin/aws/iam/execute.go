package iam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Kind is what a step does. Each is one IAM request.
type Kind string

// The kinds, in the order steps run. Permissions shrink before they grow (boundary,
// then trust policy, then policies). The tags come before the policies, because one of
// them names the managed policy that is attached: uninstall treats an attached policy
// that no tag names as somebody else's and refuses to remove the role. The tags come
// after the trust policy: a role that could not be taken over does not have them.
const (
	CreateRole   Kind = "create-role"
	PutBoundary  Kind = "put-boundary"
	UpdateTrust  Kind = "update-trust"
	TagRole      Kind = "tag-role"
	PutPolicy    Kind = "put-policy"
	AttachPolicy Kind = "attach-policy"
	DeletePolicy Kind = "delete-policy"
	DetachPolicy Kind = "detach-policy"
)

// DeleteRole is the kind that only a Removal has; it goes last.
const DeleteRole Kind = "delete-role"

// Step is one request: what it changes, in words and as data.
type Step struct {
	Kind   Kind   `json:"kind"`
	What   string `json:"what"`             // for example "trust policy"
	Reason string `json:"reason,omitempty"` // why it is needed, in one clause
	Before string `json:"before,omitempty"` // may have several lines; "" where nothing was
	After  string `json:"after,omitempty"`  // "" where nothing will be
	// Action is the IAM action the request needs, Resource what it is needed on.
	Action   string `json:"action"`
	Resource string `json:"resource"`

	Document   *Document         `json:"-"` // UpdateTrust, PutPolicy, CreateRole (its trust policy)
	PolicyName string            `json:"-"` // PutPolicy, DeletePolicy
	PolicyARN  string            `json:"-"` // AttachPolicy, DetachPolicy, PutBoundary, CreateRole (its boundary)
	Tags       map[string]string `json:"-"` // TagRole, CreateRole
	// Unattached is the value that render.TagPolicy gets if Tags name a managed policy and
	// AWS then refuses to attach it.
	Unattached string `json:"-"`
}

// Plan is the way from what the role is to what it should be. Without steps
// there is nothing to do. Notes are for the reader and change nothing.
type Plan struct {
	Role  Role
	Steps []Step
	Notes []string

	facts render.Facts // with which Execute makes it again when another run was faster
}

// Empty reports whether the role is as it should be.
func (p *Plan) Empty() bool { return len(p.Steps) == 0 }

// Creates reports whether the role does not exist yet.
func (p *Plan) Creates() bool { return len(p.Steps) > 0 && p.Steps[0].Kind == CreateRole }

// TagLines shows tags as key=value, one a line, sorted.
func TagLines(tags map[string]string) string {
	var lines []string
	for _, k := range keysOf(tags) {
		lines = append(lines, k+"="+tags[k])
	}
	return strings.Join(lines, "\n")
}

// Result is what Execute did, also when it did not get to the end.
type Result struct {
	ARN     string
	Created bool
	Done    []Step
	// Unsure are steps without a final answer: they may have been carried out.
	Unsure []Step
	// Untagged is what AWS denied and the role can do without.
	Untagged Untagged
}

// IAM is eventually consistent: a role made a moment ago may be unknown to the
// next request ("Changes that I make are not always immediately visible" in the
// IAM User Guide). This is how long and how often it is asked again.
const (
	firstPause = 250 * time.Millisecond
	longPause  = 5 * time.Second
	patience   = 60 * time.Second
)

// Execute walks the steps of the plan. When the role turns out to have appeared,
// to be gone, or not to be visible yet, it looks again, plans again and goes on;
// what another run did is then not done twice, and a role that somebody else
// made is refused. It waits at most a minute altogether, and no longer than ctx.
// Errors are explained (*problem.Error).
func Execute(ctx context.Context, api API, plan *Plan) (Result, error) {
	result := Result{ARN: plan.Role.ARN}
	waits := pauses{}
	for {
		step, err := walk(ctx, api, plan, &result)
		if err == nil {
			return result, nil
		}
		if !outdated(err) || !waits.next(ctx) {
			if ctx.Err() != nil {
				err = fmt.Errorf("%w, last answer: %w", ctx.Err(), err)
			}
			return result, awserr.Translate(err, step.Action, step.Resource)
		}
		actual, err := again(ctx, api, plan.Role, err, result.Created)
		if err != nil {
			return result, err
		}
		if plan, err = NewPlan(plan.Role, actual, plan.facts); err != nil {
			return result, err
		}
	}
}

// again reads the role that the plan was wrong about. What was created here may be hidden
// until IAM knows its path everywhere; what IAM says exists is not ours to see.
func again(ctx context.Context, api Reader, role Role, why error, created bool) (*Actual, error) {
	actual, err := ToCreate(Read(ctx, api, role.Name, true))
	if err != nil || !actual.Hidden || created || !awserr.Exists(why) {
		return actual, err
	}
	return nil, problem.Refuse("role "+role.Name+" exists, and AWS refuses to show it",
		"whose it is and what it allows is not known; it is not changed",
		"ask an AWS administrator to allow iam:GetRole on role "+role.Name+", or choose another name: --role-name NAME").Because(why)
}

// outdated reports whether an error says that the plan is: the role appeared,
// or is gone, or is not visible yet. An error that is explained already is about
// something else (namePolicy).
func outdated(err error) bool {
	if _, ok := errors.AsType[*problem.Error](err); ok {
		return false
	}
	return awserr.Exists(err) || awserr.Missing(err)
}

// walk does the steps one after the other and gives back the one that failed.
func walk(ctx context.Context, api Writer, plan *Plan, result *Result) (Step, error) {
	result.Untagged = Untagged{}
	for _, step := range plan.Steps {
		err := apply(ctx, api, plan.Role, step)
		if awserr.Denied(err) && plan.canDoWithout(step) {
			result.Untagged = Untagged{step.Tags, awserr.Translate(err, step.Action, step.Resource)}
			continue
		}
		if err != nil {
			if !awserr.Answered(err) {
				result.Unsure = append(result.Unsure, step)
			} else if step.Kind == AttachPolicy && !outdated(err) {
				unattached(ctx, api, plan.Role, result)
			}
			return step, err
		}
		result.Done = append(result.Done, step)
		result.Created = result.Created || step.Kind == CreateRole
	}
	return Step{}, nil
}

// pauses grow from one to the next and have an end.
type pauses struct{ last, sum time.Duration }

// next waits; false means that there is no more time.
func (p *pauses) next(ctx context.Context) bool {
	p.last = min(max(firstPause, 2*p.last), longPause)
	p.sum += p.last
	if p.sum > patience {
		return false
	}
	return interrupt.Sleep(ctx, p.last) == nil
}

// apply does one step: one IAM request, safe to repeat.
func apply(ctx context.Context, api Writer, r Role, s Step) error {
	name := aws.String(r.Name)
	var err error
	switch s.Kind {
	case CreateRole:
		err = create(ctx, api, r, s)
	case PutBoundary:
		_, err = api.PutRolePermissionsBoundary(ctx, &awsiam.PutRolePermissionsBoundaryInput{
			RoleName: name, PermissionsBoundary: aws.String(s.PolicyARN),
		})
	case UpdateTrust:
		_, err = api.UpdateAssumeRolePolicy(ctx, &awsiam.UpdateAssumeRolePolicyInput{
			RoleName: name, PolicyDocument: aws.String(s.Document.JSON()),
		})
	case PutPolicy:
		_, err = api.PutRolePolicy(ctx, &awsiam.PutRolePolicyInput{
			RoleName: name, PolicyName: aws.String(s.PolicyName), PolicyDocument: aws.String(s.Document.JSON()),
		})
	case AttachPolicy:
		_, err = api.AttachRolePolicy(ctx, &awsiam.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String(s.PolicyARN)})
	case DetachPolicy, DeletePolicy:
		if err = drop(ctx, api, name, s); awserr.Missing(err) {
			err = nil
		}
	case TagRole:
		_, err = api.TagRole(ctx, &awsiam.TagRoleInput{RoleName: name, Tags: toTags(s.Tags)})
	default:
		err = fmt.Errorf("step %q is not known", s.Kind)
	}
	return namePolicy(err, s)
}

// policyDropper is what taking a policy off a role takes.
type policyDropper interface {
	DeleteRolePolicy(context.Context, *awsiam.DeleteRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *awsiam.DetachRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DetachRolePolicyOutput, error)
}

// drop takes a policy off a role, by a step of the kind DetachPolicy or DeletePolicy.
func drop(ctx context.Context, api policyDropper, role *string, s Step) (err error) {
	if s.Kind == DetachPolicy {
		_, err = api.DetachRolePolicy(ctx, &awsiam.DetachRolePolicyInput{RoleName: role, PolicyArn: aws.String(s.PolicyARN)})
	} else {
		_, err = api.DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: role, PolicyName: aws.String(s.PolicyName)})
	}
	return err
}

func create(ctx context.Context, api Writer, r Role, s Step) error {
	in := &awsiam.CreateRoleInput{
		RoleName:                 aws.String(r.Name),
		Path:                     aws.String(r.Path),
		Description:              aws.String(r.Description),
		AssumeRolePolicyDocument: aws.String(s.Document.JSON()),
		Tags:                     toTags(s.Tags),
	}
	if s.PolicyARN != "" {
		in.PermissionsBoundary = aws.String(s.PolicyARN)
	}
	_, err := api.CreateRole(ctx, in)
	return err
}
