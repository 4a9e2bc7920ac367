package olm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
)

// The catalog that OpenShift has its community operators in
// (redhat-openshift-ecosystem/community-operators-prod).
const (
	Community   = "community-operators"
	Marketplace = "openshift-marketplace"
)

// Offer is what one catalog has of a package.
type Offer struct {
	Package          string
	Catalog          string // name of the CatalogSource
	CatalogNamespace string
	Channel          string   // the channel asked for, or the catalog's default one
	Channels         []string // all the package has here, sorted
	Head             string   // CSV at the channel's head; "" if the catalog lacks the channel
	HeadVersion      string   // without v
	Versions         []string // of the channel, without v, newest first; the head's alone unless Listed
	Listed           bool     // the catalog lists what is in its channels (not all did always)

	csvs map[string]string // names by version: they need not follow the rule
}

// Offers reads from PackageManifests (packages.operators.coreos.com/v1) what the
// catalogs have of a package on a channel; an empty channel is each catalog's
// default one. A catalog that has the package but not the channel is there with
// an empty Head. The best catalog comes first: OpenShift's community operators,
// then the one that has the newest, then by name.
func Offers(manifests []*unstructured.Unstructured, pkg, channel string) []Offer {
	var offers []Offer
	for _, manifest := range manifests {
		if nameOf(manifest) != pkg {
			continue
		}
		offer := offerOf(manifest, pkg, channel)
		// A global catalog's manifests are listed in every namespace.
		if !slices.ContainsFunc(offers, offer.sameCatalog) {
			offers = append(offers, offer)
		}
	}
	slices.SortFunc(offers, better)
	return offers
}

func nameOf(manifest *unstructured.Unstructured) string {
	return cmp.Or(line(manifest.Object, "status", "packageName"), manifest.GetName())
}

func offerOf(manifest *unstructured.Unstructured, pkg, channel string) Offer {
	offer := Offer{
		Package:          pkg,
		Catalog:          line(manifest.Object, "status", "catalogSource"),
		CatalogNamespace: line(manifest.Object, "status", "catalogSourceNamespace"),
		Channel:          channel,
		csvs:             map[string]string{},
	}
	if channel == "" {
		offer.Channel = line(manifest.Object, "status", "defaultChannel")
	}
	for _, one := range health.Maps(manifest.Object, "status", "channels") {
		name := line(one, "name")
		offer.Channels = append(offer.Channels, name)
		if name == offer.Channel {
			offer.read(one)
		}
	}
	slices.Sort(offer.Channels)
	return offer
}

// read takes over what a channel of a PackageManifest says.
func (o *Offer) read(channel map[string]any) {
	o.Head = line(channel, "currentCSV")
	o.HeadVersion = o.add(o.Head, line(channel, "currentCSVDesc", "version"))
	entries := health.Maps(channel, "entries")
	o.Listed = len(entries) > 0
	for _, entry := range entries {
		o.add(line(entry, "name"), line(entry, "version"))
	}
	slices.SortStableFunc(o.Versions, func(a, b string) int { return newer(b, a) })
}

// add notes a version and its CSV. Where the catalog does not tell the version
// it is read from the name.
func (o *Offer) add(csv, version string) string {
	if version = bare(version); version == "" {
		version = versionOf(csv, o.Package)
	}
	if csv == "" || version == "" {
		return version
	}
	if _, known := o.csvs[version]; !known {
		o.csvs[version] = csv
		o.Versions = append(o.Versions, version)
	}
	return version
}

// From is what one catalog offers.
func From(offers []Offer, catalog, namespace string) (Offer, bool) {
	for _, offer := range offers {
		if offer.Catalog == catalog && offer.CatalogNamespace == namespace {
			return offer, true
		}
	}
	return Offer{}, false
}

func (o Offer) sameCatalog(other Offer) bool {
	return o.Catalog == other.Catalog && o.CatalogNamespace == other.CatalogNamespace
}

// where names the catalog as a Subscription does.
func (o Offer) where() string { return o.Catalog + " in " + o.CatalogNamespace }

// newer compares two versions: 1 if a is newer, -1 if b is, 0 if they are one.
// What is no semantic version (semver.org, a leading v aside) is older than all
// that is, and goes by its letters.
func newer(a, b string) int {
	va, errA := parse(a)
	vb, errB := parse(b)
	switch {
	case errA == nil && errB == nil:
		return va.Compare(vb)
	case errA == nil:
		return 1
	case errB == nil:
		return -1
	}
	return cmp.Compare(bare(a), bare(b))
}

// Newer reports whether version a is newer than b; nothing is newer than "" but a
// version.
func Newer(a, b string) bool { return a != "" && (b == "" || newer(a, b) > 0) }

func parse(version string) (*semver.Version, error) { return semver.StrictNewVersion(bare(version)) }

// bare is a version without the v that tags and CSV names put before it.
func bare(version string) string {
	if rest, ok := strings.CutPrefix(version, "v"); ok && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
		return rest
	}
	return version
}

// versionOf is the version in the name of a CSV, PACKAGE.vVERSION,
// "" if the name is not of that form.
func versionOf(csv, pkg string) string {
	rest, ok := strings.CutPrefix(csv, pkg+".")
	if !ok {
		return ""
	}
	return bare(rest)
}
