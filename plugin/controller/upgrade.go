package controller

import (
	"context"
	"fmt"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

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
	planned, newest := v.Planned, v.Newest
	if planned == "" {
		planned = "nothing"
	}
	if newest == "" {
		newest = "(the catalog could not be read)"
	}
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
func (p *Plan) settle(ctx context.Context, is olm.Install) error {
	offers, known, err := p.offers(ctx)
	if err != nil || !known { // what OLM has planned is known anyway
		offers = nil
	}
	v := versionsOf(is, offers)
	p.Versions, p.CSV, p.Available = &v, is.Installed, v.Available()
	if p.Available != "" {
		p.Notes = append(p.Notes, v.String())
	}
	if !p.options.Upgrade {
		return p.sameVersion(is.Installed, p.Available)
	}
	target, err := p.target(is, v, offers)
	if err != nil {
		return err
	}
	switch {
	case target != is.Installed:
		p.From, p.CSV = v.Installed, target
	case v.Newest != v.Installed && p.Available == "": // unknown, or older
		p.Notes = append(p.Notes, v.String())
	case p.Available == "":
		p.Notes = append(p.Notes, fmt.Sprintf("%s is the newest version in the catalog %s", v.Installed, v.Catalog))
	}
	if !olm.Newer(p.Available, VersionOf(target)) {
		p.Available = ""
	}
	return nil
}

// target is the CSV that an upgrade ends at: the newest, or the version that was
// asked for.
func (p *Plan) target(is olm.Install, v Versions, offers []olm.Offer) (string, error) {
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
		return "", &problem.Error{
			Kind: problem.Refused,
			What: fmt.Sprintf("--version %s is older than %s, which is installed", p.options.Version, v.Installed),
			Why:  "OLM only goes from a version to a newer one",
			Next: "leave out --version; or oc ostoy-s3 controller uninstall first, and install the version you want",
		}
	}
	return target, nil
}

// sameVersion refuses a version that was asked for and is not the installed one,
// or the one that is being installed.
func (p *Plan) sameVersion(csv, available string) error {
	if p.options.Version == "" || CSVOf(p.options.Version) == csv {
		return nil
	}
	next := "leave out --version; or oc ostoy-s3 controller uninstall first, and install the version you want"
	if available != "" && !olm.Newer(VersionOf(CSVOf(p.options.Version)), available) {
		next = "add --upgrade, which goes on version after version to the one you name if it is newer; or " + next
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("--version %s is not the version that the Subscription has installed, or is installing", p.options.Version),
		Why:  fmt.Sprintf("that is %s; a Subscription starts at a version once, and OLM goes on from there as its channel says", csv),
		Next: next,
	}
}
