package status

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// mostListed is how many Buckets and errors are told to people; documents have all.
const mostListed = 5

// controllerLines are a report of the controllers for people.
func controllerLines(r *controller.Report, now time.Time) []report.Line {
	var lines []report.Line
	for i, one := range r.Controllers {
		if i > 0 {
			lines = append(lines, report.Line{})
		}
		lines = append(lines, instanceLines(one, now)...)
	}
	if len(r.Controllers) > 1 {
		lines = append(lines, report.Line{})
	}
	lines = append(lines, unprovenLines(r.Unproven)...)
	if r.Overlap.Mark != "" {
		lines = append(lines, r.Overlap.Line("together", ""))
	}
	for _, one := range r.Waiting {
		lines = append(lines, report.Line{Label: "waiting", Mark: one.Mark, Name: one.Namespace + "/" + one.Subscription, Text: "Subscription: " + one.Text})
	}
	if r.Kind.Mark == report.Wrong {
		lines = append(lines, r.Kind.Line("kind", ""))
	}
	lines = append(lines, r.Policy.Line("policy", operator.PolicyName))
	for _, one := range r.Namespaces {
		lines = append(lines, one.Line("namespace", one.Namespace))
	}
	lines = append(lines, allBucketLines(r.Buckets)...)
	lines = append(lines, reachLines(r.Buckets)...)
	if r.Only != "" {
		lines = append(lines, report.Line{Label: "elsewhere", Mark: report.Unknown, Text: "only namespace " + r.Only + " was looked into: needs list on deployments.apps in all namespaces"})
	}
	return append(lines, report.Try(parts(r))...)
}

func instanceLines(i controller.Instance, now time.Time) []report.Line {
	lines := []report.Line{{Label: "controller", Mark: i.Mark, Name: i.Namespace + "/" + i.Deployment, Text: madeBy(i)}}
	if i.Proof.Mark != "" {
		lines = append(lines, report.Line{Text: i.Proof.Text})
	}
	lines = append(lines, versionLines(i)...)
	lines = append(lines,
		report.Line{Label: "role", Mark: i.Role.Mark, Name: report.RoleLabel(i.Role.ARN), Text: roleText(i.Role)},
		i.Region.Line("region", i.Region.Name),
		report.Line{Label: "watches", Name: cmp.Or(strings.Join(i.Watches, ", "), "all namespaces")},
	)
	lines = append(lines, controllerPodLines(i, now)...)
	leader := i.Leader.Line("leader", i.Leader.Holder)
	if !i.Leader.Renewed.IsZero() {
		leader.Text = strings.TrimPrefix(leader.Text+", renewed its Lease "+report.Ago(i.Leader.Renewed, now), ", ")
	}
	lines = append(lines, leader, i.Settings.Line("settings", ""))
	for _, flaw := range i.Settings.Flaws {
		lines = append(lines, report.Line{Text: "  " + flaw.Setting + ": " + flaw.Why})
	}
	return append(lines, errorLines(i.Errors, now)...)
}

// unprovenLines name the first few Deployments that look like a controller.
func unprovenLines(all []controller.Unproven) []report.Line {
	var lines []report.Line
	for n, one := range all {
		if n == mostListed {
			return append(lines, report.Line{Text: fmt.Sprintf("and %d more Deployments that look like a controller", len(all)-mostListed)})
		}
		lines = append(lines, one.Line("looks like", one.Namespace+"/"+one.Deployment))
	}
	return lines
}

// madeBy says who installed a controller.
func madeBy(i controller.Instance) string {
	if i.Ours && i.Installer == ack.OLM {
		return "installed by OLM, with oc ostoy-s3"
	}
	if i.Ours {
		return "installed with oc ostoy-s3"
	}
	return "installed by " + i.Installer.By() + ", not managed by ostoy-s3"
}

// versionLines tell the version, where it comes from, and the next one.
func versionLines(i controller.Instance) []report.Line {
	line := report.Line{Label: "version", Name: i.Version}
	if line.Name == "" {
		line.Name, line.Text = "unknown", "image "+i.Image
	}
	if i.OLM == nil {
		return []report.Line{line}
	}
	line.Mark = i.OLM.Mark
	var words []string
	if i.OLM.Channel != "" {
		words = append(words, "channel "+i.OLM.Channel+" of "+i.OLM.Catalog, "approval "+i.OLM.Approval)
	}
	if i.OLM.State != "" {
		words = append(words, i.OLM.State)
	}
	line.Text = strings.Join(words, ", ")
	lines := []report.Line{line}
	if i.OLM.Mark != report.OK {
		lines = append(lines, report.Line{Text: i.OLM.Text})
	}
	return append(append(lines, upgradeLines(i.OLM.Upgrade)...), newestLines(*i.OLM)...)
}

// upgradeLines tell what OLM has planned.
func upgradeLines(u *controller.Upgrade) []report.Line {
	if u == nil {
		return nil
	}
	next := u.Line("upgrade", u.Version)
	if u.InstallPlan != "" {
		next.Text += " (InstallPlan " + u.InstallPlan + ")"
	}
	if u.Mark == report.OK { // it waits for approval: that is neither good nor bad
		next.Mark = ""
		next.Text += ": " + u.Hint
	}
	return []report.Line{next}
}

// newestLines tell what the catalog has, where that is neither what is installed
// nor what OLM has planned.
func newestLines(s controller.Subscribed) []report.Line {
	n := s.Newest
	planned := s.Upgrade != nil && n != nil && s.Upgrade.Version == n.Version
	if n == nil || planned || n.Version != "" && n.Version == s.Installed {
		return nil
	}
	line := report.Line{Label: "newest", Name: n.Version, Text: n.Text}
	if n.Version == "" {
		line.Name, line.Mark = "unknown", n.Mark
		return []report.Line{line}
	}
	if s.Upgrade == nil && n.Hint != "" {
		line.Text += "; OLM has planned no upgrade"
	}
	if n.Hint != "" {
		line.Text += ": " + n.Hint
	}
	return []report.Line{line}
}

func roleText(r controller.Role) string {
	from := map[controller.From]string{
		controller.FromSubscription:         "by its Subscription's config",
		controller.From(ack.FromPod):        "by its pod spec",
		controller.From(ack.FromAnnotation): "by its service account",
		controller.From(ack.FromKeys):       "by access keys",
		controller.From(ack.FromAgent):      "by EKS Pod Identity",
		controller.FromNode:                 "none of its own",
	}[r.From]
	return strings.TrimSuffix(from+", "+r.Text, ", ")
}

// controllerPodLines tell of the Deployment where its pods do not say it all.
func controllerPodLines(i controller.Instance, now time.Time) []report.Line {
	var lines []report.Line
	if i.Workload.Mark != report.OK || len(i.Pods) == 0 {
		lines = append(lines, i.Workload.Line("", fmt.Sprintf("%d of %d ready", i.Workload.Ready, i.Workload.Want)))
	}
	for _, p := range i.Pods {
		words := []string{p.Text}
		if p.Restarts > 0 {
			words = append(words, phrase.Count(int64(p.Restarts), "restart"))
		}
		if !p.Since.IsZero() {
			words = append(words, "since "+report.Age(p.Since, now))
		}
		lines = append(lines, report.Line{Mark: p.Mark, Name: p.Name, Text: strings.Join(words, ", ")})
	}
	if i.PodsSeen.Mark == report.Unknown {
		lines = append(lines, report.Line{Mark: report.Unknown, Text: i.PodsSeen.Text})
	}
	lines[0].Label = "pods"
	return lines
}

// errorLines tell what the log complains of, the latest first.
func errorLines(e controller.Errors, now time.Time) []report.Line {
	lines := []report.Line{e.Line("errors", "")}
	for n, said := range e.Said {
		if n == mostListed {
			return append(lines, report.Line{Text: fmt.Sprintf("  and %d others: -o json has them", len(e.Said)-n)})
		}
		text := "  " + strconv.Itoa(said.Count) + "x " + said.Text
		if len(said.Objects) > 0 {
			text += "   " + phrase.Few(said.Objects)
		}
		if !said.Last.IsZero() {
			text += "   last " + report.Ago(said.Last, now)
		}
		lines = append(lines, report.Line{Text: text})
		if said.Why != "" {
			lines = append(lines, report.Line{Text: "     " + said.Why})
		}
	}
	return lines
}

func allBucketLines(b controller.Buckets) []report.Line {
	line := b.Line("buckets", strconv.Itoa(b.Total))
	if b.Mark == report.Unknown {
		line.Name = ""
	}
	lines := []report.Line{line}
	for n, one := range b.Of {
		if n == mostListed {
			return append(lines, report.Line{Name: fmt.Sprintf("and %d more: -o json has them", len(b.Of)-n)})
		}
		lines = append(lines, one.Line("", one.Namespace+"/"+one.Name))
	}
	return lines
}

// reachLines are the Buckets whose S3 bucket is not their project's.
func reachLines(b controller.Buckets) []report.Line {
	count := len(b.OfOtherProjects)
	if count == 0 {
		return nil
	}
	lines := []report.Line{{Label: "reach", Mark: report.Warning, Name: strconv.Itoa(count), Text: "with an S3 bucket that is not their project's: docs/checks/bucket-reach.md"}}
	for n, one := range b.OfOtherProjects {
		if n == mostListed {
			return append(lines, report.Line{Name: fmt.Sprintf("and %d more: -o json has them", count-n)})
		}
		lines = append(lines, report.Line{Text: "  " + one})
	}
	return lines
}

// parts are all parts of a report in their order, for their hints.
func parts(r *controller.Report) []report.Part {
	parts := []report.Part{r.Overlap, r.Kind, r.Policy.Part}
	for _, one := range r.Namespaces {
		parts = append(parts, one.Part)
	}
	for _, i := range r.Controllers {
		parts = append(parts, i.Role.Part, i.Region.Part, i.Workload.Part)
		for _, p := range i.Pods {
			parts = append(parts, p.Part)
		}
		parts = append(parts, i.Leader.Part, i.Settings.Part, i.Errors.Part)
		if i.OLM != nil {
			parts = append(parts, i.OLM.Part)
			if i.OLM.Upgrade != nil {
				parts = append(parts, i.OLM.Upgrade.Part)
			}
		}
	}
	for _, one := range r.Unproven {
		parts = append(parts, one.Part)
	}
	for _, one := range r.Waiting {
		parts = append(parts, one.Part)
	}
	for _, one := range r.Buckets.Of[:min(len(r.Buckets.Of), mostListed)] {
		parts = append(parts, one.Part)
	}
	return parts
}
