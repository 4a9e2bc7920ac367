package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// olmObjects are those that have OLM install the operator, as they are to be.
func olmObjects(ctx context.Context, p *Plan, role string) ([]*unstructured.Unstructured, error) {
	if err := otherSubscription(p); err != nil {
		return nil, err
	}
	group, err := olm.JudgeGroups(p.found.Groups, p.found.Namespace)
	if err != nil {
		return nil, err
	}
	options := operator.Options{RoleARN: role, Identity: cmp.Or(p.options.Identity, p.found.recordedIdentity())}
	if ours := p.found.Subscription(); ours != nil {
		err = asSubscribed(ctx, p, olm.InstallOf(ours), &options)
	} else {
		err = choose(ctx, p, &options)
	}
	if err != nil {
		return nil, err
	}
	p.Identity = cmp.Or(options.Identity, operator.Subscription)
	options.OperatorGroup = group == "" || slices.ContainsFunc(p.found.Groups, func(g *unstructured.Unstructured) bool {
		return g.GetName() == group && group == operator.GroupName && apply.Ours(g)
	})
	return operator.Objects(p.facts, options)
}

// otherSubscription refuses where somebody has asked OLM for the operator already:
// a second Subscription would be a second controller, or none.
func otherSubscription(p *Plan) error {
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
	return problem.Refuse(what,
		why,
		next+"remove it: "+advice.Command("oc delete subscriptions.operators.coreos.com", one.GetName(), "-n", one.GetNamespace()))
}

// choose picks catalog and version for a first install.
func choose(ctx context.Context, p *Plan, options *operator.Options) error {
	if left := p.found.Versions; len(left) > 0 {
		next := advice.Command("oc ostoy-s3 controller uninstall", advice.ControllerIn(p.found.Namespace)...)
		if name := left[0].GetName(); !p.found.versionOurs(name) {
			next = advice.Command("oc delete clusterserviceversions.operators.coreos.com", name, "-n", p.found.Namespace)
		}
		return problem.Refuse(fmt.Sprintf("%s is in %s without a Subscription", left[0].GetName(), p.found.Namespace),
			"somebody removed the Subscription and not what it had installed; OLM takes on no version that is there already",
			next+"\nthen run the same command again")
	}
	offers, known, err := offers(ctx, p)
	if err != nil {
		return err
	}
	if !known {
		return onTrust(p, options)
	}
	choice, err := olm.Choose(offers, operator.Package, p.options.Version)
	if err != nil {
		return err
	}
	p.Version.CSV = choice.CSV
	p.Notes = append(p.Notes, choice.Notes...)
	options.Catalog, options.CatalogNamespace, options.StartingCSV = choice.Catalog, choice.CatalogNamespace, choice.CSV
	return nil
}

// offers are what the catalogs have. Who may not read them, or whose OLM has no
// package server, does not know.
func offers(ctx context.Context, p *Plan) (offers []olm.Offer, known bool, err error) {
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
	named := metav1.ListOptions{FieldSelector: "metadata.name=" + operator.Package}
	manifests, err := cluster.ListAll(ctx, conn.Dynamic.Resource(kinds.PackageManifest.GVR()), named)
	if err != nil {
		return nil, err
	}
	return olm.Offers(manifests, operator.Package, operator.Channel), nil
}

// onTrust goes by where the operator is on OpenShift, and by the version that the
// user names.
func onTrust(p *Plan, options *operator.Options) error {
	if p.options.Version == "" {
		return problem.Refuse("it is not known which versions of the ACK S3 controller there are",
			"the catalogs cannot be read (packagemanifests.packages.operators.coreos.com)",
			"name one with --version, for example --version 1.13.0\n"+
				"whether the package server of OLM runs: oc get apiservices v1.packages.operators.coreos.com")
	}
	p.Version.CSV = CSVOf(p.options.Version)
	options.Catalog, options.CatalogNamespace, options.StartingCSV = olm.Community, olm.Marketplace, p.Version.CSV
	p.Notes = append(p.Notes, fmt.Sprintf("the catalogs cannot be read: %s of %s is taken on trust", p.Version.CSV, olm.Community))
	return nil
}

// asSubscribed keeps what the Subscription was made with: its catalog and first
// version are history, and not to be changed by a second run.
func asSubscribed(ctx context.Context, p *Plan, is olm.Install, options *operator.Options) error {
	options.Catalog, options.CatalogNamespace, options.StartingCSV = is.Source, is.SourceNamespace, cmp.Or(is.Starting, is.Installed)
	options.Identity = p.found.subscribedIdentity(options.Identity, is.Subscription)
	if is.Installed == "" {
		p.Version.CSV, p.Version.Finishes = options.StartingCSV, true
		return sameVersion(p, p.Version.CSV, "")
	}
	return settle(ctx, p, is)
}

// Versions are the three that a subscribed operator has. OLM plans one version
// after the other, and may have planned none although the catalog has a newer one.
type Versions struct {
	// Installed is the Subscription's installedCSV.
	Installed string `json:"installed"`
	// Planned is its currentCSV, "" where OLM has planned nothing beyond Installed.
	Planned string `json:"planned,omitempty"`
	// Newest is the head of the channel in the catalog, "" where it could not be read.
	Newest string `json:"newest,omitempty"`
	// Catalog is the Subscription's, NAMESPACE/NAME.
	Catalog string `json:"catalog,omitempty"`
}

// Available is the newest version beyond the installed one, "" if there is none.
func (v Versions) Available() string {
	best := ""
	for _, one := range []string{v.Planned, v.Newest} {
		if olm.Newer(one, v.Installed) && (best == "" || olm.Newer(one, best)) {
			best = one
		}
	}
	return best
}

// String says each of the three.
func (v Versions) String() string {
	planned, newest := cmp.Or(v.Planned, "nothing"), cmp.Or(v.Newest, "(the catalog could not be read)")
	return fmt.Sprintf("installed: %s; planned by OLM: %s; newest in the catalog %s: %s", v.Installed, planned, v.Catalog, newest)
}

// versionsOf are those of a Subscription, with what its own catalog offers.
func versionsOf(is olm.Install, offers []olm.Offer) Versions {
	v := Versions{Installed: VersionOf(is.Installed), Catalog: strings.TrimPrefix(is.SourceNamespace+"/"+is.Source, "/")}
	if is.Pending() {
		v.Planned = VersionOf(is.Current)
	}
	if offer, found := olm.From(offers, is.Source, is.SourceNamespace); found {
		v.Newest = VersionOf(offer.Head)
	}
	return v
}

// settle decides which version there is to be where one is installed already.
func settle(ctx context.Context, p *Plan, is olm.Install) error {
	offers, _, _ := offers(ctx, p) // what OLM has planned is known anyway
	v := versionsOf(is, offers)
	p.Version.Versions, p.Version.CSV, p.Version.Available = &v, is.Installed, v.Available()
	if p.Version.Available != "" {
		p.Notes = append(p.Notes, v.String())
	}
	if !p.options.Upgrade {
		return sameVersion(p, is.Installed, p.Version.Available)
	}
	target, err := target(p, is, v, offers)
	if err != nil {
		return err
	}
	switch {
	case target != is.Installed:
		p.Version.From, p.Version.CSV = v.Installed, target
	case v.Newest != v.Installed && p.Version.Available == "": // unknown, or older
		p.Notes = append(p.Notes, v.String())
	case p.Version.Available == "":
		p.Notes = append(p.Notes, fmt.Sprintf("%s is the newest version in the catalog %s", v.Installed, v.Catalog))
	}
	if !olm.Newer(p.Version.Available, VersionOf(target)) {
		p.Version.Available = ""
	}
	return nil
}

// target is the CSV that an upgrade ends at: the newest, or the version that was
// asked for.
func target(p *Plan, is olm.Install, v Versions, offers []olm.Offer) (string, error) {
	if p.options.Version == "" {
		if available := v.Available(); available != "" {
			return CSVOf(available), nil
		}
		return is.Installed, nil
	}
	target := CSVOf(p.options.Version)
	offer, found := olm.From(offers, is.Source, is.SourceNamespace)
	if found && offer.Listed {
		csv, err := offer.Find(p.options.Version)
		if err != nil {
			return "", err
		}
		target = csv
	}
	if target != is.Installed && !olm.Newer(VersionOf(target), v.Installed) {
		return "", problem.Refuse(fmt.Sprintf("--version %s is older than %s, which is installed", p.options.Version, v.Installed),
			"OLM only goes from a version to a newer one",
			"leave out --version; or "+startAt(p))
	}
	return target, nil
}

// sameVersion refuses a version that was asked for and is not the installed one,
// or the one that is being installed.
func sameVersion(p *Plan, csv, available string) error {
	if p.options.Version == "" || CSVOf(p.options.Version) == csv {
		return nil
	}
	next := "leave out --version; or " + startAt(p)
	if available != "" && !olm.Newer(VersionOf(CSVOf(p.options.Version)), available) {
		next = "add --upgrade, which goes on version after version to the one you name if it is newer; or " + next
	}
	return problem.Refuse(fmt.Sprintf("--version %s is not the version that the Subscription has installed, or is installing", p.options.Version),
		fmt.Sprintf("that is %s; a Subscription starts at a version once, and OLM goes on from there as its channel says", csv),
		next)
}

// startAt says how to have another version than the one that there is. The role goes with
// the controller, and the next one is a new one, for the same buckets.
func startAt(p *Plan) string {
	in := advice.ControllerIn(p.found.Namespace)
	pattern := cmp.Or(p.options.Role.BucketPattern, onRecord(p).BucketPattern, iam.OwnBucketPattern)
	return "start at that version:\n" + advice.Command("oc ostoy-s3 controller uninstall", in...) + "\n" +
		advice.Command("oc ostoy-s3 controller install", append(in, "--bucket-pattern", pattern, "--version", p.options.Version)...)
}

// catalogsUnknown reports whether the answer to a question for packagemanifests says
// nothing about the catalogs: there is no package server, it is down, or the user may
// not ask. The API server answers 503 for an aggregated API whose server is down, and
// 504 for one that does not answer.
func catalogsUnknown(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsTimeout(err)
}
