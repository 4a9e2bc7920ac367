package iam

import (
	"encoding/json"
	"strings"
)

// Part is one aspect of a role, before and after a plan.
type Part struct {
	// Name is fit for a file: role, trust-policy.json, permissions-policy.json,
	// managed-policies, permissions-boundary, tags.
	Name string
	// Why is the reason of the step, in words; "" if there is nothing to say.
	Why string
	// Before and After are indented JSON for policies, with statements and values in
	// one order, so that only what IAM takes for a difference is one; one a line for
	// all else. They end in a newline; "" is absent.
	Before, After string
}

// Parts are the aspects of the role that the plan changes, told from its steps
// alone, in their order. Of tags there are only those that change.
func (p *Plan) Parts() []Part {
	var parts []Part
	for _, s := range p.Steps {
		add := func(name, before, after string) {
			parts = append(parts, Part{Name: name, Why: s.Reason, Before: canonical(before), After: canonical(after)})
		}
		switch s.Kind {
		case CreateRole:
			add(partRole, "", "arn          "+p.Role.ARN+"\ndescription  "+p.Role.Description)
			add(partTrust, "", s.Document.JSON())
			if s.PolicyARN != "" {
				add(partBoundary, "", s.PolicyARN)
			}
			add(partTags, "", TagLines(s.Tags))
		case UpdateTrust:
			add(partTrust, s.Before, s.After)
		case PutPolicy, DeletePolicy:
			add(partPolicy, s.Before, s.After)
		case AttachPolicy, DetachPolicy:
			add(partManaged, s.Before, s.After)
		case PutBoundary:
			add(partBoundary, s.Before, s.After)
		case TagRole:
			add(partTags, s.Before, s.After)
		case DeleteRole: // the end of all of them
		}
	}
	return parts
}

// The names of the parts.
const (
	partRole     = "role"
	partTrust    = "trust-policy.json"
	partPolicy   = "permissions-policy.json"
	partManaged  = "managed-policies"
	partBoundary = "permissions-boundary"
	partTags     = "tags"
)

// canonical lays out a policy document in one order, leaves any other text as it
// is, and ends its last line.
func canonical(text string) string {
	if json.Valid([]byte(text)) {
		if document, err := ParseDocument(text); err == nil {
			text = document.Sorted().Pretty()
		}
	}
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}
