package iam

import "strings"

// Kind is what a step does. Each is one IAM request.
type Kind string

// The kinds, in the order steps run. Permissions shrink before they grow (boundary,
// then trust policy, then policies). The tags come before the policies, because one of
// them names the managed policy that is attached: uninstall treats an attached policy
// that no tag names as somebody else's and refuses to remove the role. The tags come
// after the trust policy: a role that could not be taken over does not have them.
const (
	CreateRole   Kind = "create-role"
	PutBoundary  Kind = "put-boundary"
	UpdateTrust  Kind = "update-trust"
	TagRole      Kind = "tag-role"
	PutPolicy    Kind = "put-policy"
	AttachPolicy Kind = "attach-policy"
	DeletePolicy Kind = "delete-policy"
	DetachPolicy Kind = "detach-policy"
)

// DeleteRole is the kind that only a Removal has; it goes last.
const DeleteRole Kind = "delete-role"

// Step is one request: what it changes, in words and as data.
type Step struct {
	Kind   Kind   `json:"kind"`
	What   string `json:"what"`             // for example "trust policy"
	Reason string `json:"reason,omitempty"` // why it is needed, in one clause
	Before string `json:"before,omitempty"` // may have several lines; "" where nothing was
	After  string `json:"after,omitempty"`  // "" where nothing will be
	// Action is the IAM action the request needs, Resource what it is needed on.
	Action   string `json:"action"`
	Resource string `json:"resource"`

	Document   *Document         `json:"-"` // UpdateTrust, PutPolicy, CreateRole (its trust policy)
	PolicyName string            `json:"-"` // PutPolicy, DeletePolicy
	PolicyARN  string            `json:"-"` // AttachPolicy, DetachPolicy, PutBoundary, CreateRole (its boundary)
	Tags       map[string]string `json:"-"` // TagRole, CreateRole
}

// Plan is the way from what the role is to what it should be. Without steps
// there is nothing to do. Notes are for the reader and change nothing.
type Plan struct {
	Role  Role
	Steps []Step
	Notes []string

	input planInput
}

// Empty reports whether the role is as it should be.
func (p *Plan) Empty() bool { return len(p.Steps) == 0 }

// Creates reports whether the role does not exist yet.
func (p *Plan) Creates() bool { return len(p.Steps) > 0 && p.Steps[0].Kind == CreateRole }

// TagLines shows tags as key=value, one a line, sorted.
func TagLines(tags map[string]string) string {
	var lines []string
	for _, k := range keysOf(tags) {
		lines = append(lines, k+"="+tags[k])
	}
	return strings.Join(lines, "\n")
}
