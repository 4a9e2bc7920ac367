package plugin

import (
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/differ"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// iamPlan is the document of `iam plan -o json`.
type iamPlan struct {
	Role   string     `json:"role"` // ARN
	Exists bool       `json:"exists"`
	Steps  []iam.Step `json:"steps"`
	Notes  []string   `json:"notes,omitempty"`
}

// IAMPlan prints what install would change in IAM, and changes nothing. With
// strict, a role that is not as it should be is a refusal.
func (a *App) IAMPlan(ctx context.Context, request IAMRequest, output Format, strict bool) error {
	found, err := a.roleFacts(ctx, request)
	if err != nil {
		return err
	}
	if err := request.valid(found.Facts); err != nil {
		return err
	}
	if err := a.identify(ctx, &found, request.Facts.Profile); err != nil {
		return err
	}
	name, actual, err := request.read(ctx, iam.New(found.AWS.In(found.Facts.Region)), found.Facts)
	if err != nil {
		return err
	}
	request.Role.Name = name
	var notes []string
	if request.Of == RoleOfController { // its path, and its pattern or its one managed policy, stay
		if request.Role, notes, err = keptRole(request.Role, actual, found.Facts); err != nil {
			return err
		}
	}
	role, err := request.desired(found.Facts)
	if err != nil {
		return err
	}
	plan, err := iam.NewPlan(role, actual, found.Facts)
	if err != nil {
		return err
	}
	plan.Notes = append(plan.Notes, notes...)
	if err := a.printIAMPlan(plan, output); err != nil {
		return err
	}
	if !strict || plan.Empty() {
		return nil
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "the role " + role.Label() + " is not as it should be",
		Why:  fmt.Sprintf("%d of its parts differ, and --check asks for none", len(plan.Steps)),
		Next: "the same command without --check shows them; install, or iam render, puts them right",
	}
}

// keptRole are the options for a controller's role that exists, and what to note about
// them. No inventory is read here: of managed policies the only one that is attached is
// kept, and the pattern is that of the policy.
func keptRole(o iam.ControllerOptions, actual *iam.Actual, f render.Facts) (kept iam.ControllerOptions, notes []string, err error) {
	attached := iam.ControllerOptions{}
	if len(actual.Attached) == 1 {
		attached.PolicyARN = actual.Attached[0]
	}
	kept = o.Keeping(actual, attached, f)
	switch {
	case actual.Exists && kept.BucketPattern == "" && kept.PolicyARN == "":
		return kept, nil, iam.NoBucketPattern(true)
	case o.BucketPattern == "" && kept.BucketPattern != "":
		notes = []string{"the bucket pattern " + advice.BucketPattern(kept.BucketPattern).String() + " is read from the policy " + iam.PolicyName + " of the role, which somebody may have changed; controller install uses the recorded one"}
	}
	return kept, notes, nil
}

func (a *App) printIAMPlan(plan *iam.Plan, output Format) error {
	if output == FormatJSON {
		return a.WriteJSON(iamPlan{Role: plan.Role.ARN, Exists: !plan.Creates(), Steps: append([]iam.Step{}, plan.Steps...), Notes: plan.Notes})
	}
	for _, note := range plan.Notes {
		a.UI.Warn(inLine(note), "")
	}
	if plan.Empty() {
		a.UI.Line("nothing to change: the role " + plan.Role.Label() + " is as it should be")
		return nil
	}
	if plan.Creates() {
		a.UI.Line("the role " + plan.Role.Label() + " would be made")
	} else {
		a.UI.Line("the role " + plan.Role.Label() + " would be changed")
	}
	return a.Report.Patch(string(differ.Unified(rolePairs(plan))))
}
