package olm

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
)

// Install is what a Subscription has come to (operators.coreos.com/v1alpha1).
type Install struct {
	Subscription *unstructured.Unstructured

	Installed string // CSV that is there. OLM writes it as soon as the CSV exists: it need not have succeeded
	Current   string // CSV that OLM is at, or wants next
	Starting  string // CSV that was to be the first

	Approval                         string // "Automatic" or "Manual"
	Channel, Source, SourceNamespace string
	State                            string // "AtLatestKnown", "UpgradePending", "UpgradeAvailable", "UpgradeFailed" or ""
	Plan                             string // name of the latest InstallPlan, in the Subscription's namespace
}

// InstallOf reads a Subscription.
func InstallOf(subscription *unstructured.Unstructured) Install {
	spec := func(field string) string { return line(subscription.Object, "spec", field) }
	status := func(path ...string) string {
		return line(subscription.Object, append([]string{"status"}, path...)...)
	}
	install := Install{
		Subscription: subscription,
		Installed:    status("installedCSV"),
		Current:      status("currentCSV"),
		Starting:     spec("startingCSV"),
		Approval:     spec("installPlanApproval"),
		Channel:      spec("channel"), Source: spec("source"), SourceNamespace: spec("sourceNamespace"),
		State: status("state"),
		Plan:  status("installPlanRef", "name"),
	}
	if install.Approval != "Manual" { // OLM takes all else for Automatic
		install.Approval = "Automatic"
	}
	return install
}

// Pending reports whether an upgrade waits or is under way. A first
// installation is none.
func (i Install) Pending() bool {
	return i.Installed != "" && i.Current != "" && i.Current != i.Installed
}

// Package is the package that a Subscription asks for.
func Package(subscription *unstructured.Unstructured) string {
	return health.Text(subscription.Object, "spec", "name")
}
