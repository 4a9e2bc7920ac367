package plugin

import (
	"context"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// PolicyOptions and PolicyFor say which policy is asked for.
type (
	PolicyOptions = iam.PeopleOptions
	PolicyFor     = iam.PolicyFor
)

// The policies.
const (
	PolicyForInstall    = iam.ForInstall
	PolicyForClass      = iam.ForClass
	PolicyForController = iam.ForController
	PolicyForBoundary   = iam.ForBoundary
)

// PolicyRequest is which policy is asked for.
type PolicyRequest struct {
	Facts  FactsRequest
	Policy PolicyOptions
}

// PolicyNames are the values of --for, in the order in which they are listed.
func PolicyNames() []string {
	var names []string
	for _, policy := range iam.Policies() {
		names = append(names, string(policy))
	}
	return names
}

// IAMPolicy prints the policy for a person as JSON. Where account and partition are
// given, and for a class the issuer, it asks neither the cluster nor AWS.
func (a *App) IAMPolicy(ctx context.Context, request PolicyRequest) error {
	if err := request.Policy.Check(); err != nil {
		return err
	}
	facts, err := a.policyFacts(ctx, request)
	if err != nil {
		return err
	}
	policy, notes, err := iam.PeoplePolicy(facts, request.Policy)
	if err != nil {
		return err
	}
	for _, note := range notes {
		a.UI.Linef("note  %s", inLine(note))
	}
	return a.WriteData(policy.Pretty() + "\n")
}

// policyFacts are the account and its partition, and for a class the issuer.
func (a *App) policyFacts(ctx context.Context, request PolicyRequest) (render.Facts, error) {
	f, err := a.Given(ctx, request.Facts)
	if err != nil {
		return f, err
	}
	f.Namespace = render.Fact{} // of a facts file: --project names the projects
	if err := f.Validate(); err != nil {
		return f, err
	}
	if f, err = accountFacts(ctx, f.Complete(), request.Facts.Profile); err != nil {
		return f, err
	}
	if request.Policy.For != iam.ForClass {
		return f, nil
	}
	asked := detect.Request{Given: f, Connect: a.connector(ctx)}
	asked.Given.Namespace = render.Fact{Value: literal(request.Policy.Projects)}
	if f.Issuer, err = detect.Issuer(ctx, asked); err != nil {
		return f, err
	}
	return f, f.Validate()
}

// literal is the first of the projects that is no pattern, or "".
func literal(projects []string) string {
	for _, project := range projects {
		if render.ValidateNamespace(project) == nil {
			return project
		}
	}
	return ""
}

// accountFacts asks STS for the account where it was not given. For a given account
// the partition is that of the AWS configuration's region.
func accountFacts(ctx context.Context, f render.Facts, profile string) (render.Facts, error) {
	if f.Account.Known() && f.Partition.Known() {
		return f, nil
	}
	config, err := detect.LoadAWS(ctx, detect.AWSOptions{Profile: profile, Region: f.Region.Value})
	if err != nil {
		return f, err
	}
	if f.Account.Known() {
		f.Partition.Value = render.PartitionOf(config.ConfiguredRegion)
		return f, nil
	}
	identity, err := config.Identity(ctx)
	if err != nil {
		return f, err
	}
	if f.Partition.Known() && f.Partition.Value != identity.Partition || !slices.Contains(render.Partitions(), identity.Partition) {
		return f, &render.InputError{
			What: "the AWS credentials are of partition " + identity.Partition,
			Why:  "the policy is for an account of partition " + f.Partition.Value,
			Next: "choose other credentials with --profile, or give --account-id as well",
		}
	}
	f.Account.Value, f.Partition.Value = identity.Account, identity.Partition
	return f, nil
}
