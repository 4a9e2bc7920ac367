package iam

import (
	"slices"
	"strings"
	"testing"
)

// asked is one request to AWS, with the condition keys that it has.
type asked struct {
	action, resource string
	keys             map[string][]string
}

// allowed evaluates a policy as "Policy evaluation logic" of the IAM User Guide
// says, with the operators that the policies here use; any other fails the test.
func allowed(t *testing.T, d Document, r asked) bool {
	t.Helper()
	allow := false
	for _, s := range d.Statement {
		if s.about(Right{r.action, r.resource}) == No || !holds(t, s.Condition, r.keys) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allow = true
	}
	return allow
}

func holds(t *testing.T, c Condition, keys map[string][]string) bool {
	t.Helper()
	for operator, wanted := range c {
		for key, values := range wanted {
			if !one(t, operator, values, keys[key]) {
				return false
			}
		}
	}
	return true
}

// one holds the values of one key of the request against one condition. A key that
// the request does not have meets ...IfExists and ForAllValues, and nothing else.
func one(t *testing.T, operator string, values, has []string) bool {
	t.Helper()
	name, ifExists := strings.CutSuffix(operator, "IfExists")
	name, forAll := strings.CutPrefix(name, "ForAllValues:")
	if name == "Null" {
		return (len(has) == 0) == (values[0] == "true")
	}
	if name == "ForAnyValue:StringNotEquals" {
		return slices.ContainsFunc(has, func(value string) bool { return !slices.Contains(values, value) })
	}
	if name == "ForAnyValue:StringNotLike" {
		return slices.ContainsFunc(has, func(value string) bool {
			return !slices.ContainsFunc(values, func(pattern string) bool { return like(pattern, value) })
		})
	}
	if name != "StringEquals" && name != "StringLike" {
		t.Fatalf("the evaluator of this test does not know %s", operator)
	}
	if len(has) == 0 {
		return ifExists || forAll
	}
	return !slices.ContainsFunc(has, func(value string) bool {
		return !slices.ContainsFunc(values, func(pattern string) bool {
			return pattern == value || name == "StringLike" && like(pattern, value)
		})
	})
}
