package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// olmObjects are those that have OLM install the operator, as they are to be.
func (p *Plan) olmObjects(ctx context.Context, role string) ([]*unstructured.Unstructured, error) {
	if err := p.otherSubscription(); err != nil {
		return nil, err
	}
	group, err := olm.JudgeGroups(p.found.Groups, p.found.Namespace)
	if err != nil {
		return nil, err
	}
	options := operator.Options{RoleARN: role, Identity: p.options.Identity}
	if options.Identity == "" {
		options.Identity = p.found.recordedIdentity()
	}
	if ours := p.found.Subscription(); ours != nil {
		err = p.asSubscribed(ctx, olm.InstallOf(ours), &options)
	} else {
		err = p.choose(ctx, &options)
	}
	if err != nil {
		return nil, err
	}
	if p.Identity = options.Identity; p.Identity == "" {
		p.Identity = operator.Subscription
	}
	options.OperatorGroup = group == "" || group == operator.GroupName && p.groupIsOurs(group)
	return operator.Objects(p.facts, options)
}

func (p *Plan) groupIsOurs(name string) bool {
	return slices.ContainsFunc(p.found.Groups, func(g *unstructured.Unstructured) bool { return g.GetName() == name && apply.Ours(g) })
}

// otherSubscription refuses where somebody has asked OLM for the operator already:
// a second Subscription would be a second controller, or none.
func (p *Plan) otherSubscription() error {
	others := p.found.otherSubscriptions("")
	if len(others) == 0 || p.found.Subscription() != nil {
		return nil
	}
	one := others[0]
	what := fmt.Sprintf("Subscription %s in %s asks OLM for the ACK S3 controller already, and nothing has come of it", one.GetName(), one.GetNamespace())
	trouble, _ := olm.TroubleOf(one)
	why, next := trouble.Why, trouble.Next
	if plan, found := olm.PlanFor(p.found.Plans, olm.InstallOf(one).Current); why == "" && found && plan.Waits() {
		why = "its InstallPlan " + plan.Name + " waits for somebody to approve it"
		next = plan.ApproveCommand()
	}
	if why == "" {
		why = "it was not made by this tool, and OLM installs an operator once"
	}
	if next != "" {
		next += "; or "
	}
	return &problem.Error{
		Kind: problem.Refused, What: what, Why: why,
		Next: next + "remove it: " + advice.Command("oc delete subscriptions.operators.coreos.com", one.GetName(), "-n", one.GetNamespace()),
	}
}

// choose picks catalog and version for a first install.
func (p *Plan) choose(ctx context.Context, options *operator.Options) error {
	if left := p.found.Versions; len(left) > 0 {
		next := advice.Command("oc ostoy-s3 controller uninstall")
		if name := left[0].GetName(); !p.found.versionOurs(name) {
			next = advice.Command("oc delete clusterserviceversions.operators.coreos.com", name, "-n", p.found.Namespace)
		}
		return &problem.Error{
			Kind: problem.Refused,
			What: fmt.Sprintf("%s is in %s without a Subscription", left[0].GetName(), p.found.Namespace),
			Why:  "somebody removed the Subscription and not what it had installed; OLM takes on no version that is there already",
			Next: next + ", then run the same command again",
		}
	}
	offers, known, err := p.offers(ctx)
	if err != nil {
		return err
	}
	if !known {
		return p.onTrust(options)
	}
	choice, err := olm.Choose(offers, operator.Package, p.options.Version)
	if err != nil {
		return err
	}
	p.CSV = choice.CSV
	p.Notes = append(p.Notes, choice.Notes...)
	options.Catalog, options.CatalogNamespace, options.StartingCSV = choice.Catalog, choice.CatalogNamespace, choice.CSV
	return nil
}

// offers are what the catalogs have. Who may not read them, or whose OLM has no
// package server, does not know.
func (p *Plan) offers(ctx context.Context) (offers []olm.Offer, known bool, err error) {
	offers, err = Offers(ctx, p.found.World.Conn)
	switch {
	case catalogsUnknown(err):
		return nil, false, nil
	case err != nil:
		return nil, false, p.found.World.Conn.Translate(err)
	}
	return offers, true, nil
}

// Offers are the catalogs' of the operator, best first. The error is the server's:
// NotFound where there is no package server.
func Offers(ctx context.Context, conn *cluster.Conn) ([]olm.Offer, error) {
	list, err := conn.Dynamic.Resource(olm.PackageManifests()).
		List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + operator.Package})
	if err != nil {
		return nil, err
	}
	manifests := make([]*unstructured.Unstructured, len(list.Items))
	for i := range list.Items {
		manifests[i] = &list.Items[i]
	}
	return olm.Offers(manifests, operator.Package, operator.Channel), nil
}

// onTrust goes by where the operator is on OpenShift, and by the version that the
// user names.
func (p *Plan) onTrust(options *operator.Options) error {
	if p.options.Version == "" {
		return &problem.Error{
			Kind: problem.Refused,
			What: "it is not known which versions of the ACK S3 controller there are",
			Why:  "the catalogs cannot be read (packagemanifests.packages.operators.coreos.com)",
			Next: "name one with --version, for example --version 1.13.0\n" +
				"whether the package server of OLM runs: oc get apiservices v1.packages.operators.coreos.com",
		}
	}
	p.CSV = CSVOf(p.options.Version)
	options.Catalog, options.CatalogNamespace, options.StartingCSV = olm.Community, olm.Marketplace, p.CSV
	p.Notes = append(p.Notes, fmt.Sprintf("the catalogs cannot be read: %s of %s is taken on trust", p.CSV, olm.Community))
	return nil
}

// asSubscribed keeps what the Subscription was made with: its catalog and first
// version are history, and not to be changed by a second run.
func (p *Plan) asSubscribed(ctx context.Context, is olm.Install, options *operator.Options) error {
	options.Catalog, options.CatalogNamespace, options.StartingCSV = is.Source, is.SourceNamespace, is.Starting
	if options.StartingCSV == "" {
		options.StartingCSV = is.Installed
	}
	options.Identity = p.found.subscribedIdentity(options.Identity, is.Subscription)
	if is.Installed == "" {
		p.CSV, p.Finishes = options.StartingCSV, true
		return p.sameVersion(p.CSV, "")
	}
	return p.settle(ctx, is)
}

// CSVOf is the name of a version's ClusterServiceVersion; names are taken as they
// are.
func CSVOf(version string) string {
	if strings.HasPrefix(version, operator.Package+".") {
		return version
	}
	return versionPrefix + strings.TrimPrefix(version, "v")
}

// VersionOf is the version in the name of a ClusterServiceVersion.
func VersionOf(csv string) string { return strings.TrimPrefix(csv, versionPrefix) }
