package olm

import (
	"strings"
	"testing"
	"time"

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

// subscriptionOf has a version installed ("" for none) and conditions that are true.
func subscriptionOf(installed string, conditions ...any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "s", "namespace": "n"},
		"status":   map[string]any{"installedCSV": installed, "currentCSV": "a.v2", "conditions": conditions},
	}}
}

// TestJudge: all commands say the same about a Subscription.
func TestJudge(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	raised := func(kind, reason string, ago time.Duration) any {
		return map[string]any{"type": kind, "status": "True", "reason": reason, "message": "m", "lastTransitionTime": now.Add(-ago).Format(time.RFC3339)}
	}
	hopeless := raised("InstallPlanFailed", "InstallComponentFailed", time.Hour)
	unsure := raised("ResolutionFailed", "ErrorPreventedResolution", time.Hour)
	done := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "a.v1", "namespace": "n"}, "status": map[string]any{"phase": "Succeeded"}}}
	for name, c := range map[string]struct {
		s, csv *unstructured.Unstructured
		want   Progress
		says   string
	}{
		"nothing yet":               {subscriptionOf(""), nil, OnItsWay, "no InstallPlan"},
		"OLM gives up":              {subscriptionOf("", hopeless), nil, Stuck, "m"},
		"OLM tries again":           {subscriptionOf("", unsure), nil, Doubtful, "m"},
		"it passes in a moment":     {subscriptionOf("", raised("BundleUnpackFailed", "EnsureInstallPlanFailed", time.Second)), nil, OnItsWay, "no InstallPlan"},
		"it does not pass":          {subscriptionOf("", raised("BundleUnpackFailed", "EnsureInstallPlanFailed", time.Hour)), nil, Doubtful, "m"},
		"installed":                 {subscriptionOf("a.v1"), done, Installed, "installed"},
		"installed, and no upgrade": {subscriptionOf("a.v1", hopeless), done, Doubtful, "m"},
		"the version is gone":       {subscriptionOf("a.v1"), nil, Stuck, "oc delete subscriptions.operators.coreos.com s -n n"},
		"gone, and no upgrade":      {subscriptionOf("a.v1", hopeless), nil, Stuck, "is gone"},
	} {
		got := Judge(c.s, c.csv, nil, now)
		judged(t, name, got, c.want, c.says)
		if got.Upgrade != (name == "installed, and no upgrade") {
			t.Errorf("%s: %+v", name, got)
		}
	}
	planned := subscriptionOf("")
	planned.Object["status"].(map[string]any)["installPlanRef"] = map[string]any{"name": "install-1"}
	judged(t, "its plan is gone", Judge(planned, nil, nil, now), Doubtful, "InstallPlan install-1 is gone")
	judged(t, "its plan waits", Judge(planned, nil, &InstallPlan{Name: "install-1", Namespace: "n", Phase: "RequiresApproval"}, now), Stuck, "waits for approval")
}
