// Package role shows the IAM role of the app or of the ACK S3 controller: what install
// would change about it, and the role as code; and it prints the policies that people need
// who use this tool. It changes nothing.
package role

import (
	"context"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/rolecode"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Of is whose role is meant.
type Of string

// The roles there are.
const (
	OfApp        Of = "app"
	OfController Of = "controller"
)

// Known reports whether it is one of them.
func (o Of) Known() bool { return o == OfApp || o == OfController }

// Request is which role, and how it is to be.
type Request struct {
	Facts session.Facts
	Of    Of
	Role  iam.ControllerOptions // BucketPattern is for the controller's alone
}

// Render prints the role, as install or controller install would make it, as code to
// stdout. If the facts are given it asks neither the cluster nor AWS. imported is for
// Terraform: the role exists. Facts that are missing, and what no role can have, are errors
// of the input.
func Render(ctx context.Context, s *session.Session, r Request, format rolecode.Format, imported bool) error {
	found, err := r.facts(ctx, s)
	if err != nil {
		return err
	}
	var unknown project.Warning
	r.Role.RoleOptions, unknown = project.UsualRole(ctx, found, r.Role.RoleOptions, r.holder())
	unknown.Print(s.UI)
	role, err := r.desired(found.Facts)
	if err != nil {
		return err
	}
	text, err := rolecode.Print(format, rolecode.Source{Role: role, Facts: found.Facts, Import: imported})
	if err != nil {
		return err
	}
	return s.WriteData(text)
}

// facts are those that the role depends on.
func (r Request) facts(ctx context.Context, s *session.Session) (detect.Result, error) {
	if r.Of == OfController {
		return project.CompleteController(ctx, s, r.Facts)
	}
	return project.Complete(ctx, s, r.Facts, detect.AskNeeded)
}

// holder is whom the role is for.
func (r Request) holder() iam.Holder {
	if r.Of == OfController {
		return iam.Controller
	}
	return iam.App
}

func (r Request) desired(f render.Facts) (iam.Role, error) {
	if r.Of == OfController {
		return iam.DesiredController(f, r.Role)
	}
	return iam.Desired(f, r.Role.RoleOptions)
}

// PolicyRequest is which policy is asked for.
type PolicyRequest struct {
	Facts  session.Facts
	Policy iam.PeopleOptions
}

// Policy prints the policy for a person as JSON. If account and partition are given, and
// for a class the issuer, it asks neither the cluster nor AWS. What the policy cannot be
// made of is an error of the input.
func Policy(ctx context.Context, s *session.Session, r PolicyRequest) error {
	if err := r.Policy.Check(); err != nil {
		return err
	}
	facts, err := policyFacts(ctx, s, r)
	if err != nil {
		return err
	}
	policy, notes, err := iam.PeoplePolicy(facts, r.Policy)
	if err != nil {
		return err
	}
	for _, note := range notes {
		s.UI.Linef("note  %s", plain.InLine(note))
	}
	return s.WriteData(policy.Pretty() + "\n")
}

// policyFacts are the account and its partition, and for a class the issuer.
func policyFacts(ctx context.Context, s *session.Session, r PolicyRequest) (render.Facts, error) {
	f, err := s.Given(ctx, r.Facts)
	if err != nil {
		return f, err
	}
	f.Namespace = render.Fact{} // of a facts file: --project names the projects
	if err := f.Validate(); err != nil {
		return f, err
	}
	if f, err = accountFacts(ctx, f.Complete(), r.Facts.Profile); err != nil {
		return f, err
	}
	if r.Policy.For != iam.ForClass {
		return f, nil
	}
	asked := detect.Request{Given: f, Connect: func() (*cluster.Conn, error) { return s.Connect(ctx) }}
	asked.Given.Namespace = render.Fact{Value: literal(r.Policy.Projects)}
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
		return f, problem.Input("the AWS credentials are of partition "+identity.Partition,
			"the policy is for an account of partition "+f.Partition.Value,
			"choose other credentials with --profile, or give --account-id as well")
	}
	f.Account.Value, f.Partition.Value = identity.Account, identity.Partition
	return f, nil
}
