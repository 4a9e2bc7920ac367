package awserr

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// refusal is an access denied answer taken apart.
type refusal struct {
	who      string // ARN of the caller
	action   string // for example iam:CreateRole
	resource string
	because  string // AWS's own words for the kind of policy that decided
	policy   string // ARN of that policy, where AWS gives it
}

// readRefusal takes apart the sentence AWS answers a refused call with:
//
//	User: ARN is not authorized to perform: ACTION on resource: ARN because no X policy allows the ACTION action
//	User: ARN is not authorized to perform: ACTION on resource: ARN with an explicit deny in a X policy
//
// as "Troubleshoot access denied error messages" of the IAM User Guide lists
// it. Parts that are not there stay empty.
func readRefusal(message string) refusal {
	find := func(pattern string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(message); m != nil {
			return m[1]
		}
		return ""
	}
	r := refusal{
		who:     find(`User: ([\w+=,.@:/-]+) is not authorized`),
		action:  find(`(?i)not authorized to perform:?\s+([a-z0-9-]+:[A-Za-z0-9*]+)`),
		because: find(`(?:because |with an )(no [\w -]+? allows|explicit deny(?: in (?:an?|the) [\w -]+?(?:policy|boundary)\b)?)`),
		policy:  policyNamed(message),
	}
	on := find(`on resource: "?(.+?)"?(?: because | with an explicit deny|,|$)`)
	if regexp.MustCompile(`^[\w+=,.@:/* -]+$`).MatchString(on) { // what names and ARNs are made of
		r.resource = strings.TrimSpace(on)
	}
	return r
}

// explainDenied says which right is missing, on what, and who can give it. The
// action and resource AWS names win over the ones the caller had in mind: one
// call may need several rights.
func explainDenied(message, action, resource string) explanation {
	r := readRefusal(message)
	r.action = cmp.Or(r.action, action)
	if r.resource == "" || r.resource == "*" {
		r.resource = resource
	}
	return explainRefusal(r)
}

func explainRefusal(r refusal) explanation {
	right := on(cmp.Or(r.action, "it"), r.resource)
	e := explanation{action: r.action, resource: r.resource}
	e.why, e.next = decidedBy(r, right)
	if r.who != "" {
		e.why = r.who + " may not: " + e.why
	}
	if strings.HasPrefix(r.resource, "role ") && r.action == "iam:GetRole" {
		e.why += "; whether the role exists is not known"
	}
	tail := ""
	if r.action == "iam:CreateRole" {
		tail += "; where roles must carry a boundary, add --permissions-boundary ARN"
	}
	tail += otherWays(r)
	if policy := policyFor(r); policy != "" {
		tail += "; " + policy + " prints a policy that allows it"
	}
	if strings.HasPrefix(r.because, "explicit deny in an identity-based policy") && ofController(r) {
		tail += "; the policy that oc ostoy-s3 iam policy --for install prints denies it, unless you print it with --with-controller"
	}
	if mayBeOlderPolicy(r) {
		tail += "; if an earlier version of ostoy-s3 printed the policy, print it again, because roles have more tags now: " + policyForPeople
	}
	e.next += tail
	e.nextFor = func(rights []string) string {
		_, next := decidedBy(r, strings.Join(rights, ", "))
		return next + tail
	}
	return e
}

// policyFor is the command that prints a policy with the missing permission, or "".
// It is no help where another kind of policy decided, for an app's role, and for
// actions that only those roles use.
func policyFor(r refusal) string {
	service, name, _ := strings.Cut(r.action, ":")
	switch {
	case r.because != "" && !strings.HasPrefix(r.because, "no identity-based policy"),
		strings.Contains(r.who, "-"+render.ServiceAccount+"-"),
		service == "sts", service == "s3" && (name == "GetObject" || name == "PutObject"), name == "":
		return ""
	case ofController(r):
		return "oc ostoy-s3 iam policy --for controller"
	}
	return policyForPeople
}

const policyForPeople = "oc ostoy-s3 iam policy --for install (for a learner of a class: --for class)"

// mayBeOlderPolicy reports whether an app's role was refused for its tags: the policies
// that iam policy prints deny tags that their version does not know.
func mayBeOlderPolicy(r refusal) bool {
	return (r.action == "iam:CreateRole" || r.action == "iam:TagRole") &&
		strings.HasPrefix(r.because, "explicit deny in an identity-based policy") && !ofController(r)
}

// ofController reports whether the role of the ACK S3 controller was refused.
func ofController(r refusal) bool {
	return strings.HasPrefix(r.action, "iam:") &&
		(strings.Contains(r.resource, render.ControllerRolePath) || strings.Contains(r.resource, render.ControllerAccount))
}

// maxTags is how many tags of a stranger are shown.
const maxTags = 3

// Whose says in one clause whose a role or bucket is by its tags, for an error
// that refuses to touch it: "it has no tags", "its tags say it was made for
// namespace demo of ...". Tags are somebody else's text, so they are quoted.
func Whose(tags map[string]string, f render.Facts) string {
	if tags[render.TagManagedBy] != render.ManagedBy {
		return stranger(tags)
	}
	if id := render.AnotherCluster(tags, f); id != "" && render.Ours(tags, f) {
		return fmt.Sprintf("its tags say that the cluster %s made it, this one is %s: both use the same issuer", advice.ClusterID(id), f.ClusterID.Value)
	}
	if render.Ours(tags, f) {
		return "its tags say that it was made for this namespace of this cluster"
	}
	var of []string
	if ns := tags[render.TagNamespace]; ns != f.Namespace.Value {
		of = append(of, "namespace "+advice.Project(ns).String())
	}
	if iss := tags[render.TagIssuer]; iss != f.Issuer.Value {
		of = append(of, "issuer "+advice.Issuer(iss).String()+" (this cluster's is "+f.Issuer.Value+")")
	}
	return "its tags say that it was made for " + strings.Join(of, " of ")
}

func stranger(tags map[string]string) string {
	if len(tags) == 0 {
		return "it has no tags"
	}
	if by := tags[render.TagManagedBy]; by != "" {
		return "its tags say that " + quote(by) + " manages it"
	}
	keys := slices.Sorted(maps.Keys(tags))
	var shown []string
	for _, k := range keys[:min(len(keys), maxTags)] {
		shown = append(shown, quote(k)+"="+quote(tags[k]))
	}
	if len(keys) > maxTags {
		shown = append(shown, "...")
	}
	return "its tags are not ours (" + strings.Join(shown, ", ") + ")"
}

// quote shows a text as it is when it is plain, else with escapes.
func quote(s string) string {
	s = Redact(s)
	if s == "" || strings.ContainsAny(s, " \"'=,") {
		return fmt.Sprintf("%q", s)
	}
	return s
}
