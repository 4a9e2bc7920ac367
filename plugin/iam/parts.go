package iam

import "strings"

// Part is one aspect of a role, before and after a plan.
type Part struct {
	// Name is fit for a file: trust-policy.json, permissions-policy.json,
	// managed-policies, permissions-boundary, tags.
	Name string
	// Before and After are indented JSON for policies, one a line for all else, and
	// end in a newline; "" is absent.
	Before, After string
}

// Parts are the aspects of the role that the plan changes, told from its steps
// alone, in their order. Of tags there are only those that change.
func (p *Plan) Parts() []Part {
	var parts []Part
	add := func(name, before, after string) {
		parts = append(parts, Part{Name: name, Before: ended(before), After: ended(after)})
	}
	for _, s := range p.Steps {
		switch s.Kind {
		case CreateRole:
			add(partTrust, "", s.Document.Pretty())
			if s.PolicyARN != "" {
				add(partBoundary, "", s.PolicyARN)
			}
			add(partTags, "", tagLines(s.Tags))
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
	partTrust    = "trust-policy.json"
	partPolicy   = "permissions-policy.json"
	partManaged  = "managed-policies"
	partBoundary = "permissions-boundary"
	partTags     = "tags"
)

// ended is a text of lines, the last one ended, too.
func ended(text string) string {
	if text == "" || strings.HasSuffix(text, "\n") {
		return text
	}
	return text + "\n"
}
