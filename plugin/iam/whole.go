package iam

import "slices"

// Whole are the steps for whoever cannot look at the role first, and prints them
// instead: those where it is not there, and those where it is, whatever has
// become of it. Both are the steps of NewPlan, each is safe to repeat, and after
// either the role is the same. They say nothing of what was before.
func (r Role) Whole() (absent, present []Step) {
	absent = append([]Step{createStep(r)}, policySteps(r, &Actual{})...)
	// Nothing of it is as it should be, and our inline policy may be there.
	is := &Actual{Exists: true, Inlines: []string{PolicyName}}
	present = changes(r, is)
	for i := range present {
		present[i].Reason, present[i].Before = "", ""
	}
	return absent, present
}

// Sorted is the document with its statements and their values in one order, and
// without repetitions, so that two of them can be laid side by side. It means the
// same (see Equal).
func (d Document) Sorted() Document {
	out := d
	out.Statement = make([]Statement, 0, len(d.Statement))
	for _, s := range d.Statement {
		s.Action, s.Resource = sorted(s.Action), sorted(s.Resource)
		s.Principal = sortedValues(s.Principal)
		if s.Condition != nil {
			condition := Condition{}
			for operator, keys := range s.Condition {
				condition[operator] = sortedValues(keys)
			}
			s.Condition = condition
		}
		out.Statement = append(out.Statement, s)
	}
	slices.SortStableFunc(out.Statement, func(a, b Statement) int {
		return slices.Compare([]string{a.Effect, a.canonical()}, []string{b.Effect, b.canonical()})
	})
	return out
}

// sortedValues sorts each list of values.
func sortedValues(lists map[string]Strings) map[string]Strings {
	if lists == nil {
		return nil
	}
	out := make(map[string]Strings, len(lists))
	for key, values := range lists {
		out[key] = sorted(values)
	}
	return out
}
