package iam

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// NewPlan compares what the role is with what it should be. It asks nobody. A
// role that is not ours, without leave to take it over, is a *problem.Error of
// kind Refused.
func NewPlan(desired Role, actual *Actual, facts render.Facts) (*Plan, error) {
	p := &Plan{Role: desired, facts: facts}
	if actual == nil || !actual.Exists {
		p.Steps = append(p.Steps, createStep(desired))
		p.Steps = append(p.Steps, policySteps(desired, &Actual{})...)
		if actual != nil && actual.Hidden {
			p.Notes = []string{"AWS refuses iam:GetRole on role " + desired.Name + ": whether the role exists is not known. If it does, install does not change it, and ends"}
		}
		return p, nil
	}
	if err := mayTouch(desired, actual, facts); err != nil {
		return nil, err
	}
	if desired.Tighten {
		if err := mayTighten(desired, actual, facts); err != nil {
			return nil, err
		}
	}
	if actual.AttachedErr != nil && (desired.PolicyARN != "" || actual.namesPolicy()) {
		return nil, actual.AttachedErr
	}
	kept := desired.AsTagged(actual)
	if kept.PolicyARN != desired.PolicyARN {
		p.Notes = append(p.Notes, "the role keeps the managed policy "+kept.PolicyARN+", which an earlier install was asked for: the tag "+render.TagPolicy+" of the role names it")
	}
	desired = kept.withoutPolicyTag(actual)
	p.Role = desired
	p.Steps = changes(desired, actual)
	p.Notes = append(p.Notes, notes(desired, actual, facts)...)
	return p, nil
}

// changes are the steps for a role that exists, in the order of the kinds (see CreateRole).
func changes(r Role, a *Actual) []Step {
	return slices.Concat(boundarySteps(r, a), trustSteps(r, a), tagSteps(r, a), policySteps(r, a), tightenSteps(r, a))
}

func createStep(r Role) Step {
	lines := []string{"trusts  " + r.Trusts(), "allows  " + r.Allows()}
	if r.Boundary != "" {
		lines = append(lines, "within  "+r.Boundary)
	}
	return Step{
		Kind: CreateRole, What: "role", After: strings.Join(lines, "\n"),
		Action: "iam:CreateRole", Resource: r.ARN,
		Document: &r.Trust, PolicyARN: r.Boundary, Tags: r.Tags, Unattached: noPolicy,
	}
}

// boundarySteps puts the boundary that was asked for. One that is there and was
// not asked for stays: taking a boundary away gives rights, and an
// administrator may have set it.
func boundarySteps(r Role, a *Actual) []Step {
	if r.Boundary == "" || r.Boundary == a.Boundary {
		return nil
	}
	return []Step{{
		Kind: PutBoundary, What: "permissions boundary", Reason: "asked for by --permissions-boundary",
		Before: a.Boundary, After: r.Boundary,
		Action: "iam:PutRolePermissionsBoundary", Resource: r.ARN, PolicyARN: r.Boundary,
	}}
}

func trustSteps(r Role, a *Actual) []Step {
	is, err := ParseDocument(a.Trust)
	if err == nil && is.Equal(r.Trust) {
		return nil
	}
	return []Step{{
		Kind: UpdateTrust, What: "trust policy", Reason: trustReason(r, is, err),
		Before: show(a.Trust), After: r.Trust.Pretty(),
		Action: "iam:UpdateAssumeRolePolicy", Resource: r.ARN, Document: &r.Trust,
	}}
}

// trustReason says what the trust policy that is there does instead.
func trustReason(r Role, is Document, err error) string {
	if err != nil {
		return "the one there is not one of ours: " + awserr.Redact(err.Error())
	}
	providers, subjects := namedBy(is)
	switch {
	case !slices.Contains(providers, r.Provider) && len(providers) > 0:
		return "it trusts " + awserr.Redact(strings.Join(sorted(providers), ", ")) + ", this cluster is " + r.Provider
	case !slices.Contains(subjects, r.Subject) && len(subjects) > 0:
		return "it lets in " + awserr.Redact(strings.Join(sorted(subjects), ", ")) + ", " + r.holder().String() + " is " + r.Subject
	case len(is.Statement) > 1:
		return "it lets in others than " + r.holder().String()
	case r.anyAudience(is):
		return "it takes tokens for any audience"
	}
	return "it is not as it should be"
}

// namedBy are the identity providers and the subjects that a trust policy names.
func namedBy(trust Document) (providers, subjects []string) {
	for _, s := range trust.Statement {
		providers = append(providers, s.Principal["Federated"]...)
		for _, keys := range s.Condition {
			for key, values := range keys {
				if strings.HasSuffix(strings.ToLower(key), ":sub") {
					subjects = append(subjects, values...)
				}
			}
		}
	}
	return providers, subjects
}

// policySteps gives the role its one policy: ours inline, or the managed one.
// Our inline policy is ours by its name, so it goes when a managed policy takes
// its place; a managed policy is not detached, because it may be another's, but for
// the tutorial's where that is asked for (tightenSteps).
func policySteps(r Role, a *Actual) []Step {
	if r.Policy != nil {
		return inlineSteps(r, a)
	}
	var steps []Step
	if !slices.Contains(a.Attached, r.PolicyARN) {
		steps = append(steps, Step{
			Kind: AttachPolicy, What: "managed policy", Reason: "asked for by --policy-arn", After: r.PolicyARN,
			Action: "iam:AttachRolePolicy", Resource: r.ARN, PolicyARN: r.PolicyARN,
		})
	}
	if a.hasOwnPolicy() {
		steps = append(steps, dropInline(r.ARN, PolicyName, "the managed policy takes its place", show(a.Inline)))
	}
	return steps
}

func inlineSteps(r Role, a *Actual) []Step {
	step := Step{
		Kind: PutPolicy, What: "inline policy " + PolicyName, After: r.Policy.Pretty(),
		Action: "iam:PutRolePolicy", Resource: r.ARN, Document: r.Policy, PolicyName: PolicyName,
	}
	if a.Inline == "" {
		if a.Exists {
			step.Reason = "it is not there"
		}
		return []Step{step}
	}
	is, err := ParseDocument(a.Inline)
	if err == nil && is.Equal(*r.Policy) {
		return nil
	}
	step.Before, step.Reason = show(a.Inline), "it does not allow exactly what "+r.holder().String()+" needs"
	if err != nil {
		step.Reason = "the one there is not one of ours: " + awserr.Redact(err.Error())
	}
	return []Step{step}
}

// tagSteps adds and changes our tags and the user's. Tags of others stay, and
// so does a cluster id that this run could not learn. IAM finds tags by key
// whatever its case.
func tagSteps(r Role, a *Actual) []Step {
	lower := map[string]string{}
	for k := range a.Tags {
		lower[strings.ToLower(k)] = k
	}
	before, after := map[string]string{}, map[string]string{}
	for k, v := range r.Tags {
		is, there := lower[strings.ToLower(k)]
		if there && a.Tags[is] == v {
			continue
		}
		after[k] = v
		if there {
			before[is] = a.Tags[is]
		}
	}
	if len(after) == 0 {
		return nil
	}
	return []Step{{
		Kind: TagRole, What: "tags", Reason: tagReason(r, a, before, after), Before: awserr.Redact(TagLines(before)), After: TagLines(after),
		Action: "iam:TagRole", Resource: r.ARN, Tags: after, Unattached: cmp.Or(a.Tags[render.TagPolicy], noPolicy),
	}}
}

// tagReason is why tags are missing that earlier versions did not set; "" where that is
// not all.
func tagReason(r Role, a *Actual, before, after map[string]string) string {
	for key := range after {
		if key != render.TagBucket && key != render.TagPolicy {
			return ""
		}
	}
	if len(before) > 0 || a.Tags[render.TagManagedBy] != r.Tags[render.TagManagedBy] {
		return ""
	}
	return notSetEarlier
}

// show is a document that was found, for people: indented if it can be read,
// else quoted, because it is somebody else's text.
func show(found string) string {
	if found == "" {
		return ""
	}
	d, err := ParseDocument(found)
	if err == nil {
		return d.Pretty()
	}
	if raw, err := decodeText(found); err == nil {
		found = raw
	}
	return strconv.Quote(awserr.Redact(found))
}

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
		case DeleteRole: // the end of all of them
		default:
			add(partOf()[s.Kind], s.Before, s.After)
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

// partOf are the parts that one step changes.
func partOf() map[Kind]string {
	return map[Kind]string{
		UpdateTrust: partTrust, PutPolicy: partPolicy, DeletePolicy: partPolicy, AttachPolicy: partManaged, DetachPolicy: partManaged,
		PutBoundary: partBoundary, TagRole: partTags,
	}
}

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
