package operator

import "github.com/oc-ostoy-s3/oc-ostoy-s3/render"

// Names that OLM's bundle and ACK's chart give (FACTS 1.6, 1.8).
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
// (FACTS 2.1), so that the webhook sees its own work done and leaves the pod alone.
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
	// account's annotations. OLM before 0.33 drops those at upgrades (FACTS 1.6).
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
func namespace(f render.Facts) string {
	if f.Namespace.Known() {
		return f.Namespace.Value
	}
	return DefaultNamespace
}

// audience is what the token is made for. An empty one would be the API server's
// own, which no role trusts.
func audience(f render.Facts) string {
	if f.Audience.Known() {
		return f.Audience.Value
	}
	return render.DefaultAudience
}
