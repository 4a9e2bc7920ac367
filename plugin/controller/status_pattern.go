package controller

import (
	"context"
	"errors"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Roles gives what reads the roles of the account in a region's partition. An error says
// why they cannot be read.
type Roles func(ctx context.Context, region render.Fact) (iam.Reader, error)

// Pattern is the recorded bucket pattern of the controller that ostoy-s3 manages. Its
// Part says whether the policy of the role has that pattern.
type Pattern struct {
	status.Part
	Recorded string `json:"recorded"`
}

// patternLimit is how long AWS may take: the rest of the report needs nothing of it.
const patternLimit = 15 * time.Second

// lookAtPattern compares the policy of the role with the inventory: two requests to
// AWS, and none where no pattern is recorded.
func (l *statusLook) lookAtPattern(ctx context.Context, roles Roles) Pattern {
	inventory := l.found.Inventory
	arn, err := render.ParseARNOf(inventory.RoleARN, "iam", "role")
	if err != nil || !inventory.Applied() || iam.CheckBucketPattern(inventory.BucketPattern) != nil {
		return Pattern{}
	}
	ctx, cancel := context.WithTimeout(ctx, patternLimit)
	defer cancel()
	p := Pattern{Recorded: inventory.BucketPattern}
	drift, err := patternDrift(ctx, roles, arn, inventory.Region, inventory.BucketPattern)
	switch {
	case err != nil:
		p.Part = part(status.Unknown, "not compared with the policy of the role: "+err.Error(), "")
	case drift != "":
		p.Part = part(status.Warning, drift, "oc ostoy-s3 controller install")
	default:
		p.Part = part(status.OK, "the policy "+iam.PolicyName+" of the role has this pattern", "")
	}
	return p
}

// patternDrift is iam.PatternDrift of a role. Its error is one clause.
func patternDrift(ctx context.Context, roles Roles, arn render.ARN, region, recorded string) (string, error) {
	api, err := roles(ctx, render.Fact{Value: region})
	if err != nil {
		return "", inAClause(err)
	}
	role, err := iam.Glance(ctx, api, arn.Name())
	switch {
	case err != nil:
		return "", inAClause(err)
	case role == nil:
		return "", errors.New("the account of the AWS credentials has no role " + arn.Name())
	case role.ARN != arn.String():
		return "", errors.New("the role " + arn.Name() + " of these AWS credentials is " + role.ARN + ", and not " + arn.String())
	}
	text, err := iam.InlinePolicy(ctx, api, arn.Name(), iam.PolicyName)
	if err != nil && !awserr.Missing(err) {
		return "", inAClause(err)
	}
	return iam.PatternDrift(text, recorded, arn.Account), nil
}

func inAClause(err error) error {
	var told *problem.Error
	if errors.As(err, &told) {
		return errors.New(told.What)
	}
	return err
}
