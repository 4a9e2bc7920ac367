package controller_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// phases are how many InstallPlans of the namespace are in each phase.
func (s *scene) phases(t *testing.T) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, plan := range s.objects(t, olm("installplans")) {
		phase, _, _ := unstructured.NestedString(plan.Object, "status", "phase")
		all[phase]++
	}
	return all
}

// TestApprovalWaitsForOLM: one InstallPlan is enough, however long OLM takes
// between the creation of a plan and its status, and near the API server as well.
func TestApprovalWaitsForOLM(t *testing.T) {
	t.Parallel()
	s := begin(t)
	var told struct{ Approved []string }
	s.install(t, "-o", "json", "--timeout", "90s").JSON(t, &told)
	if got := s.phases(t); len(told.Approved) != 1 || got["Complete"] != 1 || len(got) != 1 {
		t.Errorf("approved: %v, InstallPlans: %v", told.Approved, got)
	}
}

// TestPlanIsLost: somebody writes to the first InstallPlan before OLM has written
// its status. OLM leaves it as it is and makes another one.
func TestPlanIsLost(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.Overtake(1)
	s.install(t, "--timeout", "90s").WantTalk(t, "1.13.0 installed").WantNoTalk(t, "!")
	if got := s.phases(t); got["Complete"] != 1 || got[""] != 1 {
		t.Errorf("InstallPlans: %v", got)
	}
}
