package plan

import (
	"context"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Refusal is the error of all checks that failed, nil if none did.
func Refusal(outcomes []check.Outcome) error {
	failed := check.Having(outcomes, check.Failed)
	if len(failed) == 0 {
		return nil
	}
	several := &problem.Several{Note: "nothing was changed"}
	for _, outcome := range failed {
		if errors.Is(outcome.Err, context.Canceled) || errors.Is(outcome.Err, context.DeadlineExceeded) {
			return outcome.Err
		}
		for _, one := range problemsOf(outcome) {
			// A permission that is missing is said by the check for permissions, not by
			// every request that needed it.
			if outcome.ID == check.IDObjects && apierrors.IsForbidden(one.Err) && failedToo(failed, check.IDClusterRights) {
				continue
			}
			several.Problems = append(several.Problems, one)
		}
	}
	return several
}

// problemsOf gives each of several problems its own three parts.
func problemsOf(outcome check.Outcome) []*problem.Error {
	var parts *problem.Several
	if !errors.As(outcome.Err, &parts) {
		return []*problem.Error{outcome.Problem()}
	}
	problems := make([]*problem.Error, len(parts.Problems))
	for n, part := range parts.Problems {
		problems[n] = check.Outcome{Check: outcome.Check, Finding: check.Fail(part)}.Problem()
	}
	return problems
}

func failedToo(failed []check.Outcome, id string) bool {
	return slices.ContainsFunc(failed, func(o check.Outcome) bool { return o.ID == id })
}

// Refused is the error for all that install would refuse, of a plan with Compare; nil if
// nothing.
func (p Plan) Refused(ctx context.Context) error {
	several := &problem.Several{}
	if err := Refusal(p.Outcomes); err != nil && !errors.As(err, &several) {
		return err
	}
	failed := check.Having(p.Outcomes, check.Failed)
	for _, item := range p.Objects.All() {
		switch {
		case item.Err == nil,
			apierrors.IsForbidden(item.Err) && failedToo(failed, check.IDClusterRights),
			item.Ref.IsBucket() && failedToo(failed, check.IDBucketCRD):
			continue // or said already
		}
		several.Problems = append(several.Problems, inParts(item.Err))
	}
	if p.Objects.InventoryErr != nil {
		several.Problems = append(several.Problems, inParts(p.Objects.InventoryErr))
	}
	if len(several.Problems) == 0 {
		return nil
	}
	several.Note = "install would refuse; the diff is of everything else"
	return tutorialFirst(ctx, p.Desired, several)
}

// inParts is an error in three parts, as far as it has them.
func inParts(err error) *problem.Error {
	if one, ok := errors.AsType[*problem.Error](err); ok {
		return one
	}
	return &problem.Error{Kind: problem.Failed, What: err.Error(), Err: err}
}

// tutorialFirst makes one problem of all in a refusal that `install --adopt` would solve,
// and says it first. That the S3 bucket is not managed by ostoy-s3 stays a problem of its
// own, unless a role lets the app in already: anybody who can edit the project can apply
// the tutorial's objects, with the name of a bucket of others.
func tutorialFirst(ctx context.Context, d Desired, refused error) error {
	var several *problem.Several
	if !errors.As(refused, &several) {
		return refused
	}
	fits := func() bool { return tutorialRoleFits(ctx, d) }
	return &problem.Several{Problems: adoptionFirst(several.Problems, d.Project.Name(), fits), Note: several.Note}
}

func adoptionFirst(problems []*problem.Error, namespace string, roleFits func() bool) []*problem.Error {
	byHand := func(p *problem.Error) bool { return errors.Is(p.Err, apply.ErrAdoptable) }
	var names []string
	for _, p := range problems {
		if byHand(p) {
			name, _, _ := strings.Cut(p.What, " in "+namespace)
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return problems
	}
	one := &problem.Error{
		Kind: problem.Refused,
		What: "project " + namespace + " has OSToy as the ROSA tutorial makes it by hand",
		Why:  "not ours: " + strings.Join(names, ", "),
		Next: advice.Command("oc ostoy-s3 install", "-n", namespace, "--adopt") + " adopts it with its data; with --dry-run=server it only shows what would change",
		More: "docs/moving.md",
		Err:  apply.ErrAdoptable,
	}
	hasBucket := slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "Bucket ") })
	rest := slices.DeleteFunc(slices.Clone(problems), func(p *problem.Error) bool {
		return byHand(p) || hasBucket && p.More == bucket.MoreForeign && roleFits()
	})
	return append([]*problem.Error{one}, rest...)
}
