package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// IDEngines is the check that object-foreign needs: what GitOps brings is not
// for us to plan.
const IDEngines = "two-engines"

// ownLook are the checks of whose things are.
type ownLook struct{ *live.World }

// ownershipChecks are about whose things are, and what is left over.
func ownershipChecks(w *live.World) []Check {
	o := ownLook{w}
	here := []string{IDInstalled}
	return inGroup(Ownership, []Check{
		{ID: IDEngines, Severity: Error, Needs: []string{IDServer}, Title: "one engine manages the objects", Run: o.engines},
		{ID: "inventory", Severity: Warning, Needs: here, Title: "what was installed is on record", Run: o.inventory},
		{
			ID: "drift", Severity: Warning, Needs: append(here, IDObjects, IDRouteAPI),
			Title: "the objects are those that install makes, and no others are left over", Run: o.planned,
		},
		{ID: "tutorial-leftovers", Severity: Warning, Needs: here, Title: "nothing of the tutorial is left over", Run: o.tutorial},
	})
}

// marked are the kinds in which an engine's marks are looked for: each is listed
// anyway, for other checks.
func marked() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{kinds.Deployment.GVR(), kinds.Service.GVR(), kinds.ServiceAccount.GVR(), kinds.ConfigMap.GVR(), kinds.Bucket.GVR()}
}

// everything are the objects of those kinds. What may not be read, or is not
// served, has no marks.
func (o ownLook) everything(ctx context.Context) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, objects := range together(marked(), func(resource schema.GroupVersionResource) []*unstructured.Unstructured {
		list, _ := o.Here(ctx, resource)
		return list
	}) {
		all = append(all, objects...)
	}
	return all
}

// engines: Argo CD, Flux or Helm on what install applied, too. What they alone
// brought is theirs, and changed in Git.
func (o ownLook) engines(ctx context.Context) Finding {
	var both, theirs []string
	names, by := ownNames(o.Namespace), ""
	for _, object := range o.everything(ctx) {
		engine := apply.DeliveredBy(object)
		if engine == "" || !slices.Contains(names, object.GetKind()+" "+object.GetName()) {
			continue
		}
		by = engine
		if apply.Ours(object) {
			both = append(both, apply.RefOf(object).String())
		} else {
			theirs = append(theirs, apply.RefOf(object).String())
		}
	}
	switch {
	case len(both) > 0:
		return Refuse(by+" and install both manage "+strings.Join(both, ", "),
			"each reverts what the other changes; install refuses to continue",
			"keep one of them; to leave the objects to "+by+": "+advice.Command("oc ostoy-s3 release", "-n", o.Namespace)+
				"\nor remove the app there, then take it over: "+live.Hands{}.Install(o.Namespace, "--force-owner"))
	case len(theirs) > 0:
		return Leave(by + " delivers the app: what it is to be stands in Git")
	}
	return Pass()
}

// ownNames are the objects that the chart makes, of the kinds in marked.
func ownNames(namespace string) []string {
	return []string{
		"Deployment " + frontendName, "Deployment " + microserviceName,
		"Service " + frontendName + "-svc", "Service " + microserviceName + "-svc",
		"ServiceAccount " + render.ServiceAccount, "ConfigMap ostoy-configmap-files",
		"Bucket " + render.BucketName(namespace),
	}
}

// inventory: without it uninstall and the next install know less of what was
// made. GitOps leaves none, and needs none.
func (o ownLook) inventory(ctx context.Context) Finding {
	again := "to write it again, with the objects that ostoy-s3 manages by their managedFields: " + installIn(o.World)
	inventory, err := o.Inventory(ctx)
	if err != nil {
		return Fail(err)
	}
	if !inventory.Found {
		frontend, err := o.One(ctx, kinds.Deployment.GVR(), frontendName)
		if err != nil || frontend == nil || !apply.Ours(frontend) {
			return Leave("the app was not installed by this tool")
		}
		return Warn("the inventory (ConfigMap "+apply.InventoryName+") is not there",
			"somebody deleted it: uninstall does not know what install created, or who created the bucket and the project", again)
	}
	flaws := inventory.Flaws(o.Namespace)
	if plan, err := o.Plan(ctx); err == nil && plan != nil {
		flaws = append(flaws, misnamed(plan)...)
	}
	if len(flaws) == 0 {
		return Pass()
	}
	return Warn("the inventory (ConfigMap "+apply.InventoryName+") is not right", strings.Join(flaws, "; "), again)
}

// misnamed is what the inventory names and should not.
func misnamed(plan *apply.Plan) []string {
	var flaws []string
	for _, ref := range plan.Gone() {
		flaws = append(flaws, "it names "+ref.String()+", which is not there")
	}
	for _, item := range plan.Left {
		switch {
		case item.Action == apply.Gone:
			flaws = append(flaws, "it names "+item.Ref.String()+": "+item.Why)
		case item.Action == apply.Keep && item.Live != nil && !apply.Ours(item.Live):
			flaws = append(flaws, "it names "+item.Ref.String()+", which is not ours")
		}
	}
	return flaws
}

// sameFlags is said where a plan differs: it knows nothing of the flags that the
// install was given.
const sameFlags = "where install was given -f or --set, give check the same"

// planned judges what install, called as this check was, would change and delete.
func (o ownLook) planned(ctx context.Context) Finding {
	plan, err := o.Plan(ctx)
	if err != nil || plan == nil {
		return Leave("install cannot plan here")
	}
	return worstFirst([]Finding{o.drift(plan), o.leftovers(ctx, plan)})
}

// drift is what install would change, but for what has a check of its own.
func (o ownLook) drift(plan *apply.Plan) Finding {
	var lines []string
	for _, item := range plan.Items {
		if item.Action != apply.Update { // what does not exist another check names
			continue
		}
		for _, change := range item.Changes {
			if !toldElsewhere(item.Ref.Kind, change) {
				lines = append(lines, item.Ref.String()+" "+changeText(change))
			}
		}
	}
	if len(lines) == 0 {
		return Pass()
	}
	return Warn("what is there differs from what install makes", strings.Join(capped(lines), "; "),
		"to restore it: "+installIn(o.World)+"\n"+sameFlags)
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
func (o ownLook) leftovers(ctx context.Context, plan *apply.Plan) Finding {
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
	return Warn("left over from an earlier install: "+strings.Join(capped(names), ", "),
		"install made it and no longer does: it runs on, and may be reached, for nothing",
		"to remove what is on record: "+installIn(o.World)+"\nto remove the rest: "+advice.Command("oc delete", "-n", o.Namespace, "KIND/NAME")+"\n"+sameFlags)
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
