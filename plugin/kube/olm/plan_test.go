package olm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// plan made in the given second, naming csvs.
func plan(name string, second int, status string, csvs ...string) string {
	return fmt.Sprintf(`
apiVersion: operators.coreos.com/v1alpha1
kind: InstallPlan
metadata: {name: %s, namespace: ack-system, uid: uid-%s, resourceVersion: "7", creationTimestamp: "2026-03-01T10:00:%02dZ"}
spec: {approval: Manual, approved: false, clusterServiceVersionNames: [%s], generation: %d}
status: {catalogSources: [], %s}`, name, name, second, strings.Join(csvs, ", "), second, status)
}

const (
	wanted    = "ack-s3-controller.v1.10.0"
	newest    = "ack-s3-controller.v1.13.0"
	neighbour = "ack-iam-controller.v1.8.1"
)

func TestPlanFor(t *testing.T) {
	for name, c := range map[string]struct {
		plans  []string
		want   string // "" for none
		others []string
	}{
		"none at all":               {nil, "", nil},
		"another version's first":   {[]string{plan("install-a", 1, "phase: RequiresApproval", newest)}, "", nil},
		"the one among others":      {[]string{plan("install-a", 2, "phase: RequiresApproval", newest), plan("install-b", 1, "phase: RequiresApproval", wanted)}, "install-b", nil},
		"the newest of two":         {[]string{plan("install-b", 3, "phase: RequiresApproval", wanted), plan("install-a", 2, "phase: RequiresApproval", wanted)}, "install-b", nil},
		"one that failed is passed": {[]string{plan("install-b", 3, "phase: Failed", wanted), plan("install-a", 2, "phase: RequiresApproval", wanted)}, "install-a", nil},
		"unless there is no other":  {[]string{plan("install-a", 2, "phase: Failed", wanted), plan("install-b", 3, "phase: Failed", wanted)}, "install-b", nil},
		"one without a status":      {[]string{plan("install-z", 1, "phase: ''", wanted), plan("install-a", 1, "phase: RequiresApproval", wanted)}, "install-a", nil},
		"with a neighbour":          {[]string{plan("install-a", 2, "phase: RequiresApproval", neighbour, wanted)}, "install-a", []string{neighbour}},
		"by number in one second":   {[]string{plan("install-z", 1, "phase: RequiresApproval", wanted), strings.Replace(plan("install-a", 1, "phase: RequiresApproval", wanted), "generation: 1", "generation: 2", 1)}, "install-a", nil},
	} {
		in := objects(t, c.plans...)
		for range 2 { // in any order
			got, found := PlanFor(in, wanted)
			if found != (c.want != "") || got.Name != c.want {
				t.Errorf("%s: %v %+v", name, found, got)
			}
			if found && !slices.Equal(got.Others(wanted), c.others) {
				t.Errorf("%s: others %q", name, got.Others(wanted))
			}
			if found && got.Object.GetName() != c.want {
				t.Errorf("%s: its object is %s", name, got.Object.GetName())
			}
			slices.Reverse(in)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	alone := PlanOf(object(t, plan("install-a", 1, "phase: RequiresApproval", wanted)))
	if err := alone.Refuse(wanted); err != nil {
		t.Error(err)
	}
	refusal(t, alone.Refuse(newest), problem.Refused, wanted)
	both := PlanOf(object(t, plan("install-a", 1, "phase: RequiresApproval", neighbour, wanted)))
	refusal(t, both.Refuse(wanted), problem.Refused, "InstallPlan install-a in ack-system", neighbour,
		`oc patch installplans.operators.coreos.com install-a -n ack-system --type=merge -p '{"spec":{"approved":true}}'`)
	refusal(t, PlanOf(object(t, plan("install-a", 1, "phase: ''"))).Refuse(wanted), problem.Refused, "does not name "+wanted)
}

func TestPlanFailure(t *testing.T) {
	for name, c := range map[string]struct {
		status  string
		fails   bool
		healing bool
		words   []string
	}{
		"waits":     {"phase: RequiresApproval", false, false, nil},
		"new":       {"phase: ''", false, false, nil},
		"at work":   {"phase: Installing, message: 'retrying execution due to error: x'", false, false, nil},
		"done":      {"phase: Complete, conditions: [{type: Installed, status: 'True'}]", false, false, nil},
		"failed":    {"phase: Failed, conditions: [{type: Installed, status: 'False', reason: InstallComponentFailed, message: cannot create it}]", true, false, []string{"cannot create it", "oc describe installplans.operators.coreos.com install-a -n ack-system"}},
		"no reason": {"phase: Failed", true, false, []string{"does not say"}},
		"its words": {"phase: Failed, message: timed out", true, false, []string{"timed out"}},
		"no group":  {"phase: Installing, conditions: [{type: Installed, status: 'False', reason: InstallCheckFailed, message: no operator group found that is managing this namespace}]", true, true, []string{"oc get operatorgroups.operators.coreos.com -n ack-system"}},
	} {
		got, healing := PlanOf(object(t, plan("install-a", 1, c.status, wanted))).Failure()
		if (got != nil) != c.fails || healing != c.healing {
			t.Errorf("%s: %v, healing %v", name, got, healing)
			continue
		}
		if got != nil {
			refusal(t, got, problem.NotReady, c.words...)
		}
	}
}
