// Package operator says which objects bring the ACK S3 controller to a cluster:
// for OLM, the objects that have it install the operator; elsewhere, the values
// for ACK's own chart. Both come with the rights that let project admins make
// Buckets.
//
// It is as pure as package render: facts and options in, objects out. It asks no
// cluster, makes no role, and says nothing about what is there already.
package operator

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Names that OLM's bundle and ACK's chart (s3-chart) give.
const (
	// Package is the operator in a catalog, and the Deployment OLM makes of it.
	Package = "ack-s3-controller"
	// Channel is the only one the package has.
	Channel = "alpha"
	// UserConfig is the ConfigMap without which the bundle's pod does not start.
	UserConfig = "ack-s3-user-config"
	// ServiceAccount is the one of bundle and chart alike; its role trusts no other.
	ServiceAccount = render.ControllerAccount
	// DefaultNamespace is the one that ACK's documents and the bundle suggest.
	DefaultNamespace = render.ControllerNamespace
	// Chart is where ACK publishes its Helm chart.
	Chart = "oci://public.ecr.aws/aws-controllers-k8s/s3-chart"
	// Release is the name ACK's documents give the chart's release; the chart's
	// Deployment is <release>-s3-chart.
	Release = "ack-s3-controller"
)

// Names that we give.
const (
	// SubscriptionName is that of our Subscription.
	SubscriptionName = "ack-s3-controller"
	// GroupName is that of our OperatorGroup, in any namespace.
	GroupName = "ack-system"
	// EditRole and ViewRole are the ClusterRoles of Rights.
	EditRole = "ostoy-s3-buckets-edit"
	ViewRole = "ostoy-s3-buckets-view"
)

// Where the pod finds its token: the names and paths of the pod identity webhook
// (pkg/handler/handler.go in its repository), so that the webhook sees its own work done and leaves the pod alone.
const (
	// TokenVolume is the projected volume and its mount.
	TokenVolume = "aws-iam-token"
	// TokenMount is the directory it is mounted at, and TokenFile the token in it.
	TokenMount = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
	TokenFile  = TokenMount + "/token"
)

// Identity is how the controller's pod gets its role.
type Identity string

// The ways a pod gets a role. The service account carries its annotations in both.
const (
	// Subscription has the pod itself carry token volume and AWS_ variables: OLM
	// copies them out of the Subscription into every Deployment it makes, the chart
	// out of its values. No webhook is needed, and no upgrade takes them away.
	Subscription Identity = "subscription"
	// Annotation leaves them to the pod identity webhook, which goes by the service
	// account's annotations. OLM before 0.33 drops those at upgrades.
	Annotation Identity = "annotation"
)

// Options is everything besides the Facts that decides what is made.
type Options struct {
	// RoleARN is the controller's role, arn:PARTITION:iam::ACCOUNT:role/PATH/NAME.
	RoleARN string
	// Identity is how the pod gets the role; "" is Subscription.
	Identity Identity
	// Catalog and CatalogNamespace are the CatalogSource the package comes from,
	// for example community-operators in openshift-marketplace.
	Catalog, CatalogNamespace string
	// StartingCSV is the version to install, for example ack-s3-controller.v1.13.0.
	StartingCSV string
	// OperatorGroup puts one for all namespaces into the set. A namespace must not
	// have two: leave it out where there is one.
	OperatorGroup bool
	// Namespace puts the controller's Namespace into the set.
	Namespace bool
}

// inPod reports whether the pod itself carries what gives it the role.
func (o Options) inPod() bool { return o.Identity == "" || o.Identity == Subscription }

// namespace is the controller's: DefaultNamespace unless the facts name one.
func namespace(f render.Facts) string { return cmp.Or(f.Namespace.Value, DefaultNamespace) }

// audience is what the token is made for. An empty one would be the API server's
// own, which no role trusts.
func audience(f render.Facts) string { return cmp.Or(f.Audience.Value, render.DefaultAudience) }

// Validate checks what OLM's objects and the chart's values both need: a known
// Identity, a namespace that can be one, a region, and a role of the region's
// partition. The error is a *problem.Error.
//
// The namespace is not held to the rules for the app's: there is no bucket named
// after it, and operators may live in namespaces of the cluster.
func Validate(f render.Facts, o Options) error {
	if !o.inPod() && o.Identity != Annotation {
		return problem.Input("identity "+strconv.Quote(string(o.Identity)),
			"the controller's pod gets its role by its Subscription or by an annotation of its service account",
			"give --identity subscription or --identity annotation, or omit it: subscription is the default")
	}
	if err := ValidateNamespace(f); err != nil {
		return err
	}
	if render.PartitionOf(f.Region.Value) == "" {
		return regionError(f.Region)
	}
	return o.validateRole(f.Region.Value)
}

// ValidateNamespace holds the controller's namespace against what a cluster takes:
// an RFC 1123 label. The error is a *problem.Error.
func ValidateNamespace(f render.Facts) error {
	if name := namespace(f); len(validation.IsDNS1123Label(name)) > 0 {
		return problem.Input("namespace "+strconv.Quote(name),
			"a namespace is made of at most 63 lower case letters, digits and hyphens, and begins and ends with a letter or digit",
			"give another with --namespace, or leave it away: "+DefaultNamespace+" is the default")
	}
	return nil
}

func regionError(region render.Fact) error {
	const next = "give one like us-east-2 with --region"
	if region.Known() {
		return problem.Input("region "+strconv.Quote(region.Value), "it is not a region of AWS", next)
	}
	why := "the controller does not start without one"
	if region.Why != "" {
		why += ", and none is known: " + region.Why
	}
	return problem.Input("the controller's region is missing", why, next)
}

// validateRole: a webhook injects what is no ARN as it is, and the
// controller then fails where nobody looks.
func (o Options) validateRole(region string) error {
	if o.RoleARN == "" {
		return problem.Input("the controller's role is missing",
			"without the ARN of an IAM role the controller can make no bucket",
			"give the account, from which the ARN follows, with --account-id")
	}
	arn, err := render.ParseARNOf(o.RoleARN, "iam", "role")
	if err != nil {
		return err
	}
	if partition := render.PartitionOf(region); arn.Partition != partition {
		return problem.Input("role "+o.RoleARN,
			fmt.Sprintf("it is of the partition %s, and the region %s of %s", arn.Partition, region, partition),
			"give a --region of the partition "+arn.Partition+", or a role of "+partition)
	}
	return nil
}

// validateCatalog checks what only OLM's Subscription needs.
func (o Options) validateCatalog() error {
	if o.StartingCSV == "" {
		return problem.Input("the controller's version is missing",
			"the Subscription names the version that OLM is to install, so that it installs no other",
			"give one that the catalog has, for example --version 1.13.0")
	}
	number, ours := strings.CutPrefix(o.StartingCSV, Package+".v")
	if _, err := version.ParseSemantic(number); !ours || err != nil {
		return problem.Input("version "+strconv.Quote(o.StartingCSV),
			"the versions of the package "+Package+" are called "+Package+".v and three numbers",
			"give the three numbers, for example --version 1.13.0").Because(err)
	}
	if o.Catalog == "" || o.CatalogNamespace == "" {
		return problem.Input("the catalog is missing",
			"the Subscription names the CatalogSource, and its namespace, that the package "+Package+" comes from",
			"see which have it: oc get packagemanifests -A")
	}
	return nil
}

// Rights are the ClusterRoles that let everybody who is admin or editor of a
// project make Buckets in it, and viewers see them. OLM makes such roles for the
// CRDs of an operator, Helm does not, and without them a project admin is
// refused. They are of the whole cluster, and there is one pair of them.
//
// Kubernetes adds a role with the label to the one it names:
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
func Rights() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{
		bucketRole(EditRole, []string{"admin", "edit"},
			rule("buckets", "get", "list", "watch", "create", "update", "patch", "delete"),
			rule("buckets/status", "get")),
		bucketRole(ViewRole, []string{"view"}, rule("buckets", "get", "list", "watch")),
	}
}

// ReadRights are what takes the place of Rights on a cluster that cannot check
// Buckets (AdmissionServed): everybody who can see a project sees its Buckets, and
// nobody is allowed to create one because of them.
func ReadRights() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{bucketRole(ViewRole, []string{"admin", "edit", "view"}, rule("buckets", "get", "list", "watch"))}
}

// Access is what gives the projects of a cluster their Buckets: AdmissionPolicy, with
// the controllers that are exempt from it, and Rights; where the cluster does not
// serve the policy, ReadRights alone.
func Access(f render.Facts, served bool, controllers []string) []*unstructured.Unstructured {
	if !served {
		return ReadRights()
	}
	return append(AdmissionPolicy(f, controllers), Rights()...)
}

// bucketRole is a ClusterRole that Kubernetes adds to others.
func bucketRole(name string, to []string, rules ...any) *unstructured.Unstructured {
	role := newObject("rbac.authorization.k8s.io/v1", "ClusterRole", "", name, waveFurniture)
	labels := role.GetLabels()
	for _, other := range to {
		labels["rbac.authorization.k8s.io/aggregate-to-"+other] = "true"
	}
	role.SetLabels(labels)
	role.Object["rules"] = rules
	return role
}

func rule(resource string, verbs ...string) map[string]any {
	allowed := make([]any, 0, len(verbs))
	for _, verb := range verbs {
		allowed = append(allowed, verb)
	}
	return map[string]any{"apiGroups": []any{"s3.services.k8s.aws"}, "resources": []any{resource}, "verbs": allowed}
}
