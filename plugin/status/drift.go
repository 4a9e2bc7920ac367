package status

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

// drift is what the two plans of install would change.
func (f Found) drift() Drift {
	d := Drift{Cluster: []ObjectDrift{}, IAM: []RoleDrift{}}
	for _, item := range append(slices.Clone(f.Plan.Items), f.Plan.Left...) {
		if drift, ok := objectDrift(item); ok {
			d.Cluster = append(d.Cluster, drift)
		}
		if item.Err != nil && item.Live == nil {
			d.Unseen = append(d.Unseen, item.Ref.String()+": "+Why(item.Err))
		}
	}
	switch {
	case f.AWS.RoleErr != nil:
		d.Unseen = append(d.Unseen, "the role: "+whyAWS(f.AWS.RoleErr, "iam:GetRole, iam:GetRolePolicy"))
	case f.othersRole(): // not install's to change
	case f.AWS.PlanErr != nil:
		d.IAM = append(d.IAM, RoleDrift{What: "role", Reason: whyAWS(f.AWS.PlanErr, "")})
	default:
		d.IAM = roleDrift(f.AWS.Plan)
	}
	d.Part = d.summary(f.Again)
	return d
}

func (d Drift) summary(again string) Part {
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
		return Part{Warning, strings.Join(what, " and "), again}
	case len(d.Unseen) > 0:
		return Part{Mark: Unknown, Text: "none in what could be looked at"}
	}
	return Part{Mark: OK, Text: "none"}
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
