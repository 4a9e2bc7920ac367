package iam

import (
	"encoding/json"
	"slices"
	"strings"
)

// PlainHTTP says why a bucket policy lets requests without TLS in; "" if it does
// not.
func PlainHTTP(policy, arn string) string {
	if policy == "" {
		return "it has no policy"
	}
	for _, s := range statementsOf(policy) {
		everybody := slices.ContainsFunc([]string{"*", "AWS"}, func(key string) bool { return slices.Contains(s.Principal[key], "*") })
		all := slices.Contains(s.Action, "s3:*") || slices.Contains(s.Action, "*")
		both := slices.Contains(s.Resource, arn+"/*") && slices.Contains(s.Resource, arn) || slices.Contains(s.Resource, "*") || slices.Contains(s.Resource, arn+"*")
		if s.Effect == "Deny" && everybody && all && both && refusesPlain(s.Condition) {
			return ""
		}
	}
	return "no statement of its policy denies everything to everybody where aws:SecureTransport is false"
}

// statementsOf are those of a policy that ParseDocument can read. It wants to know
// every element, so they are read one by one: one that it does not know (a
// NotAction of somebody else's) is not the one looked for, and hides no other.
func statementsOf(policy string) []Statement {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(policy), &document) != nil {
		return nil
	}
	var raw []json.RawMessage
	if json.Unmarshal(document.Statement, &raw) != nil {
		raw = []json.RawMessage{document.Statement}
	}
	var statements []Statement
	for _, one := range raw {
		if parsed, err := ParseDocument(`{"Version":"2012-10-17","Statement":[` + string(one) + `]}`); err == nil {
			statements = append(statements, parsed.Statement...)
		}
	}
	return statements
}

// refusesPlain: a condition with more in it denies less.
func refusesPlain(condition Condition) bool {
	if len(condition) != 1 {
		return false
	}
	for operator, keys := range condition {
		for key, values := range keys {
			if len(keys) == 1 && strings.EqualFold(operator, "Bool") && strings.EqualFold(key, "aws:SecureTransport") {
				return slices.Equal(values, []string{"false"})
			}
		}
	}
	return false
}
