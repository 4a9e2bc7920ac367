package check

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
)

// look is how a check looks at one of the things that it is about.
type look = func(context.Context) Finding

// every is a look at several things.
func every(looks ...look) look {
	return func(ctx context.Context) Finding {
		return worstFirst(together(looks, func(one look) Finding { return one(ctx) }))
	}
}

// inTurn is a look at one thing and then at others, which are looked at only if nothing
// is wrong with the first: they would only repeat the same cause.
func inTurn(first look, then ...look) look {
	return func(ctx context.Context) Finding {
		found := first(ctx)
		if !found.met() {
			return found
		}
		return worstFirst([]Finding{found, every(then...)(ctx)})
	}
}

// together asks for several things at the same time and answers in their order.
func together[K, V any](keys []K, ask func(K) V) []V {
	answers := make([]V, len(keys))
	var all sync.WaitGroup
	for i, key := range keys {
		all.Go(func() { answers[i] = ask(key) })
	}
	all.Wait()
	return answers
}

// worstFirst is one finding of several: it ends as the worst of them, and what each of
// the others has to say follows on a line of its own, so that none hides another. What
// was skipped says something only if there was nothing to look at at all.
func worstFirst(all []Finding) Finding {
	order := []Status{Failed, Warned, NotAllowed, Passed, Skipped}
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
		case one.Status == Passed || one.Status == Skipped || slices.ContainsFunc(all[:n], one.same):
			continue
		case one.Status == NotAllowed:
			why = append(why, "not allowed: "+one.What+"; "+one.Why)
		case one.What == worst.What:
			why = append(why, one.Why)
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
	return strings.Join(distinct(slices.DeleteFunc(all, func(one string) bool { return one == "" })), "\n")
}

// distinct are some texts in their order, each once.
func distinct(all []string) []string {
	var some []string
	for _, one := range all {
		if !slices.Contains(some, one) {
			some = append(some, one)
		}
	}
	return some
}

// mergedInto are the checks that are part of another one now: what each looked at is in
// the finding of the check that it is mapped to. Their ids are in scripts of users, so
// they stay valid.
func mergedInto() map[string]string {
	return map[string]string{
		"annotation-domain": IDServiceAccount,
		"role-annotation":   IDServiceAccount,
		"token-annotations": IDServiceAccount,

		"pod-audience":        IDPodIdentity,
		"pod-credentials":     IDPodIdentity,
		"pod-region":          IDPodIdentity,
		"pod-role":            IDPodIdentity,
		"pod-service-account": IDPodIdentity,
		"pod-token-readable":  IDPodIdentity,
		"webhook-skipped":     IDPodIdentity,

		"role-boundary": "role-policy",
		"trust-issuer":  IDTrust,
		"trust-subject": IDTrust,
		"trust-others":  IDTrustAudience,

		"bucket-deleting":  IDBucketObject,
		"bucket-name":      IDBucketObject,
		"bucket-read-only": IDBucketObject,
		"bucket-retain":    IDBucketObject,
		"bucket-region":    IDBucketObject,
		"bucket-public":    "bucket-settings",
		"bucket-tags":      "bucket-settings",
		"bucket-tls":       "bucket-settings",
		"bucket-twice":     IDBucketReach,

		"app-bucket-wait": IDAppAvailable,
		"app-image":       IDAppAvailable,
		"app-scaled-down": "app-strategy",

		"leftovers": "drift",

		"controller-crash":  "controller-running",
		"controller-owner":  "controller-single",
		"controller-region": "controller-config",
		"controller-watch":  "controller-config",
	}
}

// Current are the ids of the checks that look at what ids name, each once, and a
// sentence about each id that a check had before it became part of another one. An id
// that no check has ever had stays as it is.
func Current(ids []string) (current, notes []string) {
	for _, id := range ids {
		if now, merged := mergedInto()[id]; merged {
			notes = append(notes, "check "+id+" is now part of "+now)
			id = now
		}
		current = append(current, id)
	}
	return distinct(current), notes
}
