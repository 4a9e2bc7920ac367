package check

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apierr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// Rules is how the checks find out what the rules of the cluster and of the project say.
type Rules struct {
	World *live.World
	// Judge asks the API server, which persists nothing, whether it accepts the objects
	// and the pods that the Deployments create. Nil: it is not to be asked.
	Judge func(context.Context) (Verdict, error)
}

// Verdict is what the API server says of the objects and of their pods.
type Verdict struct {
	Refused  []*apply.Rejection
	Unjudged []apply.Ref // a webhook of the cluster does not support dry runs
	Pods     []apply.Pod
}

// ruleChecks are the checks of what the rules of the cluster and of the project allow.
func (t Target) ruleChecks() []Check {
	c := clusterLook{t.Rules.World, t.Objects, t.Namespace == NamespaceMissing}
	judged := []string{IDBucketCRD, IDClusterRights}
	checks := []Check{
		{ID: IDStorageClass, Severity: Error, Title: "there is a storage class for the app's volume", Run: c.by(storageClass)},
		{ID: IDNodes, Severity: Error, Title: "a node has the labels that the pods need", Run: c.by(nodes)},
	}
	if t.Namespace != NamespaceMissing {
		checks = append(checks,
			Check{ID: IDQuota, Severity: Error, Title: "the project's quota has room for the app", Run: c.by(quota)},
			Check{ID: IDLimits, Severity: Error, Title: "the project's LimitRanges accept the app's pods and volume", Run: c.by(limitRanges)},
			Check{ID: IDAdmission, Severity: Error, Needs: judged, Title: "the cluster's rules accept the objects and their pods", Run: t.admission},
		)
	}
	return inGroup(Cluster, checks)
}

// admission asks the API server for its verdict. What the checks of quotas and LimitRanges
// say is left to them: they name the quota or LimitRange.
func (t Target) admission(ctx context.Context) Finding {
	if t.Rules.Judge == nil {
		return Leave("the API server is not asked")
	}
	verdict, err := t.Rules.Judge(ctx)
	if err != nil {
		return Fail(err)
	}
	c := clusterLook{World: t.Rules.World, objects: t.Objects}
	groups := groupByRule(verdict, quota(ctx, c).Status, limitRanges(ctx, c).Status)
	found := []Finding{Pass()}
	for _, group := range groups {
		found = append(found, group.finding(t.Rules.World))
	}
	if len(verdict.Unjudged) > 0 {
		found = append(found, Unseen("a webhook that supports dry runs", "whether the cluster's rules accept "+refsNamed(verdict.Unjudged)))
	}
	return worstFirst(append(found, unseenPods(t.Facts.Namespace.Value, verdict.Pods)))
}

func refsNamed(refs []apply.Ref) string {
	names := make([]string, len(refs))
	for n, ref := range refs {
		names[n] = ref.String()
	}
	return strings.Join(names, ", ")
}

// unseenPods says which pods the rules were not asked about.
func unseenPods(namespace string, pods []apply.Pod) Finding {
	var unseen []string
	forbidden := false
	for _, pod := range pods {
		denied := pod.Err != nil && mayNot(pod.Err)
		if pod.Err == nil && pod.Would == nil || denied {
			unseen = append(unseen, pod.Of.String())
			forbidden = forbidden || denied
		}
	}
	switch would := "whether the cluster's rules accept the pods of " + strings.Join(unseen, ", "); {
	case len(unseen) == 0:
		return Pass()
	case forbidden:
		return Unseen("create and patch pods in "+namespace, would)
	default:
		return Unseen("a webhook that supports dry runs", would)
	}
}

// mayNot reports whether an error is that this user may not create a pod.
func mayNot(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && apierr.ReasonOf(status.Status()) == apierr.Permission
}

// refusals are what one rule refuses.
type refusals struct {
	rule, says string
	reason     apierr.Reason
	objects    []string
	onlyPods   bool
	err        error
}

// groupByRule are the refusals of a verdict, those of one rule together, without what the
// checks of quotas and LimitRanges have found.
func groupByRule(verdict Verdict, quotas, ranges Status) []*refusals {
	var groups []*refusals
	add := func(object string, pod bool, refused *apply.Rejection) {
		status := refused.Status()
		reason := apierr.ReasonOf(status)
		if reason == apierr.Quota && quotas == Failed || reason == apierr.Limits && ranges == Failed {
			return
		}
		rule, says := refused.Rule, refused.Says
		at := slices.IndexFunc(groups, func(g *refusals) bool {
			return g.rule == rule && g.reason == reason && (g.says == says || g.says == "" || says == "")
		})
		if at < 0 {
			groups = append(groups, &refusals{rule: rule, reason: reason, onlyPods: true, err: refused})
			at = len(groups) - 1
		}
		group := groups[at]
		if group.says == "" {
			group.says = says
		}
		group.onlyPods = group.onlyPods && pod
		if !slices.Contains(group.objects, object) {
			group.objects = append(group.objects, object)
		}
	}
	for _, refused := range verdict.Refused {
		add(refused.Ref.String(), false, refused)
	}
	for _, pod := range verdict.Pods {
		if refused, is := errors.AsType[*apply.Rejection](pod.Err); is && counts(pod, refused, quotas) {
			add("the pods of "+pod.Of.String(), true, refused)
		}
	}
	return groups
}

// counts reports whether what was said of a pod that was tried holds for the pods that the
// Deployment's controller will create. What is said of its service account does not if
// that one does not exist yet, and what a quota says does not if pods are replaced.
func counts(pod apply.Pod, refused *apply.Rejection, quotas Status) bool {
	text := strings.ToLower(refused.Status().Message)
	switch {
	case strings.Contains(text, "error looking up service account"), apierr.ReasonOf(refused.Status()) == apierr.Permission:
		return false
	case apierr.ReasonOf(refused.Status()) == apierr.Quota:
		return quotas == NotAllowed && pod.New
	}
	about := strings.Contains(text, "security context constraint") || strings.Contains(text, "service account") || strings.Contains(text, "serviceaccount")
	return !pod.Account || !about
}

func (r *refusals) finding(w *live.World) Finding {
	rule, namespace := r.rule, w.Namespace
	if rule == "" {
		rule = "a rule of the cluster"
	}
	what := rule + " refuses what install would create"
	why := strings.Join(r.objects, ", ")
	if r.says != "" {
		why = plain.Said(r.says) + ": " + why
	}
	next := "ask a cluster admin what the rule requires; -f and --set change the objects (docs/values.md)"
	switch r.reason {
	case apierr.WebhookDown:
		what = rule + " does not answer, and install cannot create anything without it"
		next = "ask a cluster admin to repair or remove the webhook, then run the same command again"
	case apierr.PodSecurity:
		next = "revert what -f and --set change in the security settings of the pods, or ask a cluster admin for another level: " +
			advice.Command("oc get namespace", namespace, "-o", "jsonpath={.metadata.labels}")
	case apierr.Quota:
		next = advice.Command("oc describe quota", "-n", namespace) + "\nfree something there, or ask a cluster admin for more"
	case apierr.Limits:
		next = advice.Command("oc describe limitrange", "-n", namespace) + "\n" + next
	case apierr.Policy:
		if add := r.addition(w); add != "" {
			next = add + "\n" + next
		}
	}
	finding := Refuse(what, why, next)
	finding.Err = problem.Refuse(finding.What, finding.Why, finding.Next).Because(r.err)
	return finding
}

// addition is the command that adds the label or annotation that a rule asks for; "" if it
// seems to ask for something else.
func (r *refusals) addition(w *live.World) string {
	text := strings.ToLower(r.says)
	kind := ""
	switch label, note := strings.Index(text, "label"), strings.Index(text, "annotation"); {
	case label >= 0 && (note < 0 || label < note):
		kind = "Labels"
	case note >= 0:
		kind = "Annotations"
	default:
		return ""
	}
	where := "common"
	if r.onlyPods {
		where = "pod"
	}
	key := strings.ReplaceAll(wantedKey(r.says), ".", `\.`)
	return "to add what it asks for: " + installIn(w, "--set", where+kind+"."+key+"=VALUE")
}

// wantedKey is the key of a label or annotation in the text of a rule, KEY if none is
// found. Rules word it in many ways: as an expression, as a path, in quotes, or bare.
func wantedKey(text string) string {
	const key = `([A-Za-z0-9][A-Za-z0-9._/-]*[A-Za-z0-9]|[A-Za-z0-9])`
	for _, form := range []string{
		`(?:labels|annotations)\[['"]` + key + `['"]\]`,
		`['"]` + key + `['"] in (?:\w+\.)*metadata\.\??(?:labels|annotations)`,
		`metadata[./](?:labels|annotations)[./]` + key,
		"(?i)\\b(?:labels?|annotations?)\\b[^'\"`]{0,30}['\"`]" + key + "['\"`]",
		"(?i)['\"`]" + key + "['\"`] (?:labels?|annotations?)\\b",
		`(?i)\b(?:labels?|annotations?):? ` + key,
		`(?i)\b` + key + ` (?:labels?|annotations?)\b`,
	} {
		for _, found := range regexp.MustCompile(form).FindAllStringSubmatch(text, -1) {
			if word := found[1]; len(validation.IsQualifiedName(word)) == 0 && !slices.Contains(noKeys(), strings.ToLower(word)) {
				return word
			}
		}
	}
	return "KEY"
}

// noKeys are words that stand beside "label" in sentences.
func noKeys() []string {
	return strings.Fields(`a an the this that these those its their all any some no not every each required mandatory missing following valid
		certain is are was be must should shall may can has have had needs need and or to for of on in with without by from named called key keys value
		values set defined specified present exist exists provided metadata pod pods object objects resource resources namespace more one two`)
}
