package olm

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
)

// PassingQuiet is how long what OLM gets over by itself is not told.
const PassingQuiet = 30 * time.Second

// Progress is how far OLM is with what a Subscription asks for.
type Progress int

// From good to bad.
const (
	Installed Progress = iota
	OnItsWay
	Doubtful // OLM tries again, and may succeed
	Stuck    // somebody has to do something
)

// Judgement is how far OLM is, for every command that reports it.
type Judgement struct {
	Progress
	What      string // the object that something is wrong with, and its phase
	Why, Next string
	Waits     bool // for the approval of the InstallPlan
	Upgrade   bool // what is installed works, and nothing newer can be installed
}

// Judge judges what OLM has made of a Subscription. csv is the version that it says is
// installed, plan the InstallPlan of the one that it wants; nil if there is none. An upgrade
// that waits for approval is nobody's trouble: who approves by hand has pinned the version.
func Judge(s, csv *unstructured.Unstructured, plan *InstallPlan, now time.Time) Judgement {
	is := InstallOf(s)
	trouble, troubled := TroubleOf(s)
	if trouble.Passing && now.Sub(trouble.Since) < PassingQuiet {
		troubled = false
	}
	judged := Judgement{Progress: Doubtful, Why: trouble.Why, Next: trouble.Next}
	switch {
	case is.Installed == "" && troubled:
		if trouble.Hopeless {
			judged.Progress = Stuck
		}
		return judged
	case is.Installed == "":
		return JudgeFirst(is, plan)
	}
	if version := judgeInstalled(s, csv, now); !troubled || version.Progress >= Doubtful {
		return version
	}
	judged.Upgrade = true
	return judged
}

// judgeInstalled judges the version that a Subscription says is installed.
func judgeInstalled(s, object *unstructured.Unstructured, now time.Time) Judgement {
	if object == nil {
		return Judgement{
			Progress: Stuck, Why: "its ClusterServiceVersion " + InstallOf(s).Installed + " is gone, and OLM does not bring it back",
			Next: advice.Command("oc delete", "subscriptions."+group, s.GetName(), "-n", s.GetNamespace()) +
				"\nthen subscribe again: " + advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(s.GetNamespace())...) + ", if that created the Subscription",
		}
	}
	csv := CSVOf(object)
	if csv.Passing() && now.Sub(csv.Since) < PassingQuiet {
		return underWay(csv)
	}
	return JudgeVersion(csv)
}

func underWay(csv CSV) Judgement {
	why := strings.TrimSuffix(csv.Phase+": "+csv.Message, ": ")
	return Judgement{Progress: OnItsWay, What: csv.Name, Why: why, Next: describe("clusterserviceversions", csv.Name, csv.Namespace)}
}

// JudgeVersion judges a version by its phase; reason and message are OLM's.
func JudgeVersion(csv CSV) Judgement {
	failure, healing := csv.Failure()
	switch {
	case csv.Succeeded():
		return Judgement{Why: "installed"}
	case failure == nil:
		return underWay(csv)
	case healing && csv.Phase != "Failed":
		return Judgement{Progress: Doubtful, What: failure.What, Why: failure.Why, Next: failure.Next}
	}
	return Judgement{Progress: Stuck, What: failure.What, Why: failure.Why, Next: failure.Next}
}

// JudgeFirst judges the first installation for a Subscription by its InstallPlan, nil if
// there is none.
func JudgeFirst(is Install, plan *InstallPlan) Judgement {
	next := describe("subscriptions", is.Subscription.GetName(), is.Subscription.GetNamespace())
	switch {
	case plan == nil && is.Plan != "":
		return Judgement{Progress: Doubtful, Why: "its InstallPlan " + is.Plan + " is gone", Next: next}
	case plan == nil:
		return Judgement{Progress: OnItsWay, Why: "OLM has created no InstallPlan for it yet", Next: next}
	}
	its := "its InstallPlan " + plan.Name
	failure, _ := plan.Failure()
	switch {
	case failure != nil:
		return Judgement{Progress: Stuck, What: failure.What, Why: failure.Why, Next: failure.Next}
	case plan.Phase == "": // to approve it now would make OLM's own write fail
		return Judgement{Progress: OnItsWay, Why: "OLM has not finished writing " + its + " yet"}
	case plan.Approved:
		return Judgement{Progress: OnItsWay, Why: its + " is approved, and not done yet"}
	}
	why := its + " waits for approval"
	if others := plan.Others(is.Current); is.Current != "" && len(others) > 0 {
		why += ", and would also install or upgrade " + joined(others)
	}
	return Judgement{Progress: Stuck, Why: why, Next: plan.ApproveCommand(), Waits: true}
}

// Trouble is what keeps OLM from doing what a Subscription asks.
type Trouble struct {
	Condition string // type of the condition, such as "ResolutionFailed"
	Reason    string // OLM's word, such as "ConstraintsNotSatisfiable"
	Why, Next string

	// Since is when it began; zero if OLM does not say. It notes no time on some
	// conditions: then it is when the status was last changed, or later.
	Since time.Time
	// Hopeless: OLM will not try again before something else changes. Even so it
	// may be a moment old and pass, where a catalog has just come up.
	Hopeless bool
	// Passing: it comes with what OLM does every day, and OLM gets over it.
	Passing bool
}

// TroubleOf reads the conditions of a Subscription, which are true when
// something is wrong; false if nothing is. Of several the hopeless one counts.
// What OLM tries again by itself and what it does not is read from its catalog
// operator (pkg/controller/operators/catalog/operator.go).
func TroubleOf(subscription *unstructured.Unstructured) (Trouble, bool) {
	var found []Trouble
	for _, judge := range []func(*unstructured.Unstructured) (Trouble, bool){unresolved, notUnpacked, planFailed, catalogIll} {
		if trouble, ok := judge(subscription); ok {
			found = append(found, trouble)
		}
	}
	if len(found) == 0 {
		return Trouble{}, false
	}
	hopeless := slices.IndexFunc(found, func(t Trouble) bool { return t.Hopeless })
	return found[max(0, hopeless)], true
}

// raised begins a Trouble from a condition that is true.
func raised(s *unstructured.Unstructured, kind string) (Trouble, bool) {
	c := condition(s, kind)
	if c == nil || c["status"] != "True" {
		return Trouble{}, false
	}
	since := cmp.Or(line(c, "lastTransitionTime"), line(s.Object, "status", "lastUpdated"))
	at, _ := time.Parse(time.RFC3339, since) // what cannot be read is not known
	reason := line(c, "reason")
	why := cmp.Or(said(line(c, "message")), "OLM says "+strings.Trim(kind+" "+reason, " "))
	return Trouble{Condition: kind, Reason: reason, Why: why, Since: at, Next: describe("subscriptions", s.GetName(), s.GetNamespace())}, true
}

// unresolved: OLM found no set of operators that fits. "Not satisfiable" is
// final, unless the catalog is but down; all other errors are tried again.
func unresolved(s *unstructured.Unstructured) (Trouble, bool) {
	trouble, ok := raised(s, "ResolutionFailed")
	if !ok {
		return trouble, false
	}
	catalog, ill := catalogIll(s)
	trouble.Hopeless = trouble.Reason == "ConstraintsNotSatisfiable" && (!ill || catalog.Hopeless)
	if others := blamed(trouble.Why); len(others) > 0 && !slices.Contains(others, s.GetName()) {
		trouble.Why += " (OLM resolves all Subscriptions of a namespace together)"
		trouble.Next = describe("subscriptions", others[0], s.GetNamespace())
	}
	return trouble, true
}

// blamed are the Subscriptions that the resolver's message names: "no operators
// found in package x in the catalog referenced by subscription x, subscription x
// exists".
func blamed(message string) []string {
	var names []string
	for _, match := range regexp.MustCompile(`\bsubscription ([a-z0-9][a-z0-9.-]*)`).FindAllStringSubmatch(message, -1) {
		names = append(names, match[1])
	}
	return names
}

// notUnpacked: the job that reads the bundle's image failed. OLM leaves it at that.
// The same condition says that OLM could not write an InstallPlan to the end, after
// which it makes the next one.
func notUnpacked(s *unstructured.Unstructured) (Trouble, bool) {
	trouble, ok := raised(s, "BundleUnpackFailed")
	if trouble.Reason == "EnsureInstallPlanFailed" {
		trouble.Passing = ok
		return trouble, ok
	}
	trouble.Hopeless = ok
	if ok {
		trouble.Next = listed("jobs,pods", line(s.Object, "spec", "sourceNamespace")) + "\n" + trouble.Next
	}
	return trouble, ok
}

// planFailed: a plan's phase Failed is the end of it.
func planFailed(s *unstructured.Unstructured) (Trouble, bool) {
	trouble, ok := raised(s, "InstallPlanFailed")
	trouble.Hopeless = ok
	if plan := InstallOf(s).Plan; ok && plan != "" {
		trouble.Next = describe("installplans", plan, s.GetNamespace())
	}
	return trouble, ok
}

// catalogIll: a catalog does not answer or is not there. OLM raises it for every
// catalog, not only for the one that is subscribed to, and then leaves the
// message of before, "all available catalogsources are healthy".
func catalogIll(s *unstructured.Unstructured) (Trouble, bool) {
	trouble, ok := raised(s, "CatalogSourcesUnhealthy")
	if !ok {
		return trouble, false
	}
	install := InstallOf(s)
	target := install.SourceNamespace + "/" + install.Source
	trouble.Next = listed("catalogsources."+group+",pods", install.SourceNamespace)
	switch {
	case trouble.Reason == "NoCatalogSourcesFound", strings.Contains(trouble.Why, "targeted catalogsource "+target+" missing"):
		trouble.Hopeless = true
		trouble.Next += "\n" + advice.Command("oc get operatorhub cluster -o yaml")
	case strings.Contains(trouble.Why, "targeted catalogsource"):
	default:
		if sick := sickCatalogs(s); len(sick) > 0 {
			trouble.Why = "not healthy: " + strings.Join(sick, ", ") + ", and OLM resolves with all catalogs at once"
			namespace, name, _ := strings.Cut(sick[0], "/")
			trouble.Next = describe("catalogsources", name, namespace)
		}
	}
	return trouble, true
}

// sickCatalogs are the catalogs that OLM cannot reach, as NAMESPACE/NAME.
func sickCatalogs(s *unstructured.Unstructured) []string {
	var names []string
	for _, one := range health.Maps(s.Object, "status", "catalogHealth") {
		if healthy, _ := one["healthy"].(bool); !healthy {
			names = append(names, line(one, "catalogSourceRef", "namespace")+"/"+line(one, "catalogSourceRef", "name"))
		}
	}
	slices.Sort(names)
	return names
}
