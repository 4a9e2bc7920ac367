package awserr

import (
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// decider is the kind of policy that decided on a call, in AWS's words ("Troubleshoot
// access denied error messages" of the IAM User Guide), and who can change it.
type decider struct {
	words string // in what AWS says
	what  string // completes "X forbids it"
	owner string // completes "ask X to allow ..."
	note  string // after that
	final bool   // also where it only does not allow the call: no change of the role is being spread
}

func deciders() []decider {
	const organization = "a policy of the AWS organization"
	return []decider{
		{words: "service control policy", what: organization, owner: "who administers the AWS organization", note: "; no permission given in this account helps", final: true},
		{words: "resource control policy", what: organization, owner: "who administers the AWS organization", note: "; no permission given in this account helps", final: true},
		{words: "permissions boundary", what: "the caller's permissions boundary", owner: "the AWS administrator who owns the permissions boundary of the caller", note: " in it"},
		{words: "session policy", what: "the policy of this session", owner: "who gave you this session", note: " in its policy, or sign in without a session policy"},
		{words: "VPC endpoint policy", what: "the VPC endpoint's policy", owner: "who runs the VPC endpoint", final: true},
		{words: "trust policy", what: "the role's trust policy", owner: "the owner of the role", note: " in its trust policy"},
		{words: "resource-based policy", what: "the policy on the resource itself", owner: "the owner of the resource", note: " in the policy on it"},
		{words: "identity-based policy", what: "one of the caller's own policies", owner: "an AWS administrator"},
	}
}

// decider is that of a refusal; without words for it AWS does not say which.
func (r refusal) decider() decider {
	for _, d := range deciders() {
		if strings.Contains(r.because, d.words) {
			return d
		}
	}
	if r.explicit() {
		return decider{what: "one of the caller's own policies, or a policy that AWS does not name,", owner: "an AWS administrator"}
	}
	return decider{what: "one of the caller's own policies", owner: "an AWS administrator"}
}

func (r refusal) explicit() bool { return strings.HasPrefix(r.because, "explicit deny") }

// stays reports whether a refusal does not pass by waiting. While IAM spreads a change,
// AWS says that nothing allows the call yet, never that a policy denies it.
func (r refusal) stays() bool { return r.explicit() || r.because != "" && r.decider().final }

// Stays reports whether AWS refused a call for a reason that does not pass: a policy
// denies it explicitly, or one that the organization or a network owns does not allow it.
// Any other refusal may be that of an IAM that has not heard of a change.
func Stays(err error) bool { return Denied(err) && readRefusal(Message(err)).stays() }

// StaysIn is Stays for a text that contains AWS's sentence: a condition, an event, what a
// container wrote at its end.
func StaysIn(text string) bool { return readRefusal(plain.Line(text)).stays() }

// Decided is who refused a call for good, and what to do about it.
type Decided struct {
	Action string // "" where AWS does not name it
	Why    string // "a policy of the AWS organization forbids it"
	Next   string
}

// DecidedIn reads a text for which StaysIn is true. caller is what the one that was refused
// is called, as "the role" or "the ACK S3 controller". Whoever writes the text can write
// any sentence into it, so no name in it is repeated but that of the action.
func DecidedIn(text, caller string) Decided {
	r := readRefusal(plain.Line(text))
	e := explainRefusal(refusal{action: r.action, because: r.because})
	mine := func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, "the caller's", caller+"'s"), "of the caller", "of "+caller)
	}
	return Decided{Action: r.action, Why: mine(e.why), Next: mine(e.next)}
}

// policyNamed is the ARN of the policy that decided, which AWS gives in some accounts.
func policyNamed(message string) string {
	m := regexp.MustCompile(`(?:policy|boundary): (arn:[a-z-]+:(?:iam|organizations)::[0-9]{0,12}:policy/[A-Za-z0-9_+=,.@/-]{1,200})`).FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	return strings.TrimRight(m[1], ".,")
}

// decidedBy turns AWS's words for the deciding policy into why and next.
func decidedBy(r refusal, right string) (why, next string) {
	d := r.decider()
	named := ""
	if r.policy != "" {
		named = " (" + r.policy + ")"
	}
	switch {
	case r.explicit():
		why = d.what + " forbids it: an explicit deny" + named
		next = "ask " + d.owner + " to lift the deny of " + right + d.note
	case d.words == "identity-based policy" || r.because == "":
		why = "none of the caller's policies allows it"
		next = "ask " + d.owner + " to allow " + right + ", then run the same command again"
	default:
		why = d.what + " does not allow it" + named
		next = "ask " + d.owner + " to allow " + right + d.note
	}
	return why, next
}

// otherWays are the flags of install that may pass a rule which denies an action on a
// role: organizations want a boundary, a path or a name, or no inline policies.
func otherWays(r refusal) string {
	if !r.stays() && !strings.Contains(r.because, "permissions boundary") || ofController(r) {
		return ""
	}
	const others = "; if only others may do it, they create the role from the output of: "
	made := others + advice.Command("oc ostoy-s3 iam render") + "; then install with --iam=skip"
	switch r.action {
	case "iam:CreateRole":
		return "; if the rule wants another path or name of roles, use --role-path or --role-name" + made
	case "iam:PutRolePolicy":
		return "; if the rule is about inline policies, use --policy-arn ARN, which attaches a managed policy" + made
	case "iam:AttachRolePolicy":
		return "; if the rule is about this policy, use another --policy-arn, or none, which writes an inline policy" + made
	case "iam:UpdateAssumeRolePolicy", "iam:TagRole", "iam:PutRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy":
		return made
	case "s3:PutObject":
		return "; a rule that wants an encryption header in each request cannot be met, because OSToy sends none (S3 encrypts the objects anyway): ask for an exception for the role, or for the bucket"
	}
	return ""
}
