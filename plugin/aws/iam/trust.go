package iam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// assumeByToken is what a pod does: it has a token, and no credentials.
const assumeByToken = "sts:AssumeRoleWithWebIdentity"

// Admission is one statement of a trust policy as it concerns the tokens of one
// issuer, whoever wrote it and however.
type Admission struct {
	Deny      bool
	ByToken   bool // it is about assuming the role with a token
	Principal map[string]Strings
	// Subject and Audience must all hold; without any, every one will do.
	Subject, Audience []constraint
	// Strange are conditions on the claims of another issuer. A token of this one
	// has no such claims, so it does not meet them.
	Strange []string
	// Others are conditions that only a request can answer, for example on the
	// caller's address.
	Others []string
}

// constraint is what one condition asks of a claim: one of the values.
type constraint struct {
	Values []string
	Like   bool // * and ? in a value stand for others
	Fold   bool // upper and lower case are the same
}

// Admissions are the statements of a trust policy, read for the tokens of an
// issuer (with or without https). Source: "IAM JSON policy elements: Condition
// operators" and "Available keys for AWS web identity federation" of the IAM
// User Guide.
func Admissions(d Document, issuer string) []Admission {
	issuer = strings.ToLower(strings.TrimPrefix(issuer, "https://"))
	out := make([]Admission, len(d.Statement))
	for i, s := range d.Statement {
		a := Admission{Deny: s.Effect == "Deny", ByToken: s.namesOne(assumeByToken), Principal: s.Principal}
		for _, operator := range keysOf(s.Condition) {
			for _, key := range keysOf(s.Condition[operator]) {
				a.condition(issuer, operator, key, s.Condition[operator][key])
			}
		}
		out[i] = a
	}
	return out
}

// condition files one condition where it belongs.
func (a *Admission) condition(issuer, operator, key string, values []string) {
	name := operator + " " + key
	claim, own := strings.CutPrefix(strings.ToLower(key), issuer+":")
	if !own {
		if strings.HasSuffix(claim, ":sub") || strings.HasSuffix(claim, ":aud") {
			a.Strange = append(a.Strange, key)
		} else {
			a.Others = append(a.Others, name)
		}
		return
	}
	// Claims have one value, and sub and aud are never missing, so that the
	// operators for sets and for missing keys come to the same.
	plain := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(operator), "foranyvalue:"), "forallvalues:"), "ifexists")
	c := constraint{Values: values}
	switch plain {
	case "stringequals":
	case "stringlike":
		c.Like = true
	case "stringequalsignorecase":
		c.Fold = true
	default:
		a.Others = append(a.Others, name)
		return
	}
	switch claim {
	case "sub":
		a.Subject = append(a.Subject, c)
	case "aud":
		a.Audience = append(a.Audience, c)
	default:
		a.Others = append(a.Others, name)
	}
}

// Trusts reports whether the statement is about tokens of the provider.
func (a Admission) Trusts(provider string) bool {
	return slices.Contains(a.Principal["Federated"], provider) || a.everybody()
}

// everybody reports whether the statement names nobody in particular.
func (a Admission) everybody() bool {
	return slices.Contains(a.Principal["*"], "*") || slices.Contains(a.Principal["AWS"], "*")
}

// Admit reports whether a value meets all constraints.
func Admit(all []constraint, value string) bool {
	return !slices.ContainsFunc(all, func(c constraint) bool {
		return !slices.ContainsFunc(c.Values, func(pattern string) bool { return c.admits(pattern, value) })
	})
}

func (c constraint) admits(pattern, value string) bool {
	if c.Fold {
		return strings.EqualFold(pattern, value)
	}
	return pattern == value || c.Like && like(pattern, value)
}

// Named are the values that constraints admit by name; open says that they
// admit more than can be named, because they ask for nothing or by wildcards.
func Named(all []constraint) (values []string, open bool) {
	open = true
	for _, c := range all {
		if !slices.ContainsFunc(c.Values, c.wild) {
			values, open = append(values, c.Values...), false
		}
	}
	if open {
		for _, c := range all {
			values = append(values, c.Values...)
		}
	}
	return sorted(slices.DeleteFunc(values, func(v string) bool { return !open && !Admit(all, v) })), open
}

func (c constraint) wild(value string) bool { return c.Like && strings.ContainsAny(value, "*?") }

// fullAccess is the managed policy that the ROSA tutorial attaches to its role:
// every right on every bucket of the account.
func fullAccess(partition string) string {
	return "arn:" + partition + ":iam::aws:policy/AmazonS3FullAccess"
}

// partition is the role's, by its ARN.
func (r Role) partition() string {
	arn, err := render.ParseARN(r.ARN)
	if err != nil {
		return "aws"
	}
	return arn.Partition
}

// Admits reports whether a trust policy, as IAM gives it, lets the role's one
// service account in with tokens for its audience, as far as that can be told
// without asking AWS. One that cannot be read lets nobody in.
func (r Role) Admits(trust, issuer string) bool {
	document, err := ParseDocument(trust)
	if err != nil {
		return false
	}
	admitted := false
	for _, a := range Admissions(document, issuer) {
		meant := a.ByToken && a.Trusts(r.Provider) && len(a.Strange) == 0 && Admit(a.Subject, r.Subject) && Admit(a.Audience, r.Audience)
		if meant && a.Deny {
			return false
		}
		admitted = admitted || meant
	}
	return admitted
}

// Others are whom a trust policy lets in besides the role's one service account, as
// it names them, sorted: other principals, other subjects, patterns that more than
// one subject meets. One that cannot be read is told as such.
func (r Role) Others(trust, issuer string) []string {
	document, err := ParseDocument(trust)
	if err != nil {
		return []string{"somebody that cannot be read: " + awserr.Redact(err.Error())}
	}
	var others []string
	for _, a := range Admissions(document, issuer) {
		if a.Deny {
			continue
		}
		for kind, who := range a.Principal {
			others = append(others, slices.DeleteFunc(slices.Clone([]string(who)), func(one string) bool {
				return kind == "Federated" && one == r.Provider
			})...)
		}
		subjects, open := Named(a.Subject)
		if open && len(subjects) == 0 {
			others = append(others, "every service account of the cluster")
		}
		others = append(others, slices.DeleteFunc(subjects, func(s string) bool { return s == r.Subject && !open })...)
	}
	for n := range others {
		others[n] = awserr.Redact(others[n])
	}
	return sorted(others)
}

// Wider says, in clauses, what a role that is there does beyond what it is to do:
// the policies that are not ours, and whom it lets in.
func (r Role) Wider(a *Actual, issuer string) []string {
	var wider []string
	for _, arn := range sorted(a.Attached) {
		if arn == fullAccess(r.partition()) {
			wider = append(wider, "AmazonS3FullAccess gives it every right on every bucket of the account")
		} else {
			wider = append(wider, "it has the policy "+arn)
		}
	}
	for _, name := range sorted(a.Inlines) {
		if name != PolicyName {
			wider = append(wider, "it has an inline policy "+awserr.Redact(name))
		}
	}
	if document, err := ParseDocument(a.Trust); err == nil && r.anyAudience(document) {
		wider = append(wider, "it takes tokens for any audience")
	}
	if others := r.Others(a.Trust, issuer); len(others) > 0 {
		wider = append(wider, "it also lets in "+strings.Join(others, ", "))
	}
	return wider
}

// anyAudience reports whether a trust policy lets tokens of the role's issuer in
// whatever audience they are made for.
func (r Role) anyAudience(trust Document) bool {
	_, issuer, _ := strings.Cut(r.Provider, ":oidc-provider/")
	return slices.ContainsFunc(Admissions(trust, issuer), func(a Admission) bool {
		_, open := Named(a.Audience)
		return open && !a.Deny && a.ByToken && a.Trusts(r.Provider)
	})
}

// mayTighten refuses a role that somebody else needs, too: whoever it lets in
// besides the app would be shut out. No leave helps.
func mayTighten(r Role, a *Actual, f render.Facts) error {
	const own = "leave out --tighten-role to use it as it is, or --role-name NAME to create another role for the app"
	if others := r.Others(a.Trust, f.Issuer.Value); len(others) > 0 {
		return refuse("the role "+r.Label()+" is shared and is not tightened",
			"it also lets in "+strings.Join(others, ", ")+", who would be shut out", own)
	}
	if a.Tags[render.TagManagedBy] == render.ManagedBy && !r.holder().Owns(r.Name, a, f) {
		return refuse("the role "+r.Label()+" is another install's and is not tightened", r.holder().whoseIs(r.Name, a, f), own)
	}
	if stack := a.Tags["aws:cloudformation:stack-name"]; stack != "" {
		return refuse("the role "+r.Label()+" is made by CloudFormation and is not tightened",
			fmt.Sprintf("it belongs to the stack %s, which would put back what is changed here", awserr.Redact(stack)), own)
	}
	return a.AttachedErr
}

// FullAccess reports whether a role has the tutorial's policy, and so every bucket of the
// account already.
func (r Role) FullAccess(a *Actual) bool {
	return a != nil && slices.Contains(a.Attached, fullAccess(r.partition()))
}

// tightenSteps take the tutorial's policy off. They come behind the step that gives
// the role our own, so that the app is never without. What else others attached
// stays: somebody wanted it.
func tightenSteps(r Role, a *Actual) []Step {
	full := fullAccess(r.partition())
	if !r.Tighten || r.PolicyARN == full || !slices.Contains(a.Attached, full) {
		return nil
	}
	return []Step{dropAttached(r.ARN, full, "AmazonS3FullAccess comes off, as --tighten-role says")}
}
