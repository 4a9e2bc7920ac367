package testbed

import (
	"cmp"
	"context"
	"errors"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go/middleware"
)

// madeAllTheSame lets a test make a role although the answer got lost on its
// way: the SDK asks again and hears that the role is there already. The tool
// has a rule of its own for this; a test that only sets a scene goes on.
func madeAllTheSame(o *iam.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("MadeAllTheSame", findLostRole), middleware.Before)
	})
}

func findLostRole(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleInitialize(ctx, in)
	input, creates := in.Parameters.(*iam.CreateRoleInput)
	attempts, _ := retry.GetAttemptResults(metadata)
	if _, exists := errors.AsType[*types.EntityAlreadyExistsException](err); !exists || !creates || len(attempts.Results) < 2 {
		return out, metadata, err
	}
	path := cmp.Or(awssdk.ToString(input.Path), "/")
	arn := "arn:aws:iam::" + Account + ":role" + path + *input.RoleName
	out.Result = &iam.CreateRoleOutput{Role: &types.Role{RoleName: input.RoleName, Arn: &arn}}
	return out, metadata, nil
}
