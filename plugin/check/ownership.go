package check

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
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
	return []Check{
		{
			ID: IDEngines, Group: Ownership, Severity: Error, Needs: []string{IDServer},
			Title: "one engine manages the objects", Run: o.engines,
		},
		{ID: "inventory", Group: Ownership, Severity: Warning, Needs: here, Title: "what was installed is on record", Run: o.inventory},
		{
			ID: "drift", Group: Ownership, Severity: Warning, Needs: append(here, IDObjects, IDRouteAPI),
			Title: "the objects are as install made them", Run: o.drift,
		},
		{
			ID: "leftovers", Group: Ownership, Severity: Warning, Needs: append(here, IDObjects, IDRouteAPI),
			Title: "nothing of ours is left over", Run: o.leftovers,
		},
		{
			ID: "tutorial-leftovers", Group: Ownership, Severity: Warning, Needs: here,
			Title: "nothing of the tutorial is left over", Run: o.tutorial,
		},
	}
}

// marked are the kinds in which an engine's marks are looked for: each is listed
// anyway, for other checks.
func marked() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{live.Deployments(), live.Services(), live.ServiceAccounts(), live.ConfigMaps(), live.Buckets()}
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
		return Refuse(
			by+" and install both manage "+strings.Join(both, ", "),
			"each reverts what the other changes; install refuses to continue",
			"keep one of them; to leave the objects to "+by+": "+advice.Command("oc ostoy-s3 release", "-n", o.Namespace)+
				"\nor remove the app there, then "+installIn(o.Namespace, "--force-owner"),
		)
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
	again := "to write it again, with the objects that ostoy-s3 manages by their managedFields: " + installIn(o.Namespace)
	inventory, err := o.Inventory(ctx)
	if err != nil {
		return Fail(err)
	}
	if !inventory.Found {
		frontend, err := o.One(ctx, live.Deployments(), frontendName)
		if err != nil || frontend == nil || !apply.Ours(frontend) {
			return Leave("the app was not installed by this tool")
		}
		return Warn(
			"the inventory (ConfigMap "+apply.InventoryName+") is not there",
			"somebody deleted it: uninstall does not know what install created, or who created the bucket and the project", again,
		)
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
