// Package apierr says in three parts what it means that an API server refused a request.
// It asks nobody.
package apierr

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
)

// About is what the caller knows of a request that was refused.
type About struct {
	Host      string // of the API server
	What      string // "Secret x could not be applied"; "": the object that the server names
	Namespace string // where it is; "": not known
}

// Reason is why an API server refused, as far as its answer says.
type Reason int

// The reasons.
const (
	Other       Reason = iota
	Terminating        // the namespace is being deleted
	Policy             // a webhook or a policy of the cluster denied it
	WebhookDown        // a webhook that must be asked does not answer
	Quota
	PodSecurity
	LoggedOut
	Permission // RBAC does not allow it
	Limits     // something else forbids it, such as a LimitRange
	Invalid
	Missing
	Conflict
	Busy
)

// ReasonOf reads the reason from an answer.
func ReasonOf(s metav1.Status) Reason {
	says := func(text string) bool { return strings.Contains(s.Message, text) }
	switch {
	case terminating(s):
		return Terminating
	case says("admission webhook"), says("ValidatingAdmissionPolicy"):
		return Policy
	case says("failed calling webhook"):
		return WebhookDown
	case says("exceeded quota"):
		return Quota
	case says("violates PodSecurity"):
		return PodSecurity
	}
	switch s.Reason {
	case metav1.StatusReasonForbidden:
		if says("attempting to grant RBAC permissions") || strings.Contains(Detail(s), " cannot ") {
			return Permission
		}
		return Limits
	case metav1.StatusReasonUnauthorized:
		return LoggedOut
	case metav1.StatusReasonInvalid, metav1.StatusReasonBadRequest:
		return Invalid
	case metav1.StatusReasonNotFound:
		return Missing
	case metav1.StatusReasonConflict, metav1.StatusReasonAlreadyExists:
		return Conflict
	case metav1.StatusReasonTooManyRequests, metav1.StatusReasonServerTimeout, metav1.StatusReasonTimeout,
		metav1.StatusReasonServiceUnavailable, metav1.StatusReasonInternalError:
		return Busy
	}
	return Other
}

func terminating(s metav1.Status) bool {
	return s.Details != nil && slices.ContainsFunc(s.Details.Causes, func(c metav1.StatusCause) bool { return c.Type == core.NamespaceTerminatingCause })
}

// RuleOf names the rule by which a request was refused, as far as the answer says it, and
// what the rule says. The names are those that a cluster admin has given.
func RuleOf(s metav1.Status) (name, says string) {
	text := Detail(s)
	if found := byPolicy.FindStringSubmatch(text); found != nil {
		return "the ValidatingAdmissionPolicy " + found[1] + " (binding " + found[2] + ")", found[3]
	}
	if found := byWebhook.FindStringSubmatch(text); found != nil {
		return "the admission webhook " + found[1], found[2]
	}
	switch ReasonOf(s) {
	case PodSecurity:
		if found := byLevel.FindStringSubmatch(text); found != nil {
			return "the Pod Security level " + found[1] + " of the project", found[2]
		}
		return "the Pod Security level of the project", text
	case Quota:
		if found := byQuota.FindStringSubmatch(text); found != nil {
			return "the quota " + found[1], found[2]
		}
		return "a quota of the project", text
	}
	return "", text
}

// How API servers word a refusal (k8s.io/apiserver, pkg/admission/plugin).
var (
	byPolicy  = regexp.MustCompile(`ValidatingAdmissionPolicy '([^']*)' with binding '([^']*)' denied request:? ?(.*)`)
	byWebhook = regexp.MustCompile(`(?:admission|failed calling) webhook "([^"]*)"(?: denied the request)?:? ?(.*)`)
	byLevel   = regexp.MustCompile(`violates PodSecurity "([^"]*)":? ?(.*)`)
	byQuota   = regexp.MustCompile(`exceeded quota: ([^,]*), (.*)`)
)

// Detail is what an answer says after the name of the object.
func Detail(s metav1.Status) string {
	text := line(s.Message)
	if _, rest, ok := strings.Cut(text, "is forbidden: "); ok {
		return rest
	}
	return text
}

// Rule is the webhook or the policy of the cluster that denied a request, as ReasonOf reads
// it: `admission webhook "x"`; "" if an answer names none.
func Rule(s metav1.Status) string {
	return line(regexp.MustCompile(`(?:admission webhook|ValidatingAdmissionPolicy|failed calling webhook) ["'][^"']+["']`).FindString(s.Message))
}

// Explain says why the API server refused and what helps.
func Explain(s metav1.Status, about About) *problem.Error {
	p := &problem.Error{Kind: problem.Failed, What: cmp.Or(about.What, object(s)), Why: line(s.Message)}
	project := cmp.Or(about.Namespace, "PROJECT")
	switch ReasonOf(s) {
	case Terminating:
		p.Why = strings.TrimSpace("the project "+about.Namespace) + " is being deleted"
		p.Next = "wait until it is deleted (" + advice.Command("oc get project", project) + "), then run the same command again"
	case Policy:
		p.Why = "a rule of this cluster denied it: " + Detail(s)
		p.Next = "ask who runs the cluster what the rule wants"
	case WebhookDown:
		p.Why = "a webhook of this cluster that must be asked does not answer: " + p.Why
		p.Next = "ask who runs the cluster to repair or remove the webhook, then run the same command again"
	case Quota:
		p.Why = "the quota of the project is used up: " + Detail(s)
		p.Next = advice.Command("oc describe quota", "-n", project) + "; free something there, or ask for more"
	case PodSecurity:
		p.Why = "the project's Pod Security level forbids it: " + Detail(s)
		p.Next = advice.Command("oc get namespace", project, "-o", "jsonpath={.metadata.labels}")
	case LoggedOut:
		about.loggedOut(p)
	case Permission, Limits:
		about.forbidden(p, s)
	case Invalid:
		p.Next = "correct what it names, for example in the values given with -f or --set"
	case Missing:
		p.Next = "look for it: " + advice.Command("oc get", resource(s))
	case Conflict:
		p.Next = "it was changed at the same time: run the command again"
	case Busy:
		p.Next = "run the command again; oc get --raw /readyz?verbose shows how the API server is"
	default:
		p.Next = "run the command again, or show the message to a cluster admin"
	}
	return p
}

func (about About) loggedOut(p *problem.Error) {
	p.Like = &problem.Alike{Root: "login"}
	if about.What != "" {
		p.Why = "the API server does not accept the login any more"
		p.Next = advice.Command("oc login") + ", then run the same command again"
		return
	}
	p.What = "the API server " + about.Host + " does not know you"
	p.Why = "your login has expired or was never made"
	p.Next = "log in, then run the same command again: " + advice.Command("oc login", about.Host)
}

// forbidden names the missing permission as far as the text says it.
func (about About) forbidden(p *problem.Error, s metav1.Status) {
	user, verb, sub, scope, named := missingRight(line(s.Message))
	switch {
	case about.What != "" && ReasonOf(s) == Limits:
		p.Why = "the project's limits forbid it: " + Detail(s)
		p.Next = advice.Command("oc describe limitrange", "-n", about.Namespace)
		return
	case about.What != "":
		p.Why, p.Next = Detail(s), "ask an admin for the permission"
		return
	case !named:
		p.Next = "change what the message names, or ask a cluster admin"
		return
	}
	what := resource(s) + sub
	p.What = fmt.Sprintf("%s may not %s %s", user, verb, what)
	if s.Details != nil && s.Details.Name != "" {
		p.What += fmt.Sprintf(" of %q", s.Details.Name)
		if sub == "" {
			p.What = fmt.Sprintf("%s may not %s %s", user, verb, object(s))
		}
	}
	p.Why = fmt.Sprintf("the right to %s %s %s is missing", verb, what, scope)
	can := []string{verb, what}
	if name, found := strings.CutPrefix(scope, `in the namespace "`); found {
		can = append(can, "-n", strings.TrimSuffix(name, `"`))
	}
	p.Next = "ask an admin for it; " + advice.Command("oc auth can-i", can...) + " shows when you have it"
}

// missingRight takes apart RBAC's text: ... User "U" cannot VERB resource "R"
// in API group "G" at the cluster scope: more. The text is all there is: the
// status itself carries neither the verb nor the sub-resource (which is given
// back with its slash).
func missingRight(message string) (user, verb, sub, scope string, ok bool) {
	_, rest, ok := strings.Cut(message, `User "`)
	if !ok {
		return "", "", "", "", false
	}
	user, rest, _ = strings.Cut(rest, `" cannot `)
	verb, rest, ok = strings.Cut(rest, ` resource "`)
	if !ok || user == "" {
		return "", "", "", "", false
	}
	named, rest, _ := strings.Cut(rest, `"`)
	if _, name, has := strings.Cut(named, "/"); has {
		sub = "/" + name
	}
	scope = "at the cluster scope"
	if _, name, in := strings.Cut(rest, ` in the namespace "`); in {
		name, _, _ = strings.Cut(name, `"`)
		scope = `in the namespace "` + name + `"`
	}
	return user, verb, sub, scope, true
}

// resource is what oc calls the thing: buckets.s3.services.k8s.aws.
func resource(s metav1.Status) string {
	if s.Details == nil || s.Details.Kind == "" {
		return "this"
	}
	return line(strings.TrimSuffix(s.Details.Kind+"."+s.Details.Group, "."))
}

// object names the thing a status is about.
func object(s metav1.Status) string {
	if s.Details == nil || s.Details.Kind == "" {
		return "the request to the API server"
	}
	if s.Details.Name == "" {
		return resource(s)
	}
	return fmt.Sprintf("%s %q", resource(s), s.Details.Name)
}

// line is a text of others in one line, without the credentials that it may quote.
func line(text string) string { return secret.Hide(plain.Line(text)) }
