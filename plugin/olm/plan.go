package olm

import (
	"cmp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// InstallPlan is what OLM would install at once when it is approved
// (operators.coreos.com/v1alpha1).
type InstallPlan struct {
	Object          *unstructured.Unstructured // as it was read, for Approve
	Name, Namespace string
	Phase           string // "RequiresApproval", "Installing", "Complete", "Failed", ...
	Approved        bool
	CSVs            []string // clusterServiceVersionNames
	Reason          string   // of its condition Installed, if that is false
	Message         string   // what OLM says about it, "" for nothing
}

// PlanOf reads an InstallPlan.
func PlanOf(object *unstructured.Unstructured) InstallPlan {
	approved, _, _ := unstructured.NestedBool(object.Object, "spec", "approved")
	csvs, _, _ := unstructured.NestedStringSlice(object.Object, "spec", "clusterServiceVersionNames")
	plan := InstallPlan{
		Object: object,
		Name:   object.GetName(), Namespace: object.GetNamespace(),
		Phase:    line(object.Object, "status", "phase"),
		Approved: approved,
		CSVs:     csvs,
		Message:  said(line(object.Object, "status", "message")),
	}
	if c := condition(object, "Installed"); c != nil && c["status"] == "False" {
		plan.Reason = line(c, "reason")
		if message := said(line(c, "message")); message != "" {
			plan.Message = message
		}
	}
	return plan
}

// requiresApproval is the phase of a plan that does nothing until it is approved.
const requiresApproval = "RequiresApproval"

// Waits reports whether the plan waits for approval. One without a phase does not
// yet: OLM has still to write its status.
func (p InstallPlan) Waits() bool { return p.Phase == requiresApproval && !p.Approved }

// Installing reports whether OLM writes the objects of the plan now.
func (p InstallPlan) Installing() bool {
	return p.Approved && (p.Phase == requiresApproval || p.Phase == "Installing")
}

// PlanFor picks the InstallPlan for a CSV: of those that name it, one that has
// not failed before one that has, then the newest, and of one second's one that
// has a status before one that lacks it. It may name other operators, too: see
// Others.
func PlanFor(plans []*unstructured.Unstructured, csv string) (plan InstallPlan, found bool) {
	for _, object := range plans {
		one := PlanOf(object)
		if slices.Contains(one.CSVs, csv) && (!found || overrides(one, plan) > 0) {
			plan, found = one, true
		}
	}
	return plan, found
}

// overrides is positive if a counts before b. Times are in whole seconds; OLM
// numbers the plans of a namespace as well.
func overrides(a, b InstallPlan) int {
	failed := func(p InstallPlan) int {
		if p.Phase == "Failed" {
			return 1
		}
		return 0
	}
	written := func(p InstallPlan) int { return min(len(p.Phase), 1) }
	generation := func(p InstallPlan) int64 { return health.Number(p.Object.Object, "spec", "generation") }
	return cmp.Or(
		cmp.Compare(failed(b), failed(a)),
		a.Object.GetCreationTimestamp().Compare(b.Object.GetCreationTimestamp().Time),
		cmp.Compare(written(a), written(b)),
		cmp.Compare(generation(a), generation(b)),
		cmp.Compare(a.Name, b.Name),
	)
}

// Others are the CSVs that come with csv when the plan is approved: OLM puts
// what all Subscriptions of a namespace wait for into one plan.
func (p InstallPlan) Others(csv string) []string {
	return slices.DeleteFunc(slices.Clone(p.CSVs), func(one string) bool { return one == csv })
}

// Refuse is why the plan is not approved for csv: it would change other
// operators. It is nil for a plan that names csv alone. The error is a
// *problem.Error of the kind problem.Refused.
func (p InstallPlan) Refuse(csv string) error {
	others := p.Others(csv)
	if len(others) == 0 && len(p.CSVs) > 0 {
		return nil
	}
	why := "it does not name " + csv
	if len(others) > 0 {
		why = "it would install or upgrade more than " + csv + ": " + joined(others)
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "InstallPlan " + p.Name + " in " + p.Namespace + " is not approved",
		Why:  why,
		Next: "if all of that is wanted: " + p.ApproveCommand(),
	}
}

// ApproveCommand approves the plan by hand, with all that it names.
func (p InstallPlan) ApproveCommand() string {
	return advice.MergePatch(map[string]any{"spec": map[string]any{"approved": true}}, "installplans."+group, p.Name, "-n", p.Namespace)
}

// DescribeCommand shows all that OLM noted on the plan.
func (p InstallPlan) DescribeCommand() string { return describe("installplans", p.Name, p.Namespace) }

// Failure is why the plan does not get done, nil if nothing speaks against it;
// that nobody approved it is no failure. healing: OLM tries again by itself, as
// long as the phase is not Failed.
func (p InstallPlan) Failure() (failure *problem.Error, healing bool) {
	if p.Phase == "Complete" || p.Phase != "Failed" && p.Reason == "" {
		return nil, false
	}
	why := p.Message
	if why == "" {
		why = "OLM does not say why"
	}
	failure = &problem.Error{
		Kind: problem.NotReady,
		What: "InstallPlan " + p.Name + " in " + p.Namespace + " could not be done",
		Why:  why,
		Next: describe("installplans", p.Name, p.Namespace),
	}
	if strings.Contains(why, "operator group") { // "no operator group found that is managing this namespace"
		failure.Next = listed("operatorgroups."+group, p.Namespace) + "\n" + failure.Next
	}
	return failure, p.Phase != "Failed"
}
