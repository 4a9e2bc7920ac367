package status

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

func (f Found) role() Role {
	r := Role{ARN: f.RoleARN}
	if err := f.AWS.RoleErr; err != nil {
		r.Part = Part{Mark: Unknown, Text: whyAWS(err, "iam:GetRole, iam:GetRolePolicy")}
		r.Trust, r.Policy = Part{Mark: Unknown}, Part{Mark: Unknown}
		return r
	}
	actual := f.AWS.Role
	if !actual.Exists {
		gone := Part{Wrong, "it is not there, so no pod can reach the bucket", f.Again}
		r.Part, r.Trust, r.Policy = gone, gone, gone
		return r
	}
	r.Exists = true
	r.LastUsed, r.LastUsedRegion = actual.LastUsed, shown(actual.LastUsedRegion, advice.Region)
	if f.AWS.PlanErr == nil { // else it is another's role, which only the inventory names
		r.Boundary, r.Tags = shown(actual.Boundary, advice.PolicyARN), shownTags(actual.Tags)
		for _, arn := range actual.Attached {
			r.Attached = append(r.Attached, shown(arn, advice.PolicyARN))
		}
	}
	if f.othersRole() && (f.AWS.PlanErr != nil || !f.AWS.Plan.Empty()) {
		r.Trust, r.Policy = Part{Mark: Unknown}, Part{Mark: Unknown}
		r.Part = Part{Unknown, "made by somebody else (--iam=skip), and not as install would make it", f.check()}
		return r
	}
	if f.AWS.PlanErr != nil {
		r.Trust, r.Policy = Part{Mark: Unknown}, Part{Mark: Unknown}
		r.Part = Part{Wrong, whyAWS(f.AWS.PlanErr, ""), f.check()}
		return r
	}
	for _, note := range f.AWS.Plan.Notes {
		r.Notes = append(r.Notes, plain.Line(note))
	}
	r.judge(f)
	return r
}

// othersRole reports whether the role is on record as one that somebody else makes.
// What install would change about it is then no drift; whether the app can work
// with it is for check to say.
func (f Found) othersRole() bool {
	return f.Inventory.RoleOrigin == apply.OriginExisting && f.AWS.Role != nil && f.AWS.Role.Exists
}

// judge tells trust and permissions apart.
func (r *Role) judge(f Found) {
	r.Trust, r.Policy = Part{Mark: OK, Text: "ok"}, Part{Mark: OK, Text: "ok"}
	other := Part{Mark: OK}
	for _, step := range f.AWS.Plan.Steps {
		bad := Part{Wrong, "drifted: " + health.OneLine(step.Reason), f.Again}
		switch step.Kind {
		case iam.UpdateTrust:
			r.Trust = bad
		case iam.PutPolicy, iam.AttachPolicy, iam.DeletePolicy:
			r.Policy = bad
		default:
			other = Part{Warning, differs(step), f.Again}
		}
	}
	r.Mark = Worst(r.Trust.Mark, r.Policy.Mark, other.Mark)
	r.Text = "trust " + short(r.Trust) + ", policy " + short(r.Policy)
	if other.Mark != OK {
		r.Text += ", " + other.Text
	}
	if r.Mark != OK {
		r.Hint = f.Again
	}
}

// differs says what is not up to date, and why if the plan knows a reason: a role of an
// earlier version has not drifted, it only lacks tags.
func differs(step iam.Step) string {
	if step.Kind == iam.TagRole && step.Reason != "" {
		return "without the " + step.What + " " + health.OneLine(step.Reason)
	}
	return step.What + " drifted"
}

// short is a Part in a word: what has drifted is told below, under drift.
func short(p Part) string {
	word, _, _ := strings.Cut(p.Text, ":")
	return word
}
