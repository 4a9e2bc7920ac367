package olm

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// subscription with a status, as OLM's catalog operator writes it.
func subscription(status string) string {
	return `
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-s3-controller, namespace: ack-system}
spec: {channel: alpha, installPlanApproval: Manual, name: ack-s3-controller, source: community-operators, sourceNamespace: openshift-marketplace, startingCSV: ack-s3-controller.v1.10.0}
status: {lastUpdated: "2026-03-01T10:00:00Z", ` + status + "}"
}

func TestInstallOf(t *testing.T) {
	got := InstallOf(object(t, subscription(`state: UpgradePending, installedCSV: ack-s3-controller.v1.10.0, currentCSV: ack-s3-controller.v1.11.0,
  installPlanRef: {apiVersion: operators.coreos.com/v1alpha1, kind: InstallPlan, name: install-x9, namespace: ack-system}`)))
	got.Subscription = nil
	want := Install{
		Installed: "ack-s3-controller.v1.10.0", Current: "ack-s3-controller.v1.11.0", Starting: "ack-s3-controller.v1.10.0",
		Approval: "Manual", Channel: "alpha", Source: "community-operators", SourceNamespace: "openshift-marketplace",
		State: "UpgradePending", Plan: "install-x9",
	}
	if got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	bare := object(t, "apiVersion: operators.coreos.com/v1alpha1\nkind: Subscription\nmetadata: {name: a, namespace: b}\nspec: {name: p}")
	if got := InstallOf(bare); got.Approval != "Automatic" || got.Pending() || got.Plan != "" || Package(bare) != "p" {
		t.Errorf("%+v", got)
	}
}

func TestPending(t *testing.T) {
	for status, want := range map[string]bool{
		"state: AtLatestKnown, installedCSV: a.v1, currentCSV: a.v1":  false,
		"state: UpgradePending, installedCSV: a.v1, currentCSV: a.v2": true,
		"state: UpgradePending, currentCSV: a.v1":                     false, // a first installation
		"state: AtLatestKnown, installedCSV: a.v1":                    false,
		"catalogHealth: []": false,
	} {
		if got := InstallOf(object(t, subscription(status))).Pending(); got != want {
			t.Errorf("%s: %v", status, got)
		}
	}
}

func TestTroubleOf(t *testing.T) {
	const (
		nothing     = "constraints not satisfiable: no operators found in package ack-s3-controller in the catalog referenced by subscription ack-s3-controller, subscription ack-s3-controller exists"
		neighbour   = "constraints not satisfiable: no operators found in package kyverno in the catalog referenced by subscription kyverno, subscription kyverno exists"
		unreachable = "failed to populate resolver cache from source old/openshift-marketplace: failed to list bundles: rpc error: code = Unavailable"
		healthy     = "{type: CatalogSourcesUnhealthy, status: 'False', reason: AllCatalogSourcesHealthy, message: all available catalogsources are healthy, lastTransitionTime: '2026-03-01T09:00:00Z'}"
		down        = "{type: CatalogSourcesUnhealthy, status: 'True', reason: UnhealthyCatalogSourceFound, message: targeted catalogsource openshift-marketplace/community-operators unhealthy, lastTransitionTime: '2026-03-01T09:00:00Z'}"
		gone        = "{type: CatalogSourcesUnhealthy, status: 'True', reason: UnhealthyCatalogSourceFound, message: targeted catalogsource openshift-marketplace/community-operators missing, lastTransitionTime: '2026-03-01T09:00:00Z'}"
		none        = "{type: CatalogSourcesUnhealthy, status: 'True', reason: NoCatalogSourcesFound, message: dependency resolution requires at least one catalogsource}"
		another     = "{type: CatalogSourcesUnhealthy, status: 'True', reason: UnhealthyCatalogSourceFound, message: all available catalogsources are healthy, lastTransitionTime: '2026-03-01T09:00:00Z'}"
		health      = "catalogHealth: [{catalogSourceRef: {name: community-operators, namespace: openshift-marketplace}, healthy: true}, {catalogSourceRef: {name: old, namespace: openshift-marketplace}, healthy: false}], "
	)
	failed := func(reason, message string) string {
		return fmt.Sprintf("{type: ResolutionFailed, status: 'True', reason: %s, message: %q}", reason, message)
	}
	for name, c := range map[string]struct {
		status    string
		condition string // "" for no trouble
		hopeless  bool
		since     string
		words     []string
	}{
		"none":                          {"conditions: [" + healthy + "]", "", false, "", nil},
		"nothing yet":                   {"state: ''", "", false, "", nil},
		"over":                          {"conditions: [{type: ResolutionFailed, status: 'False', message: x}]", "", false, "", nil},
		"no operator":                   {"conditions: [" + healthy + ", " + failed("ConstraintsNotSatisfiable", nothing) + "]", "ResolutionFailed", true, "10:00", []string{"no operators found", "oc describe subscriptions.operators.coreos.com ack-s3-controller -n ack-system"}},
		"a neighbour's":                 {"conditions: [" + failed("ConstraintsNotSatisfiable", neighbour) + "]", "ResolutionFailed", true, "10:00", []string{"kyverno", "all Subscriptions of a namespace together", "oc describe subscriptions.operators.coreos.com kyverno -n ack-system"}},
		"no operator, the catalog down": {"conditions: [" + failed("ConstraintsNotSatisfiable", nothing) + ", " + down + "]", "ResolutionFailed", false, "10:00", []string{"no operators found"}},
		"no operator, the catalog gone": {"conditions: [" + failed("ConstraintsNotSatisfiable", nothing) + ", " + gone + "]", "ResolutionFailed", true, "10:00", nil},
		"tried again":                   {"conditions: [" + failed("ErrorPreventedResolution", unreachable) + "]", "ResolutionFailed", false, "10:00", []string{"code = Unavailable"}},
		"bundle not unpacked":           {"conditions: [{type: BundleUnpackFailed, status: 'True', reason: BundleUnpackFailed, message: 'bundle unpacking failed. Reason: DeadlineExceeded'}]", "BundleUnpackFailed", true, "10:00", []string{"DeadlineExceeded", "oc get jobs,pods -n openshift-marketplace"}},
		"plan not written to its end":   {"conditions: [{type: BundleUnpackFailed, status: 'True', reason: EnsureInstallPlanFailed, message: 'error ensuring InstallPlan: the object has been modified'}]", "BundleUnpackFailed", false, "10:00", []string{"error ensuring InstallPlan", "oc describe subscriptions.operators.coreos.com ack-s3-controller -n ack-system"}},
		"plan failed":                   {"installPlanRef: {name: install-x}, conditions: [{type: InstallPlanFailed, status: 'True', reason: InstallComponentFailed, lastTransitionTime: '2026-03-01T09:30:00Z'}]", "InstallPlanFailed", true, "09:30", []string{"InstallPlanFailed InstallComponentFailed", "oc describe installplans.operators.coreos.com install-x -n ack-system"}},
		"catalog down":                  {"conditions: [" + down + "]", "CatalogSourcesUnhealthy", false, "09:00", []string{"community-operators unhealthy", "oc get catalogsources.operators.coreos.com,pods -n openshift-marketplace"}},
		"catalog gone":                  {"conditions: [" + gone + "]", "CatalogSourcesUnhealthy", true, "09:00", []string{"missing", "oc get operatorhub cluster -o yaml"}},
		"no catalog":                    {"conditions: [" + none + "]", "CatalogSourcesUnhealthy", true, "10:00", []string{"at least one"}},
		"another catalog down":          {health + "conditions: [" + another + "]", "CatalogSourcesUnhealthy", false, "09:00", []string{"not healthy: openshift-marketplace/old", "oc describe catalogsources.operators.coreos.com old -n openshift-marketplace"}},
		"the hopeless goes first":       {"conditions: [" + failed("ErrorPreventedResolution", unreachable) + ", " + gone + "]", "CatalogSourcesUnhealthy", true, "09:00", nil},
	} {
		got, ok := TroubleOf(object(t, subscription(c.status)))
		if ok != (c.condition != "") || got.Condition != c.condition || got.Hopeless != c.hopeless {
			t.Errorf("%s: %v %+v", name, ok, got)
			continue
		}
		if got.Passing != strings.Contains(c.status, "EnsureInstallPlanFailed") {
			t.Errorf("%s: passing %v", name, got.Passing)
		}
		if !ok {
			continue
		}
		if got.Since.Format("15:04") != c.since || got.Why == "" || got.Next == "" {
			t.Errorf("%s: since %s, want %s: %+v", name, got.Since.Format(time.RFC3339), c.since, got)
		}
		for _, word := range c.words {
			if !strings.Contains(got.Why+"\n"+got.Next, word) {
				t.Errorf("%s: %q is not in %s\n%s", name, word, got.Why, got.Next)
			}
		}
	}
}
