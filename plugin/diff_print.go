package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/differ"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// showDiff prints the plan as a unified diff, or has the user's own program show
// it, and reports whether there is a difference.
func (i *install) showDiff(ctx context.Context, to *ui.UI) (bool, error) {
	pairs, err := i.pairs()
	if err != nil {
		return false, err
	}
	if i.request.ExternalDiff != "" {
		return i.externalDiff(ctx, i.request.ExternalDiff, pairs, i.Stream(to))
	}
	text := differ.Unified(pairs)
	if len(text) == 0 {
		return false, nil
	}
	return true, to.Patch(string(text))
}

// pairs are the two sides of everything in the plan that could be looked at: the
// objects in apply order, then those that go, then the role.
func (i *install) pairs() ([]differ.Pair, error) {
	var pairs []differ.Pair
	for _, item := range i.plan.All() {
		live, would := item.Live, item.Would
		switch {
		case item.Action == apply.Unknown, item.Action == apply.Gone:
			continue
		case item.Action != apply.Create && !showsChange(item):
			would = live
		}
		pair, err := differ.Objects(live, would)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair)
	}
	if i.role == nil {
		return pairs, nil
	}
	return append(pairs, rolePairs(i.role)...), nil
}

// rolePairs are the two sides of all that a plan changes about a role.
func rolePairs(plan *iam.Plan) []differ.Pair {
	var pairs []differ.Pair
	for _, part := range plan.Parts() {
		name := "iam.role." + plan.Role.Name + "." + part.Name
		pairs = append(pairs, differ.Pair{Name: name, Why: part.Why, Before: part.Before, After: part.After})
	}
	return pairs
}

// showsChange reports whether there is more to an object that is there than a
// change of hands. What others did to it between the two readings is no change of
// ours.
func showsChange(item *apply.Item) bool {
	switch item.Action {
	case apply.Delete:
		return true
	case apply.Update: // without either, what changes could not be foretold
		return len(item.Changes) > 0 || len(item.Owned) == 0 && item.Why != apply.TakenAsItIs && !item.Takes()
	}
	return false
}
