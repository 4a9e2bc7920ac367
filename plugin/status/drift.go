package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// drift is what the two plans of install would change.
func driftOf(f Found) Drift {
	d := Drift{Cluster: []ObjectDrift{}, IAM: []RoleDrift{}}
	var unread []string
	var errs []error
	for _, item := range append(slices.Clone(f.Plan.Items), f.Plan.Left...) {
		if drift, ok := objectDrift(item); ok {
			d.Cluster = append(d.Cluster, drift)
		}
		if item.Err != nil && item.Live == nil {
			unread, errs = append(unread, item.Ref.String()), append(errs, item.Err)
		}
	}
	d.Unseen = report.Unread(unread, errs)
	switch {
	case f.IAM.RoleErr != nil:
		d.Unseen = append(d.Unseen, "the role: "+whyAWS(f.IAM.RoleErr, "iam:GetRole, iam:GetRolePolicy"))
	case othersRole(f): // not install's to change
	case f.IAM.PlanErr != nil:
		d.IAM = append(d.IAM, RoleDrift{What: "role", Reason: whyAWS(f.IAM.PlanErr, "")})
	default:
		d.IAM = roleDrift(f.IAM.Plan)
	}
	d.Part = d.summary(f.Again)
	return d
}

func (d Drift) summary(again string) report.Part {
	var what []string
	switch n := len(d.Cluster); {
	case n == 1:
		what = append(what, "1 object")
	case n > 1:
		what = append(what, fmt.Sprintf("%d objects", n))
	}
	if len(d.IAM) > 0 {
		what = append(what, "the role")
	}
	switch {
	case len(what) > 0:
		return report.Part{Mark: report.Warning, Text: strings.Join(what, " and "), Hint: again}
	case len(d.Unseen) > 0:
		return report.Part{Mark: report.Unknown, Text: "none in what could be looked at"}
	}
	return report.Part{Mark: report.OK, Text: "none"}
}

// objectDrift says how an object is not as install would make it. Who brings it
// otherwise may be a reason to refuse, but is no drift.
func objectDrift(item *apply.Item) (ObjectDrift, bool) {
	d := ObjectDrift{Object: item.Ref.String(), Action: item.Action, Changes: item.Changes, Why: plain.Line(item.Why)}
	switch {
	case item.Live != nil && item.Live.GetDeletionTimestamp() != nil:
		d.Why = "it is being deleted"
		return d, true
	case item.Live == nil:
		d.Why = "it is not there"
		return d, item.Action == apply.Create
	case item.Action == apply.Delete:
		d.Why = "it is no longer part of the set"
		return d, true
	case len(item.Changes) == 0:
		return d, false
	}
	if by := apply.DeliveredBy(item.Live); by != "" {
		d.Why = plain.Line(by) + " brings it"
	} else if !apply.Ours(item.Live) {
		d.Why = "it is not ours"
	}
	return d, true
}

// roleDrift tells each step as a field of the role.
func roleDrift(plan *iam.Plan) []RoleDrift {
	all := []RoleDrift{}
	for _, step := range plan.Steps {
		reason := plain.Line(step.Reason)
		if step.Kind == iam.CreateRole {
			return []RoleDrift{{What: "role", Reason: "it is not there", After: step.After}}
		}
		all = append(all, RoleDrift{What: step.What, Reason: reason, Before: step.Before, After: step.After})
	}
	return all
}

// ByOthers reports whether somebody else is on record for any of the changes.
// Where nobody is, the object is as an install with other values, or another
// version of the tool, left it, or a field was taken out by hand.
func (d ObjectDrift) ByOthers() bool {
	return d.Why != "" || slices.ContainsFunc(d.Changes, func(c apply.FieldChange) bool { return c.Manager != "" })
}

// IAM is what IAM said, and what it refused.
type IAM struct {
	Role    *iam.Actual
	RoleErr error
	Plan    *iam.Plan
	PlanErr error // install would refuse to touch the role
}

func roleOf(f Found) Role {
	unknown := report.Part{Mark: report.Unknown} // until the plan says otherwise
	r := Role{ARN: f.RoleARN, Trust: unknown, Policy: unknown}
	if err := f.IAM.RoleErr; err != nil {
		r.Part = report.Part{Mark: report.Unknown, Text: whyAWS(err, "iam:GetRole, iam:GetRolePolicy")}
		return r
	}
	actual := f.IAM.Role
	if !actual.Exists {
		gone := report.Part{Mark: report.Wrong, Text: "it is not there, so no pod can reach the bucket", Hint: f.Again}
		r.Part, r.Trust, r.Policy = gone, gone, gone
		return r
	}
	r.Exists = true
	r.LastUsed, r.LastUsedRegion = actual.LastUsed, shown(actual.LastUsedRegion, advice.Region)
	if f.IAM.PlanErr == nil { // else it is another's role, which only the inventory names
		r.Boundary, r.Tags = shown(actual.Boundary, advice.PolicyARN), shownTags(actual.Tags)
		for _, arn := range actual.Attached {
			r.Attached = append(r.Attached, shown(arn, advice.PolicyARN))
		}
	}
	if othersRole(f) && (f.IAM.PlanErr != nil || !f.IAM.Plan.Empty()) {
		r.Part = report.Part{Mark: report.Unknown, Text: "made by somebody else (--iam=skip), and not as install would make it", Hint: f.check()}
		return r
	}
	if f.IAM.PlanErr != nil {
		r.Part = report.Part{Mark: report.Wrong, Text: whyAWS(f.IAM.PlanErr, ""), Hint: f.check()}
		return r
	}
	for _, note := range f.IAM.Plan.Notes {
		r.Notes = append(r.Notes, plain.Line(note))
	}
	r.judge(f)
	return r
}

// othersRole reports whether the role is on record as one that somebody else makes.
// What install would change about it is then no drift; whether the app can work
// with it is for check to say.
func othersRole(f Found) bool {
	return f.Inventory.RoleOrigin == apply.OriginExisting && f.IAM.Role != nil && f.IAM.Role.Exists
}

// judge tells trust and permissions apart.
func (r *Role) judge(f Found) {
	r.Trust, r.Policy = report.Part{Mark: report.OK, Text: "ok"}, report.Part{Mark: report.OK, Text: "ok"}
	other := report.Part{Mark: report.OK}
	for _, step := range f.IAM.Plan.Steps {
		bad := report.Part{Mark: report.Wrong, Text: "drifted: " + plain.Said(step.Reason), Hint: f.Again}
		switch step.Kind {
		case iam.UpdateTrust:
			r.Trust = bad
		case iam.PutPolicy, iam.AttachPolicy, iam.DeletePolicy:
			r.Policy = bad
		default:
			other = report.Part{Mark: report.Warning, Text: differs(step), Hint: f.Again}
		}
	}
	r.Mark = report.Worst(r.Trust.Mark, r.Policy.Mark, other.Mark)
	r.Text = "trust " + short(r.Trust) + ", policy " + short(r.Policy)
	if other.Mark != report.OK {
		r.Text += ", " + other.Text
	}
	if r.Mark != report.OK {
		r.Hint = f.Again
	}
}

// differs says what is not up to date, and why if the plan knows a reason: a role of an
// earlier version has not drifted, it only lacks tags.
func differs(step iam.Step) string {
	if step.Kind == iam.TagRole && step.Reason != "" {
		return "without the " + step.What + " " + plain.Said(step.Reason)
	}
	return step.What + " drifted"
}

// short is a Part in a word: what has drifted is told below, under drift.
func short(p report.Part) string {
	word, _, _ := strings.Cut(p.Text, ":")
	return word
}
