package controller

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// TestStatusNewest: what the catalog has is not what OLM has planned.
func TestStatusNewest(t *testing.T) {
	const manifests = "/apis/packages.operators.coreos.com/v1/packagemanifests"
	p, _ := good(t)
	p.objects[manifests] = nil
	p.catalog("1.14.0")
	i := one(t, p.look())
	is(t, "newest", i.OLM.Newest.Part, report.OK, "in the catalog", "oc ostoy-s3 controller install --upgrade")
	if i.OLM.Newest.Version != "1.14.0" || i.OLM.Upgrade != nil || i.OLM.Installed != "1.13.0" || i.Mark != report.OK {
		t.Errorf("%+v", i.OLM)
	}
	p.objects[manifests] = nil
	p.list(manifests)
	i = one(t, p.look())
	is(t, "newest", i.OLM.Newest.Part, report.Unknown, "the catalog could not be read")
	if i.OLM.Newest.Version != "" || i.Mark != report.OK {
		t.Errorf("%+v", i.OLM)
	}
}

// TestStatusPassing: what comes with every upgrade is no warning at first.
func TestStatusPassing(t *testing.T) {
	const owned = `requirementStatus: [{kind: ServiceAccount, name: a, status: PresentNotSatisfied, message: Service account is owned by another ClusterServiceVersion}]`
	for since, mark := range map[string]report.Mark{"11:59:50": report.Busy, "11:59:10": report.Warning} {
		p, s := good(t)
		p.version(s.namespace, "1.13.0", `{phase: Pending, reason: RequirementsNotMet, message: one or more, lastTransitionTime: "2026-01-02T`+since+`Z", `+owned+`}`)
		is(t, "since "+since, one(t, p.look()).OLM.Part, mark)

		p, s = good(t)
		p.objects[subscriptionsPath] = nil
		p.subscription(s.namespace, `{installedCSV: ack-s3-controller.v1.13.0, currentCSV: ack-s3-controller.v1.13.0, conditions: [`+
			`{type: BundleUnpackFailed, status: "True", reason: EnsureInstallPlanFailed, message: "error ensuring InstallPlan: x", lastTransitionTime: "2026-01-02T`+since+`Z"}]}`)
		if mark == report.Busy {
			mark = report.OK // the version itself is installed
		}
		is(t, "the plan since "+since, one(t, p.look()).OLM.Part, mark)
	}
}
