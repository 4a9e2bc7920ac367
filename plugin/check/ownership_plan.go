package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

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

// sameFlags is said where a plan differs: it knows nothing of the flags that the
// install was given.
const sameFlags = "where install was given -f or --set, give check the same"

// drift is what install, called as this check was, would change, but for what
// has a check of its own.
func (o ownLook) drift(ctx context.Context) Finding {
	plan, err := o.Plan(ctx)
	if err != nil || plan == nil {
		return Leave("install cannot plan here")
	}
	var lines []string
	for _, item := range plan.Items {
		switch item.Action {
		case apply.Create:
			if !slices.Contains(toldWhenMissing(), item.Ref.Kind) {
				lines = append(lines, item.Ref.String()+" is not there")
			}
		case apply.Update:
			for _, change := range item.Changes {
				if !toldElsewhere(item.Ref.Kind, change) {
					lines = append(lines, item.Ref.String()+" "+changeText(change))
				}
			}
		}
	}
	if len(lines) == 0 {
		return Pass()
	}
	return Warn(
		"what is there differs from what install makes", strings.Join(capped(lines), "; "),
		"to restore it: "+installIn(o.Namespace)+"\n"+sameFlags,
	)
}

// toldWhenMissing are the kinds of which another check tells that one is missing.
func toldWhenMissing() []string {
	return []string{"Bucket", "Deployment", "PersistentVolumeClaim", "Service", "ServiceAccount"}
}

// toldElsewhere reports whether another check looks at a field: what is wrong is
// told once, by the one who knows what it means.
func toldElsewhere(kind string, change apply.FieldChange) bool {
	path := change.Path
	any := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(path, part) })
	}
	switch kind {
	case "Bucket":
		return any("services.k8s.aws/", "spec.publicAccessBlock")
	case "ServiceAccount":
		return any("amazonaws.com/", "amazon.com/")
	case "Service":
		return any("spec.selector", "targetPort")
	case "Deployment":
		return any("spec.replicas", "spec.strategy", "serviceAccount", "AWS_", "aws-iam-token", "ostoy-s3/") ||
			// a container's only mount comes or goes as the whole list
			strings.HasSuffix(path, "volumeMounts") && strings.Contains(fmt.Sprint(change.Before, change.After), "aws-iam-token")
	}
	return false
}

// changeText is one change, with who made it where that is on record. Values of
// Secrets are not in the plan.
func changeText(change apply.FieldChange) string {
	text := fmt.Sprintf("%s: %s, and is to be %s", change.Path, shown(change.Before), shown(change.After))
	if change.Manager != "" {
		text += " (changed by " + change.Manager + ")"
	}
	return text
}

func shown(value any) string {
	const longest = 60
	if value == nil {
		return "absent"
	}
	text := plain.Line(fmt.Sprintf("%v", value))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "..."
	}
	return text
}

// capped leaves so many lines as a reader takes in.
func capped(lines []string) []string {
	const most = 5
	if len(lines) <= most {
		return lines
	}
	return append(slices.Clone(lines[:most]), fmt.Sprintf("and %d more", len(lines)-most))
}

// leftovers are objects of ours that are no longer part of the set: those on
// record, and those that an inventory which was lost would have named.
func (o ownLook) leftovers(ctx context.Context) Finding {
	plan, err := o.Plan(ctx)
	if err != nil || plan == nil {
		return Leave("install cannot plan here")
	}
	var names []string
	for _, item := range plan.Left {
		if item.Action == apply.Delete {
			names = append(names, item.Ref.Resource())
		}
	}
	for _, object := range o.everything(ctx) {
		if name := apply.RefOf(object).Resource(); unknown(plan, object) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return Pass()
	}
	return Warn(
		"left over from an earlier install: "+strings.Join(capped(names), ", "),
		"install made it and no longer does: it runs on, and may be reached, for nothing",
		"to remove what is on record: "+installIn(o.Namespace)+"\nto remove the rest: "+advice.Command("oc delete", "-n", o.Namespace, "KIND/NAME")+"\n"+sameFlags,
	)
}

// unknown reports whether an object is ours, and neither in the set nor data.
func unknown(plan *apply.Plan, object *unstructured.Unstructured) bool {
	ref := apply.RefOf(object)
	if !apply.Ours(object) || ref.IsBucket() || ref.Name == apply.InventoryName {
		return false
	}
	return !slices.ContainsFunc(plan.Items, func(item *apply.Item) bool {
		return item.Ref.Kind == ref.Kind && item.Ref.Name == ref.Name
	})
}
