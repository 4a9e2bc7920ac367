package olm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
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
		plan.Message = cmp.Or(said(line(c, "message")), plan.Message)
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
	return problem.Refuse("InstallPlan "+p.Name+" in "+p.Namespace+" is not approved",
		why,
		"if all of that is wanted: "+p.ApproveCommand())
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
	why := cmp.Or(p.Message, "OLM does not say why")
	what := "InstallPlan " + p.Name + " in " + p.Namespace + " could not be done"
	failure = &problem.Error{Kind: problem.NotReady, What: what, Why: why, Next: p.DescribeCommand()}
	if strings.Contains(why, "operator group") { // "no operator group found that is managing this namespace"
		failure.Next = listed("operatorgroups."+group, p.Namespace) + "\n" + failure.Next
	}
	return failure, p.Phase != "Failed"
}

// approveTries is how often a plan is read again because it was written to in
// between.
const approveTries = 5

// Approve approves one InstallPlan that waits for approval, as it was looked at:
// the patch carries the resourceVersion. It reports whether the plan is approved
// now, by whomever.
//
// A plan in another phase than RequiresApproval is not touched. OLM's catalog
// operator creates a plan and then updates its status with the resourceVersion of
// that creation (createInstallPlan). A write in between makes the update conflict:
// OLM leaves a plan without status behind, which it never carries out, and
// creates another one.
//
// If the plan has been written to since it was looked at, it is read again and
// judged again. If it is then another plan, or names other CSVs, nothing is
// changed and the error is a *problem.Error of the kind problem.Refused. All other
// errors are the server's.
func Approve(ctx context.Context, client dynamic.Interface, plan *unstructured.Unstructured) (bool, error) {
	plans := client.Resource(kinds.InstallPlan.GVR()).Namespace(plan.GetNamespace())
	seen := plan
	for range approveTries {
		now := PlanOf(seen)
		if now.Approved || !now.Waits() {
			return now.Approved, nil
		}
		err := approve(ctx, plans, seen)
		if !apierrors.IsConflict(err) {
			return err == nil, err
		}
		if seen, err = plans.Get(ctx, plan.GetName(), metav1.GetOptions{}); err != nil {
			return false, err
		}
		if seen.GetUID() != plan.GetUID() || !slices.Equal(PlanOf(seen).CSVs, PlanOf(plan).CSVs) {
			return false, changed(plan)
		}
	}
	return false, nil
}

func approve(ctx context.Context, plans dynamic.ResourceInterface, plan *unstructured.Unstructured) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": plan.GetResourceVersion()},
		"spec":     map[string]any{"approved": true},
	})
	if err != nil {
		return fmt.Errorf("approving InstallPlan %s: %w", plan.GetName(), err)
	}
	_, err = plans.Patch(ctx, plan.GetName(), types.MergePatchType, patch, metav1.PatchOptions{FieldManager: render.ManagedBy})
	return err
}

func changed(plan *unstructured.Unstructured) error {
	return problem.Refuse("InstallPlan "+plan.GetName()+" in "+plan.GetNamespace()+" is not approved",
		"it is another plan than the one that was looked at",
		listed("installplans."+group, plan.GetNamespace())+", then run this command again")
}
