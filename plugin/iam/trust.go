package iam

import (
	"slices"
	"strings"
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
	Subject, Audience []Constraint
	// Strange are conditions on the claims of another issuer. A token of this one
	// has no such claims, so it does not meet them.
	Strange []string
	// Others are conditions that only a request can answer, for example on the
	// caller's address.
	Others []string
}

// Constraint is what one condition asks of a claim: one of the values.
type Constraint struct {
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
		a := Admission{Deny: s.Effect == "Deny", Principal: s.Principal}
		a.ByToken = slices.ContainsFunc(s.Action, func(action string) bool {
			return like(strings.ToLower(action), strings.ToLower(assumeByToken))
		})
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
	c := Constraint{Values: values}
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
	return slices.Contains(a.Principal["Federated"], provider) || a.Everybody()
}

// Everybody reports whether the statement names nobody in particular.
func (a Admission) Everybody() bool {
	return slices.Contains(a.Principal["*"], "*") || slices.Contains(a.Principal["AWS"], "*")
}

// Admit reports whether a value meets all constraints.
func Admit(all []Constraint, value string) bool {
	return !slices.ContainsFunc(all, func(c Constraint) bool {
		return !slices.ContainsFunc(c.Values, func(pattern string) bool { return c.admits(pattern, value) })
	})
}

func (c Constraint) admits(pattern, value string) bool {
	if c.Fold {
		return strings.EqualFold(pattern, value)
	}
	return pattern == value || c.Like && like(pattern, value)
}

// Named are the values that constraints admit by name; open says that they
// admit more than can be named, because they ask for nothing or by wildcards.
func Named(all []Constraint) (values []string, open bool) {
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

func (c Constraint) wild(value string) bool { return c.Like && strings.ContainsAny(value, "*?") }
