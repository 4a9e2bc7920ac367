package olm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Choice is one version from one catalog.
type Choice struct {
	Offer
	CSV     string   // what startingCSV is to say
	Version string   // without v
	Notes   []string // what else there was, and what could not be made sure of
}

// better orders offers, the better first.
func better(a, b Offer) int {
	return cmp.Or(
		cmp.Compare(a.rank(), b.rank()),
		newer(b.HeadVersion, a.HeadVersion),
		cmp.Compare(a.Catalog, b.Catalog),
		cmp.Compare(a.CatalogNamespace, b.CatalogNamespace),
	)
}

func (o Offer) rank() int {
	switch {
	case o.Head == "":
		return 2
	case o.Catalog == Community && o.CatalogNamespace == Marketplace:
		return 0
	}
	return 1
}

// Choose takes a version of a package from the best catalog that has it; offers
// are as Offers gave them for that package. The version is "1.10.0", "v1.10.0"
// or the name of a CSV; empty is the head of the channel, which is what OLM
// itself would install. Where a catalog does not list its versions, one that is
// not its head's is taken on trust, with a note; catalogs that list it come first.
//
// The errors are of the kind problem.Refused: no catalog has the package, none
// has it on the channel, none has the version.
func Choose(offers []Offer, pkg, version string) (Choice, error) {
	if len(offers) == 0 {
		return Choice{}, absent(pkg)
	}
	offers = slices.SortedFunc(slices.Values(offers), better)
	heads := slices.DeleteFunc(slices.Clone(offers), func(o Offer) bool { return o.Head == "" })
	if len(heads) == 0 {
		return Choice{}, noChannel(offers)
	}
	if version == "" {
		return heads[0].choice(heads[0].Head, heads[0].HeadVersion, heads), nil
	}
	for _, offer := range heads {
		if csv, found, ok := offer.find(version); ok {
			return offer.choice(csv, found, heads), nil
		}
	}
	for _, offer := range heads {
		if !offer.Listed {
			return offer.trust(version, heads), nil
		}
	}
	return Choice{}, noVersion(heads, version)
}

// find looks for a version, by its number or by the name of its CSV.
func (o Offer) find(version string) (csv, found string, ok bool) {
	for _, one := range o.Versions {
		name := o.nameOf(one)
		if name == version || one == bare(version) {
			return name, one, true
		}
	}
	return "", "", false
}

// Find is the CSV of a version that the catalog lists. The error is of the kind
// problem.Refused.
func (o Offer) Find(version string) (string, error) {
	csv, _, ok := o.find(version)
	if !ok {
		return "", noVersion([]Offer{o}, version)
	}
	return csv, nil
}

// nameOf is the CSV of a version: as the catalog says, else in the form of the head's.
func (o Offer) nameOf(version string) string {
	if name := o.csvs[version]; name != "" {
		return name
	}
	if o.HeadVersion != "" && strings.HasSuffix(o.Head, o.HeadVersion) {
		return strings.TrimSuffix(o.Head, o.HeadVersion) + version
	}
	return o.Package + ".v" + version
}

// trust takes a version that the catalog does not list, but may have.
func (o Offer) trust(version string, all []Offer) Choice {
	number := cmp.Or(versionOf(version, o.Package), bare(version))
	choice := o.choice(o.nameOf(number), number, all)
	choice.Notes = slices.Insert(choice.Notes, 0,
		fmt.Sprintf("%s does not list its versions: OLM will tell whether it has %s", o.where(), number))
	return choice
}

// choice joins a version with what the reader may want to know beside it.
func (o Offer) choice(csv, version string, all []Offer) Choice {
	choice := Choice{Offer: o, CSV: csv, Version: version}
	if o.HeadVersion != version && newer(o.HeadVersion, version) > 0 {
		choice.Notes = append(choice.Notes, fmt.Sprintf("%s has %s, which is newer", o.where(), o.HeadVersion))
	}
	for _, other := range all {
		if !other.sameCatalog(o) {
			choice.Notes = append(choice.Notes, fmt.Sprintf("%s offers it as well, up to %s", other.where(), other.HeadVersion))
		}
	}
	return choice
}

func absent(pkg string) error {
	return problem.Refuse("no catalog of this cluster offers the operator "+pkg,
		"the default catalogs may be switched off, or still starting; a cluster without internet has only what was mirrored to it",
		listed("catalogsources."+group, Marketplace)+"\n"+
			listed("packagemanifests", Marketplace)+"\n"+
			advice.Command("oc get operatorhub cluster -o yaml")+"\n"+
			"or do without OLM: install the chart of ACK with Helm, with the values of "+advice.Command("oc ostoy-s3 controller render --values"))
}

func noChannel(offers []Offer) error {
	var has []string
	for _, offer := range offers {
		has = append(has, offer.where()+" has "+someOf(offer.Channels, "no channel at all"))
	}
	return problem.Refuse(fmt.Sprintf("no catalog offers the operator %s on the channel %q", offers[0].Package, offers[0].Channel),
		strings.Join(has, "; "),
		advice.Command("oc get packagemanifests", offers[0].Package, "-n", Marketplace, "-o", "yaml"))
}

func noVersion(offers []Offer, version string) error {
	var has []string
	for _, offer := range offers {
		has = append(has, offer.where()+" has "+someOf(offer.Versions, "no version at all"))
	}
	return problem.Refuse(fmt.Sprintf("no catalog offers %s of the operator %s on the channel %s", plain.Line(version), offers[0].Package, offers[0].Channel),
		strings.Join(has, "; "),
		"name one of these, or none to get the newest: "+advice.Command("--version", advice.Version(offers[0].HeadVersion).Word()))
}

// someOf names the first few of a list, in one line.
func someOf(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return plain.Line(phrase.Few(list))
}

// joined is a list in one line.
func joined(list []string) string { return plain.Line(strings.Join(list, ", ")) }
