package olm

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func judged(t *testing.T, name string, got Judgement, want Progress, says string) {
	t.Helper()
	if got.Progress != want || !strings.Contains(got.What+"\n"+got.Why+"\n"+got.Next, says) {
		t.Errorf("%s: %+v, want %d and %q", name, got, want, says)
	}
}

func TestJudgeVersion(t *testing.T) {
	for name, c := range map[string]struct {
		csv  CSV
		want Progress
		says string
	}{
		"done":            {CSV{Phase: "Succeeded", Reason: "InstallSucceeded"}, Installed, "installed"},
		"no group":        {CSV{Phase: "Failed", Reason: "NoOperatorGroup", Message: "none"}, Stuck, "create an OperatorGroup"},
		"two groups":      {CSV{Phase: "Failed", Reason: "TooManyOperatorGroups"}, Stuck, "keep one"},
		"not available":   {CSV{Phase: "Failed", Reason: "InstallCheckFailed", Deployments: []string{"a"}}, Stuck, "oc describe deployment/a"},
		"something lacks": {CSV{Phase: "Pending", Reason: "RequirementsNotMet", Unmet: []string{"a kind"}}, Doubtful, "a kind"},
		"on its way":      {CSV{Name: "x.v1", Namespace: "n", Phase: "Installing", Reason: "InstallWaiting"}, OnItsWay, "oc describe clusterserviceversions.operators.coreos.com x.v1 -n n"},
		"not begun":       {CSV{}, OnItsWay, "oc describe"},
	} {
		judged(t, name, JudgeVersion(c.csv), c.want, c.says)
	}
}

func TestJudgeFirst(t *testing.T) {
	is := Install{Current: "a.v1", Subscription: &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "s", "namespace": "n"}}}}
	judged(t, "without a plan", JudgeFirst(is, nil), OnItsWay, "oc describe subscriptions.operators.coreos.com s -n n")
	plan := &InstallPlan{Name: "install-1", Namespace: "n", CSVs: []string{"a.v1"}}
	judged(t, "without a status", JudgeFirst(is, plan), OnItsWay, "has not finished writing")
	plan.Phase = "RequiresApproval"
	judged(t, "waits", JudgeFirst(is, plan), Stuck, "oc patch installplans.operators.coreos.com install-1 -n n")
	plan.CSVs = []string{"a.v1", "b.v2"}
	judged(t, "waits with another", JudgeFirst(is, plan), Stuck, "would also install or upgrade b.v2")
	if !JudgeFirst(is, plan).Waits {
		t.Error("it does not say that it waits for approval")
	}
	plan.Approved = true
	judged(t, "approved", JudgeFirst(is, plan), OnItsWay, "not done yet")
	plan.Phase, plan.Message = "Failed", "cannot pull"
	judged(t, "failed", JudgeFirst(is, plan), Stuck, "cannot pull")
}
