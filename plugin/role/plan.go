package role

import (
	"cmp"
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/differ"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// document is that of `iam plan -o json`.
type document struct {
	Role   string     `json:"role"` // ARN
	Exists bool       `json:"exists"`
	Steps  []iam.Step `json:"steps"`
	Notes  []string   `json:"notes,omitempty"`
}

// Plan prints what install would change in IAM, and changes nothing. A role of the name
// that is not the install's is a refusal, and so is, after the plan, that the app is not
// installed; with strict, a role that differs is one, too.
func Plan(ctx context.Context, s *session.Session, r Request, output session.Format, strict bool) error {
	found, absent, err := r.planned(ctx, s)
	if err != nil {
		return err
	}
	if err := r.valid(found.Facts); err != nil {
		return err
	}
	if err := project.Identify(ctx, &found, r.Facts.Profile); err != nil {
		return err
	}
	plan, err := r.plan(ctx, iam.New(found.AWS.In(found.Facts.Region)), found.Facts)
	if err != nil {
		return err
	}
	if plan.Creates() && absent != nil {
		absent()
	}
	if err := write(s, plan, output); err != nil {
		return err
	}
	if plan.Creates() && absent != nil { // also where you may not look into what may be somebody's project
		name := found.Facts.Namespace.Value
		return problem.Refuse("nothing is installed in project "+name, "the project does not exist, or you have no access to it", project.NewProject(name))
	}
	if r.Of == OfApp && plan.Creates() && found.Conn != nil { // if all facts are given, the cluster is not asked
		if err := presence.RequireIfAny(ctx, s, r.Facts); err != nil {
			return err
		}
	}
	if !strict || plan.Empty() {
		return nil
	}
	return problem.Refuse("the role "+plan.Role.Label()+" is not as it should be",
		fmt.Sprintf("%d of its parts differ, and --check asks for none", len(plan.Steps)),
		"the same command without --check shows them; install, or iam render, puts them right")
}

// planned are the facts of the role that install would create or change. The project of the
// app may not exist yet: absent says so, and is nil for one that exists.
func (r Request) planned(ctx context.Context, s *session.Session) (found detect.Result, absent func(), err error) {
	if r.Of == OfController {
		found, err = r.facts(ctx, s)
		return found, absent, err
	}
	found, err = project.Detect(ctx, s, r.Facts, detect.AskNeeded)
	if named := found.Facts.Namespace; err == nil && found.Conn != nil && found.Facts.Validate() == nil {
		// Not seen because the server fails: whatever needs it says so.
		if state, unseen := project.LookAt(ctx, found.Conn, named.Value); unseen == nil && state.Missing() {
			if found.IssuerNeedsProject {
				found = project.Pending(found)
			}
			absent = func() {
				project.WarnOfAbsent(ctx, s.UI, found.Conn, named, state, "its role would be created")
				for _, note := range found.Notes {
					s.UI.Linef("note  %s", plain.InLine(note))
				}
			}
		}
	}
	found, err = project.Completed(found, err)
	return found, absent, err
}

// valid reports what cannot be about the role, whatever it may do.
func (r Request) valid(f render.Facts) error {
	if r.Of == OfController && r.Role.BucketPattern == "" && r.Role.PolicyARN == "" {
		r.Role.BucketPattern = iam.OwnBucketPattern
	}
	_, err := r.desired(f)
	return err
}

// plan compares the role that is meant with the one that IAM has.
func (r Request) plan(ctx context.Context, api iam.Reader, f render.Facts) (*iam.Plan, error) {
	name, actual, err := r.read(ctx, api, f)
	if err != nil {
		return nil, err
	}
	r.Role.Name = name
	var notes []string
	if r.Of == OfController { // its path, and its pattern or its one managed policy, stay
		if r.Role, notes, err = kept(r.Role, actual, f); err != nil {
			return nil, err
		}
	}
	desired, err := r.desired(f)
	if err != nil {
		return nil, err
	}
	plan, err := iam.NewPlan(desired, actual, f)
	if err == nil {
		plan.Notes = append(plan.Notes, notes...)
	}
	return plan, err
}

// read is the role that is meant, and its name.
func (r Request) read(ctx context.Context, api iam.Reader, f render.Facts) (name string, actual *iam.Actual, err error) {
	if f.IssuerPending() {
		return cmp.Or(r.Role.Name, render.RoleName(f.Issuer.Value, f.Namespace.Value)), &iam.Actual{}, nil
	}
	if name = r.Role.Name; name != "" {
		actual, err = iam.Read(ctx, api, name, false)
	} else {
		name, actual, err = r.holder().Usual(ctx, api, f, iam.Counts{Any: r.Role.Adopt})
	}
	actual, err = iam.ToCreate(actual, err)
	return name, actual, err
}

// kept are the options for a controller's role that exists, and what to note about
// them. No inventory is read here: of managed policies the only one that is attached is
// kept, and the pattern is that of the policy.
func kept(o iam.ControllerOptions, actual *iam.Actual, f render.Facts) (keeping iam.ControllerOptions, notes []string, err error) {
	attached := iam.ControllerOptions{}
	if len(actual.Attached) == 1 {
		attached.PolicyARN = actual.Attached[0]
	}
	keeping = o.Keeping(actual, attached, f)
	switch {
	case actual.Exists && keeping.BucketPattern == "" && keeping.PolicyARN == "":
		return keeping, nil, iam.NoBucketPattern(true)
	case o.BucketPattern == "" && keeping.BucketPattern != "":
		notes = []string{"the bucket pattern " + advice.BucketPattern(keeping.BucketPattern).String() + " is read from the policy " + iam.PolicyName + " of the role, which somebody may have changed; controller install uses the recorded one"}
	}
	return keeping, notes, nil
}

func write(s *session.Session, plan *iam.Plan, output session.Format) error {
	if output == session.FormatJSON {
		return s.WriteJSON(document{Role: plan.Role.ARN, Exists: !plan.Creates(), Steps: append([]iam.Step{}, plan.Steps...), Notes: plan.Notes})
	}
	for _, note := range plan.Notes {
		s.UI.Warn(plain.InLine(note), "")
	}
	switch {
	case plan.Empty():
		s.UI.Line("nothing to change: the role " + plan.Role.Label() + " is as it should be")
		return nil
	case plan.Creates():
		s.UI.Line("the role " + plan.Role.Label() + " would be made")
	default:
		s.UI.Line("the role " + plan.Role.Label() + " would be changed")
	}
	return s.Report.Patch(string(differ.Unified(announce.RolePairs(plan))))
}
