package check

import (
	"cmp"
	"slices"
	"strings"
)

// worstFirst is one finding of several: it ends as the worst of them, and what each of
// the others has to say follows on a line of its own, so that none hides another.
func worstFirst(all []Finding) Finding {
	order := []Status{Failed, Warned, NotAllowed, Skipped, Passed}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status))
	})
	worst := Pass()
	var why, next []string
	for n, one := range all {
		switch {
		case n == 0:
			worst, why = one, append(why, one.Why)
		case one.Status == Passed || slices.ContainsFunc(all[:n], one.same):
			continue
		case one.Status == NotAllowed:
			why = append(why, "not allowed: "+one.What+"; "+one.Why)
		default:
			why = append(why, one.What+": "+one.Why)
		}
		next = append(next, one.Next) // whole: a step that two have in common is one of each
	}
	worst.Why, worst.Next = lines(why), lines(next)
	return worst
}

func (f Finding) same(other Finding) bool {
	return f.Status == other.Status && f.What == other.What && f.Why == other.Why
}

// lines are some texts, each once, that are not empty.
func lines(all []string) string {
	var some []string
	for _, one := range all {
		if one != "" && !slices.Contains(some, one) {
			some = append(some, one)
		}
	}
	return strings.Join(some, "\n")
}
