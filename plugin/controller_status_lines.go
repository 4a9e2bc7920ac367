package plugin

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// mostListed is how many Buckets and errors are told to people; documents have all.
const mostListed = 5

// controllerLines are a report of the controllers for people.
func controllerLines(r *controller.Report, now time.Time) []statusLine {
	var lines []statusLine
	for i, one := range r.Controllers {
		if i > 0 {
			lines = append(lines, statusLine{})
		}
		lines = append(lines, instanceLines(one, now)...)
	}
	if len(r.Controllers) > 1 {
		lines = append(lines, statusLine{})
	}
	lines = append(lines, unprovenLines(r.Unproven)...)
	if r.Overlap.Mark != "" {
		lines = append(lines, statusLine{"together", r.Overlap.Mark, "", r.Overlap.Text})
	}
	for _, one := range r.Waiting {
		lines = append(lines, statusLine{"waiting", one.Mark, one.Namespace + "/" + one.Subscription, "Subscription: " + one.Text})
	}
	if r.Kind.Mark == status.Wrong {
		lines = append(lines, statusLine{"kind", r.Kind.Mark, "", r.Kind.Text})
	}
	lines = append(lines, statusLine{"policy", r.Policy.Mark, operator.PolicyName, r.Policy.Text})
	for _, one := range r.Namespaces {
		lines = append(lines, statusLine{"namespace", one.Mark, one.Namespace, one.Text})
	}
	lines = append(lines, allBucketLines(r.Buckets)...)
	lines = append(lines, reachLines(r.Buckets)...)
	if r.Only != "" {
		lines = append(lines, statusLine{"elsewhere", status.Unknown, "", "only namespace " + r.Only + " was looked into: needs list on deployments.apps in all namespaces"})
	}
	return append(lines, hintLines(controllerHints(r))...)
}

func instanceLines(i controller.Instance, now time.Time) []statusLine {
	lines := []statusLine{{"controller", i.Mark, i.Namespace + "/" + i.Deployment, madeBy(i)}}
	if i.Proof.Mark != "" {
		lines = append(lines, statusLine{text: i.Proof.Text})
	}
	lines = append(lines, versionLines(i)...)
	lines = append(lines,
		statusLine{"role", i.Role.Mark, roleLabel(i.Role.ARN), roleText(i.Role)},
		statusLine{"region", i.Region.Mark, i.Region.Name, i.Region.Text},
		statusLine{label: "watches", name: watched(i.Watches)},
	)
	lines = append(lines, controllerPodLines(i, now)...)
	leader := statusLine{"leader", i.Leader.Mark, i.Leader.Holder, i.Leader.Text}
	if !i.Leader.Renewed.IsZero() {
		leader.text = strings.TrimPrefix(leader.text+", renewed its Lease "+ago(i.Leader.Renewed, now), ", ")
	}
	lines = append(lines, leader, statusLine{"settings", i.Settings.Mark, "", i.Settings.Text})
	for _, flaw := range i.Settings.Flaws {
		lines = append(lines, statusLine{text: "  " + flaw.Setting + ": " + flaw.Why})
	}
	return append(lines, errorLines(i.Errors, now)...)
}

// unprovenLines name the first few Deployments that look like a controller.
func unprovenLines(all []controller.Unproven) []statusLine {
	var lines []statusLine
	for n, one := range all {
		if n == mostListed {
			return append(lines, statusLine{text: fmt.Sprintf("and %d more Deployments that look like a controller", len(all)-mostListed)})
		}
		lines = append(lines, statusLine{"looks like", one.Mark, one.Namespace + "/" + one.Deployment, one.Text})
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
func versionLines(i controller.Instance) []statusLine {
	line := statusLine{label: "version", name: i.Version}
	if line.name == "" {
		line.name, line.text = "unknown", "image "+i.Image
	}
	if i.OLM == nil {
		return []statusLine{line}
	}
	line.mark = i.OLM.Mark
	var words []string
	if i.OLM.Channel != "" {
		words = append(words, "channel "+i.OLM.Channel+" of "+i.OLM.Catalog, "approval "+i.OLM.Approval)
	}
	if i.OLM.State != "" {
		words = append(words, i.OLM.State)
	}
	line.text = strings.Join(words, ", ")
	lines := []statusLine{line}
	if i.OLM.Mark != status.OK {
		lines = append(lines, statusLine{text: i.OLM.Text})
	}
	return append(append(lines, upgradeLines(i.OLM.Upgrade)...), newestLines(*i.OLM)...)
}

// upgradeLines tell what OLM has planned.
func upgradeLines(u *controller.Upgrade) []statusLine {
	if u == nil {
		return nil
	}
	next := statusLine{"upgrade", u.Mark, u.Version, u.Text}
	if u.InstallPlan != "" {
		next.text += " (InstallPlan " + u.InstallPlan + ")"
	}
	if u.Mark == status.OK { // it waits for approval: that is neither good nor bad
		next.mark = ""
		next.text += ": " + u.Hint
	}
	return []statusLine{next}
}

// newestLines tell what the catalog has, where that is neither what is installed
// nor what OLM has planned.
func newestLines(s controller.Subscribed) []statusLine {
	n := s.Newest
	planned := s.Upgrade != nil && n != nil && s.Upgrade.Version == n.Version
	if n == nil || planned || n.Version != "" && n.Version == s.Installed {
		return nil
	}
	line := statusLine{label: "newest", name: n.Version, text: n.Text}
	if n.Version == "" {
		line.name, line.mark = "unknown", n.Mark
		return []statusLine{line}
	}
	if s.Upgrade == nil && n.Hint != "" {
		line.text += "; OLM has planned no upgrade"
	}
	if n.Hint != "" {
		line.text += ": " + n.Hint
	}
	return []statusLine{line}
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

func watched(namespaces []string) string {
	if len(namespaces) == 0 {
		return "all namespaces"
	}
	return strings.Join(namespaces, ", ")
}

// controllerPodLines tell of the Deployment where its pods do not say it all.
func controllerPodLines(i controller.Instance, now time.Time) []statusLine {
	var lines []statusLine
	if i.Workload.Mark != status.OK || len(i.Pods) == 0 {
		lines = append(lines, statusLine{"", i.Workload.Mark, fmt.Sprintf("%d of %d ready", i.Workload.Ready, i.Workload.Want), i.Workload.Text})
	}
	for _, p := range i.Pods {
		words := []string{p.Text}
		if p.Restarts > 0 {
			words = append(words, plural(int64(p.Restarts), "restart"))
		}
		if !p.Since.IsZero() {
			words = append(words, "since "+age(p.Since, now))
		}
		lines = append(lines, statusLine{"", p.Mark, p.Name, strings.Join(words, ", ")})
	}
	if i.PodsSeen.Mark == status.Unknown {
		lines = append(lines, statusLine{"", status.Unknown, "", i.PodsSeen.Text})
	}
	lines[0].label = "pods"
	return lines
}

// errorLines tell what the log complains of, the latest first.
func errorLines(e controller.Errors, now time.Time) []statusLine {
	lines := []statusLine{{"errors", e.Mark, "", e.Text}}
	for n, said := range e.Said {
		if n == mostListed {
			return append(lines, statusLine{text: fmt.Sprintf("  and %d others: -o json has them", len(e.Said)-n)})
		}
		text := "  " + strconv.Itoa(said.Count) + "x " + said.Text
		if len(said.Objects) > 0 {
			text += "   " + few(said.Objects)
		}
		if !said.Last.IsZero() {
			text += "   last " + ago(said.Last, now)
		}
		lines = append(lines, statusLine{text: text})
		if said.Why != "" {
			lines = append(lines, statusLine{text: "     " + said.Why})
		}
	}
	return lines
}

func allBucketLines(b controller.Buckets) []statusLine {
	line := statusLine{"buckets", b.Mark, strconv.Itoa(b.Total), b.Text}
	if b.Mark == status.Unknown {
		line.name = ""
	}
	lines := []statusLine{line}
	for n, one := range b.Of {
		if n == mostListed {
			return append(lines, statusLine{name: fmt.Sprintf("and %d more: -o json has them", len(b.Of)-n)})
		}
		lines = append(lines, statusLine{"", one.Mark, one.Namespace + "/" + one.Name, one.Text})
	}
	return lines
}

// reachLines are the Buckets whose S3 bucket is not their project's.
func reachLines(b controller.Buckets) []statusLine {
	count := len(b.OfOtherProjects)
	if count == 0 {
		return nil
	}
	lines := []statusLine{{"reach", status.Warning, strconv.Itoa(count), "with an S3 bucket that is not their project's: docs/checks/bucket-reach.md"}}
	for n, one := range b.OfOtherProjects {
		if n == mostListed {
			return append(lines, statusLine{name: fmt.Sprintf("and %d more: -o json has them", count-n)})
		}
		lines = append(lines, statusLine{text: "  " + one})
	}
	return lines
}

// controllerHints are the commands that mend what is wrong, each once, a line
// each. Of an error in the log only what is known of its cause.
func controllerHints(r *controller.Report) []string {
	parts := []status.Part{r.Overlap, r.Kind, r.Policy.Part}
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
	var hints []string
	for _, p := range parts {
		if p.Hint == "" || p.Mark != status.Wrong && p.Mark != status.Warning {
			continue
		}
		hints = appendHint(hints, p.Hint)
	}
	return hints
}
