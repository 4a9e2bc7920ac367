package controller_test

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// wantInOrder: the texts follow each other in what was said.
func wantInOrder(t *testing.T, result run.Result, texts ...string) {
	t.Helper()
	rest := result.Stderr
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("%q is not said in its place:\n%s", text, result.Stderr)
			return
		}
		rest = after
	}
}

// TestUpgradeGoesOn: OLM plans one version after the other, and stops looking after
// each. Every step is approved and shown, up to the newest in the catalog.
func TestUpgradeGoesOn(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.StopLooking(true)
	s.install(t, "--version", "1.9.0")
	eventually(t, "the upgrade waits", s.upgradeWaits)
	s.install(t).WantTalk(t, "nothing to change", "controller 1.13.0 is available: oc ostoy-s3 controller install --upgrade",
		"installed: 1.9.0; planned by OLM: 1.10.0; newest in the catalog openshift-marketplace/community-operators: 1.13.0")

	s.install(t, "--upgrade", "--version", "1.10.0").WantTalk(t, "1.9.0 → 1.10.0, by its InstallPlan", "1.10.0 installed").WantNoTalk(t, "!")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--upgrade", "--version", "1.9.0").WantCode(t, refused).WantTalk(t, "1.9.0 is older than 1.10.0")
	result := s.install(t, "--upgrade")
	result.WantTalk(t, "1.10.0 → 1.13.0, one InstallPlan after another").WantNoTalk(t, "!")
	wantInOrder(t, result, "1.10.0 → 1.11.0 → ...: OLM is installing 1.11.0", "1.10.0 → 1.11.0 → 1.12.2 → ...: OLM is installing 1.12.2",
		"OLM is installing 1.13.0", "1 of 1 available")
	wantInOrder(t, result, "1.13.0 (1.10.0 → 1.11.0 → 1.12.2 → 1.13.0) installed")
	if before, _, _ := strings.Cut(result.Stderr, "OLM is installing 1.13.0"); strings.Contains(before, "available") {
		t.Errorf("a version before the last one is said to be available:\n%s", before)
	}
	if csv := s.csv(t); csv != "ack-s3-controller.v1.13.0" {
		t.Errorf("installed %s", csv)
	}
	s.wantIdentity(t)
	if got := s.phases(t); got["Complete"] != 5 || len(got) != 1 {
		t.Errorf("InstallPlans: %v", got)
	}
	if left := s.object(t, olm("subscriptions"), "ack-s3-controller").GetAnnotations(); left["ostoy-s3/resolve-again"] != "" {
		t.Errorf("annotations are left: %v", left)
	}
	s.install(t).WantTalk(t, "nothing to change").WantNoTalk(t, "available", "Plan")
	s.install(t, "--dry-run=client").WantTalk(t, "nothing to change")
	d := s.status(t)
	if one := d.Controllers[0]; one.OLM.State != "ok" || one.OLM.Upgrade != nil {
		t.Errorf("%+v", one.OLM)
	}
}

// TestNothingPlannedIsNotNewest: OLM has stopped looking after an upgrade that
// somebody approved by hand.
func TestNothingPlannedIsNotNewest(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.StopLooking(true)
	s.install(t, "--version", "1.9.0")
	eventually(t, "the upgrade waits", s.upgradeWaits)
	for _, plan := range s.objects(t, olm("installplans")) {
		s.Admin.Kubectl(t, "-n", namespace, "patch", "installplans.operators.coreos.com", plan.GetName(), "--type=merge", "-p", `{"spec":{"approved":true}}`).WantCode(t, 0)
	}
	eventually(t, "OLM has upgraded", s.installed("ack-s3-controller.v1.10.0"))
	s.install(t).WantTalk(t, "nothing to change", "controller 1.13.0 is available: oc ostoy-s3 controller install --upgrade",
		"installed: 1.10.0; planned by OLM: nothing; newest in the catalog openshift-marketplace/community-operators: 1.13.0")
	told := s.Admin.Run(t, "controller", "status").WantCode(t, done).Stdout
	if !strings.Contains(told, "OLM has planned no upgrade: oc ostoy-s3 controller install --upgrade") {
		t.Errorf("status says\n%s", told)
	}
	s.install(t, "--upgrade", "--version", "1.11.0").WantTalk(t, "1.10.0 → 1.11.0", "1.11.0 installed").WantNoTalk(t, "!")
}
