// Package render is the command controller render: it prints what brings the ACK S3
// controller to a cluster, for GitOps or for an admin who applies it.
package render

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Request is what is to be printed of a controller.
type Request struct {
	Facts    session.Facts
	Role     iam.ControllerOptions
	Version  string
	Identity string
	Values   bool // the values for ACK's chart, also where there is OLM
}

// Run prints to stdout what brings the controller: the objects for OLM, or else the values
// for ACK's chart. Facts that are missing or that cannot be are errors of the input.
func Run(ctx context.Context, s *session.Session, request Request) error {
	found, err := project.CompleteController(ctx, s, request.Facts)
	if err != nil {
		return err
	}
	facts := found.Facts
	// What the role may do is not in the objects: its ARN is.
	var unknown project.Warning
	request.Role.RoleOptions, unknown = project.UsualRole(ctx, found, request.Role.RoleOptions, iam.Controller)
	unknown.Print(s.UI)
	arn, err := iam.ControllerRoleARN(facts, request.Role)
	if err != nil {
		return err
	}
	options := operator.Options{RoleARN: arn, Identity: operator.Identity(request.Identity), OperatorGroup: true, Namespace: true}
	if err := operator.Validate(facts, options); err != nil {
		return err
	}
	if request.Values || !hasOLM(facts) {
		return printValues(s, facts, options)
	}
	return printOperator(ctx, s, request.Version, facts, options)
}

// hasOLM reports whether a cluster has the Operator Lifecycle Manager: OpenShift
// does, also where only its kind is known and not what it serves.
func hasOLM(f render.Facts) bool {
	openShift := []string{render.PlatformOpenShift, render.PlatformROSAClassic, render.PlatformROSAHCP}
	return slices.Contains(f.APIVersions.Values, "operators.coreos.com/v1alpha1") || slices.Contains(openShift, f.Platform.Value)
}

func printValues(s *session.Session, f render.Facts, options operator.Options) error {
	text, err := yaml.Marshal(operator.ChartValues(f, options))
	if err != nil {
		return fmt.Errorf("write values: %w", err)
	}
	return s.WriteData(fmt.Sprintf(`# Values for ACK's own chart of the S3 controller, as printed by: %s
#
#   %s
#
# The role %s
# is not made by that: %s makes it.
%s%s`, advice.Command("oc ostoy-s3 controller render"), controller.HelmInstall(f, "", "-f", "values.yaml"), options.RoleARN, advice.Command("oc ostoy-s3 controller install"), besideValues(f), text))
}

func printOperator(ctx context.Context, s *session.Session, version string, f render.Facts, options operator.Options) error {
	options.Catalog, options.CatalogNamespace = olm.Community, olm.Marketplace
	options.StartingCSV = controller.CSVOf(version)
	if version == "" {
		choice, err := newest(ctx, s)
		if err != nil {
			return err
		}
		options.Catalog, options.CatalogNamespace, options.StartingCSV = choice.Catalog, choice.CatalogNamespace, choice.CSV
	}
	objects, err := operator.Objects(f, options)
	if err != nil {
		return err
	}
	plans := []string{"installplans.operators.coreos.com"}
	head := fmt.Sprintf(`# The ACK S3 controller by OLM, as printed by: %[4]s
#
# Leave out the OperatorGroup where namespace %[1]s has one already. OLM then
# plans the installation, and waits until somebody approves the InstallPlan that
# names %[2]s, and no other:
#   %[6]s
#   %[7]s
# The role %[3]s
# is not among the objects: %[5]s makes it, and does all of this.
`, f.Namespace.Value, advice.Version(options.StartingCSV), options.RoleARN, advice.Command("oc ostoy-s3 controller render"), advice.Command("oc ostoy-s3 controller install"),
		advice.Command("oc get", append(plans, "-n", f.Namespace.Value)...),
		advice.MergePatch(map[string]any{"spec": map[string]any{"approved": true}}, append(plans, "NAME", "-n", f.Namespace.Value)...))
	objects = append(access(f), objects...)
	render.Sort(objects)
	text, err := render.YAML(objects)
	if err != nil {
		return err
	}
	return s.WriteData(head + noPolicy(f) + string(text))
}

// newest asks the cluster's catalogs for the newest version they have.
func newest(ctx context.Context, s *session.Session) (olm.Choice, error) {
	conn, err := s.Connect(ctx)
	if err != nil {
		return olm.Choice{}, err
	}
	offers, err := controller.Offers(ctx, conn)
	if err != nil {
		return olm.Choice{}, problem.Fail("which versions of the controller there are cannot be read from the cluster",
			conn.Translate(err).Error(),
			"name one with --version, for example --version 1.13.0").Because(err)
	}
	return olm.Choose(offers, operator.Package, "")
}

// access are the objects that give projects their Buckets, with the admission
// policy where the cluster serves it. Where that is not known, the policy is among them,
// and the permission to create Buckets is not: a cluster that rejects the policy would
// accept the rest.
func access(f render.Facts) []*unstructured.Unstructured {
	served, exempt := operator.AdmissionServed(f), []string{operator.Account(f)}
	if served == operator.Serves || served == operator.ServesNot {
		return operator.Access(f, served == operator.Serves, exempt)
	}
	return append(operator.AdmissionPolicy(f, exempt), operator.ReadRights()...)
}

// noPolicy is what the head of rendered objects says about the policy.
func noPolicy(f render.Facts) string {
	switch operator.AdmissionServed(f) {
	case operator.Serves:
		return `#
# If the API server does not accept the ValidatingAdmissionPolicy and its binding, do
# not apply the ClusterRoles: without the policy a Bucket can name any S3 bucket.
`
	case operator.ServesNot:
		return `#
# The cluster does not serve ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift
# 4.17), so the ClusterRole gives project admins and editors only read access to Buckets.
`
	}
	return `#
# Whether the cluster serves ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift
# 4.17) is not known, so the ClusterRole gives project admins and editors only read
# access to Buckets. With --kube-version 1.30.0 or later they can create Buckets.
`
}

// besideValues is what the head of the values says about the objects that ACK's chart
// does not create.
func besideValues(f render.Facts) string {
	what := `#
# Neither does the chart create the ValidatingAdmissionPolicy ` + operator.PolicyName + `,
# which keeps a Bucket to the S3 buckets of its own project, its binding, and the
# ClusterRoles for Buckets.`
	if operator.AdmissionServed(f) == operator.ServesNot {
		what = `#
# Neither does the chart create the ClusterRole for Buckets.`
	}
	return what + " " + advice.Command("oc ostoy-s3 controller install") + ` creates them, too.
`
}
