package iam

import (
	"context"
	"errors"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Remover is what removing a role takes: it deletes, and looks again where
// another was faster.
type Remover interface {
	Reader
	DeleteRolePolicy(context.Context, *awsiam.DeleteRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error)
	DetachRolePolicy(context.Context, *awsiam.DetachRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DetachRolePolicyOutput, error)
	DeleteRole(context.Context, *awsiam.DeleteRoleInput, ...func(*awsiam.Options)) (*awsiam.DeleteRoleOutput, error)
}

// RemovalOptions says which role is to go, and what leave was given.
type RemovalOptions struct {
	Name string // required; from the inventory's ARN, --role-name, or Found.Name
	Path string // "" takes the role wherever it is
	// PolicyARN is the managed policy that install attached (--policy-arn), or
	// "": any other is somebody else's.
	PolicyARN string
	// Adopt is leave (--adopt-role) to remove a role that is not ours, and
	// policies that others put on it.
	Adopt bool
	// AnyIssuer is leave to go by namespace alone where the facts do not know
	// the issuer: the user saw the role and said yes.
	AnyIssuer bool
}

// Removal is the way from what the role is to its being gone. Without steps
// there is nothing to do. Notes are for the reader.
type Removal struct {
	Name  string
	ARN   string // "" if the role is not there
	Steps []Step
	Notes []string

	input removalInput
}

type removalInput struct {
	facts   render.Facts
	options RemovalOptions
}

// Empty reports whether the role is gone already.
func (r *Removal) Empty() bool { return len(r.Steps) == 0 }

// RemovalPlan lists the steps that remove the role, or none where it is not
// there. It asks nobody. A role that is not ours, or that others put policies
// on, is a *problem.Error of kind Refused without leave; one in another account
// or under another path than the options say is refused always.
func RemovalPlan(actual *Actual, f render.Facts, o RemovalOptions) (*Removal, error) {
	return nil, errors.ErrUnsupported
}

// Remove walks the steps of the plan. What is gone already is no error and not
// in Result.Done: without a delete-role step there, another was faster. Where
// IAM says that something is still on the role, it looks again, plans again and
// goes on, a bounded number of times and no longer than ctx. Errors are
// explained (*problem.Error).
func Remove(ctx context.Context, api Remover, plan *Removal) (Result, error) {
	return Result{}, errors.ErrUnsupported
}
