package iam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// RemovalOptions says which role is to go, and what leave was given.
type RemovalOptions struct {
	Name string // required; from the inventory's ARN, --role-name, or Found.Name
	Path string // "" takes the role wherever it is
	// PolicyARN is the managed policy that install attached (--policy-arn), or
	// "": any other is somebody else's.
	PolicyARN string
	// Adopt is leave (--adopt=role) to remove a role that is not ours, and
	// policies that others put on it.
	Adopt bool
	// AnyIssuer is leave to go by namespace alone where the facts do not know
	// the issuer: the user saw the role and said yes.
	AnyIssuer bool
	// Controller says that the role is to go with the ACK S3 controller, and not
	// with the app.
	Controller bool
}

func (o RemovalOptions) holder() holder {
	if o.Controller {
		return theController
	}
	return theApp
}

// Removal is the way from what the role is to its being gone. Without steps
// there is nothing to do. Notes are for the reader.
type Removal struct {
	Name  string
	ARN   string // "" if the role is not there
	Steps []Step
	Notes []string

	input removalInput
}

// removalInput is kept so that Remove can plan anew.
type removalInput struct {
	facts   render.Facts
	options RemovalOptions
}

// Empty reports whether the role is gone already.
func (r *Removal) Empty() bool { return len(r.Steps) == 0 }

// RemovalPlan lists the steps that remove the role, or none where it is not
// there. It asks nobody. A role that is not ours, or that others put policies
// on, is a *problem.Error of kind Refused without leave; one in another account
// or under another path than the options say, or one of ours that was made for the
// other of app and controller, is refused always.
func RemovalPlan(actual *Actual, f render.Facts, o RemovalOptions) (*Removal, error) {
	r := &Removal{Name: o.Name, input: removalInput{f, o}}
	if err := checkName(o.Name); err != nil {
		return nil, err
	}
	if actual == nil || !actual.Exists {
		return r, nil
	}
	if err := mayRemove(actual, f, o); err != nil {
		return nil, err
	}
	r.ARN = actual.ARN
	inlines, attached := others(actual, o)
	if len(inlines)+len(attached) > 0 && !o.Adopt {
		return nil, refuse(
			fmt.Sprintf("the role %s has policies that others put on it: %s", o.Name, strings.Join(slices.Concat(inlines, attached), ", ")),
			"somebody else uses the role too, and would lose these rights with it",
			takeOff(o.Name, inlines, attached)+"; or --adopt=role to remove them with the role")
	}
	const leave = "not ours; --adopt=role says that it goes with the role"
	for _, name := range inlines {
		r.Steps = append(r.Steps, dropInline(actual, name, leave))
	}
	for _, arn := range attached {
		r.Steps = append(r.Steps, dropAttached(actual, arn, leave))
	}
	if actual.Inline != "" || slices.Contains(actual.Inlines, PolicyName) {
		r.Steps = append(r.Steps, dropInline(actual, PolicyName, ""))
	}
	// What may not be listed is tried: a policy that is not there is no error.
	if o.PolicyARN != "" && (actual.AttachedErr != nil || slices.Contains(actual.Attached, o.PolicyARN)) {
		r.Steps = append(r.Steps, dropAttached(actual, o.PolicyARN, ""))
	}
	r.Steps = append(r.Steps, Step{
		Kind: DeleteRole, What: "role", Before: actual.ARN,
		Action: "iam:DeleteRole", Resource: actual.ARN,
	})
	r.Notes = removalNotes(actual, f)
	return r, nil
}

func dropInline(a *Actual, name, reason string) Step {
	s := Step{
		Kind: DeletePolicy, What: "inline policy " + name, Reason: reason,
		Action: "iam:DeleteRolePolicy", Resource: a.ARN, PolicyName: name,
	}
	if name == PolicyName {
		s.Before = show(a.Inline)
	}
	return s
}

func dropAttached(a *Actual, arn, reason string) Step {
	return Step{
		Kind: DetachPolicy, What: "managed policy", Reason: reason, Before: arn,
		Action: "iam:DetachRolePolicy", Resource: a.ARN, PolicyARN: arn,
	}
}

// others are the policies on the role that install did not put there.
func others(a *Actual, o RemovalOptions) (inlines, attached []string) {
	for _, name := range sorted(a.Inlines) {
		if name != PolicyName {
			inlines = append(inlines, name)
		}
	}
	for _, arn := range sorted(a.Attached) {
		if arn != o.PolicyARN {
			attached = append(attached, arn)
		}
	}
	return inlines, attached
}

// takeOff is what to type to take policies off the role.
func takeOff(role string, inlines, attached []string) string {
	var lines []string
	for _, name := range inlines {
		lines = append(lines, Extra{Inline: name}.Removal(role))
	}
	for _, arn := range attached {
		lines = append(lines, Extra{ARN: arn}.Removal(role))
	}
	return strings.Join(lines, " && ")
}

func removalNotes(a *Actual, f render.Facts) []string {
	var out []string
	if !sameOwner(a.Tags, f) {
		out = append(out, "the role is not ours and is removed, as --adopt=role says: "+whose(a.Tags, f))
	}
	for _, unseen := range []struct {
		err    error
		action string
	}{{a.InlinesErr, "iam:ListRolePolicies"}, {a.AttachedErr, "iam:ListAttachedRolePolicies"}} {
		if unseen.err != nil {
			out = append(out, "policies of others on the role were not looked at (needs "+unseen.action+"); if there are any, IAM keeps the role")
		}
	}
	return out
}
