package olm

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
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
			Next: advice.Command("oc delete", "subscriptions."+group, s.GetName(), "-n", s.GetNamespace()) + ", then subscribe again",
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
	switch {
	case plan == nil && is.Plan != "":
		return Judgement{
			Progress: Doubtful, Why: "its InstallPlan " + is.Plan + " is gone",
			Next: describe("subscriptions", is.Subscription.GetName(), is.Subscription.GetNamespace()),
		}
	case plan == nil:
		return Judgement{
			Progress: OnItsWay, Why: "OLM has created no InstallPlan for it yet",
			Next: describe("subscriptions", is.Subscription.GetName(), is.Subscription.GetNamespace()),
		}
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
