package olm

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// text is a string field, "" if there is none.
func text(object *unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(object.Object, path...)
	return value
}

// label marks everything of the package in a namespace.
func label(namespace string) string { return "operators.coreos.com/" + Package + "." + namespace }

// subscription finds a CSV for a new Subscription, notes a finished
// installation, and offers an upgrade.
func (o *OLM) subscription(ctx context.Context, v *view, orders orders, sub *unstructured.Unstructured) (soon bool, err error) {
	if sub.GetDeletionTimestamp() != nil {
		return false, nil
	}
	again := "again " + string(sub.GetUID())
	if mark, away := o.away[sub.GetUID()]; away {
		if mark == o.mark(sub, orders) {
			return false, nil
		}
		delete(o.away, sub.GetUID())
		o.since[again] = time.Now()
	}
	_, looksAgain := o.since[again]
	current, installed := text(sub, "status", "currentCSV"), text(sub, "status", "installedCSV")
	misled := o.misled[sub.GetUID()]
	switch {
	case current == "" || current == misled && installed == "":
		csv, problem := resolve(v, orders, sub)
		if problem != "" {
			return false, o.unresolved(ctx, sub, problem)
		}
		if orders.first != "" && misled == "" {
			if err := o.offer(ctx, v, orders, sub, orders.first); err != nil {
				return true, err
			}
			o.misled[sub.GetUID()] = orders.first
			return true, nil
		}
		if misled != "" {
			return o.offerLater(ctx, v, orders, sub, csv)
		}
		return true, o.offer(ctx, v, orders, sub, csv)
	case installed != current:
		return false, o.finished(ctx, v, orders, sub, current)
	case after(orders, installed) != "":
		return true, o.offer(ctx, v, orders, sub, after(orders, installed))
	case looksAgain: // and finds nothing wrong
		err := o.setStatus(ctx, sub, map[string]any{"conditions": []any{healthy()}})
		if err == nil {
			delete(o.since, again)
		}
		return false, err
	}
	return false, nil
}

// offerLater leaves the wrong plan some time to be seen first.
func (o *OLM) offerLater(ctx context.Context, v *view, orders orders, sub *unstructured.Unstructured, csv string) (bool, error) {
	const pause = time.Second / 2
	key := string(sub.GetUID()) + csv
	if _, known := o.since[key]; !known {
		o.since[key] = time.Now()
	}
	if time.Since(o.since[key]) < pause {
		return true, nil
	}
	return true, o.offer(ctx, v, orders, sub, csv)
}

// offer makes the plan that installs a CSV and lets the Subscription name it.
func (o *OLM) offer(ctx context.Context, v *view, orders orders, sub *unstructured.Unstructured, csv string) error {
	if time.Now().Before(o.since["plan "+string(sub.GetUID())]) {
		return nil
	}
	plan, err := o.makePlan(ctx, v, orders, sub, csv)
	if errors.Is(err, errLost) { // said on the Subscription; the next one comes later
		return nil
	} else if err != nil {
		return err
	}
	return o.setStatus(ctx, sub, map[string]any{
		"currentCSV": csv, "state": "UpgradePending",
		"installPlanGeneration": int64(1), "installPlanRef": reference(plan), "installplan": reference(plan),
		"conditions": []any{healthy(), condition("InstallPlanPending", "True", "RequiresApproval", "")},
	})
}

func reference(plan *unstructured.Unstructured) map[string]any {
	return map[string]any{
		"apiVersion": plan.GetAPIVersion(), "kind": plan.GetKind(), "name": plan.GetName(),
		"namespace": plan.GetNamespace(), "uid": string(plan.GetUID()), "resourceVersion": plan.GetResourceVersion(),
	}
}

func (o *OLM) unresolved(ctx context.Context, sub *unstructured.Unstructured, problem string) error {
	for _, entry := range list(sub, "status", "conditions") {
		if fields, ok := entry.(map[string]any); ok && fields["message"] == problem {
			return nil
		}
	}
	return o.setStatus(ctx, sub, map[string]any{
		"conditions": []any{healthy(), condition("ResolutionFailed", "True", "ConstraintsNotSatisfiable", problem)},
	})
}

// finished notes the CSV that OLM has installed. Right after an upgrade OLM may
// meet the CSV before it, find no solution, and stop looking.
func (o *OLM) finished(ctx context.Context, v *view, orders orders, sub *unstructured.Unstructured, current string) error {
	for _, csv := range v.csvs {
		if csv.GetNamespace() != sub.GetNamespace() || csv.GetName() != current || !o.mine[csv.GetUID()] || text(&csv, "status", "phase") != "Succeeded" {
			continue
		}
		before, conditions := text(sub, "status", "installedCSV"), []any{healthy()}
		stops := before != "" && (orders.after == stop || orders.after == byChance && o.random.IntN(2) == 0)
		if stops {
			conditions = append(conditions, condition("ResolutionFailed", "True", "ConstraintsNotSatisfiable", conflict(sub, before, current)))
		}
		err := o.setStatus(ctx, sub, map[string]any{"installedCSV": current, "state": "AtLatestKnown", "conditions": conditions})
		if stops && err == nil {
			o.away[sub.GetUID()] = o.mark(sub, orders)
		}
		return err
	}
	return nil
}

// mark is what of a Subscription and the catalog makes OLM look again.
func (o *OLM) mark(sub *unstructured.Unstructured, orders orders) string {
	return fmt.Sprint(sub.Object["spec"], sub.GetAnnotations(), sub.GetLabels(), orders.versions, orders.empty)
}

func list(object *unstructured.Unstructured, path ...string) []any {
	entries, _, _ := unstructured.NestedSlice(object.Object, path...)
	return entries
}

func healthy() map[string]any {
	return condition("CatalogSourcesUnhealthy", "False", "AllCatalogSourcesHealthy", "all available catalogsources are healthy")
}

func condition(kind, status, reason, message string) map[string]any {
	entry := map[string]any{"type": kind, "status": status, "reason": reason, "lastTransitionTime": now()}
	if message != "" {
		entry["message"] = message
	}
	return entry
}

func now() string { return time.Now().UTC().Format(time.RFC3339) }

// setStatus changes fields of a status and the object at hand with it.
func (o *OLM) setStatus(ctx context.Context, object *unstructured.Unstructured, fields map[string]any) error {
	resource := map[string]string{"Subscription": "subscriptions", "InstallPlan": "installplans", "ClusterServiceVersion": "clusterserviceversions"}[object.GetKind()]
	status, _, _ := unstructured.NestedMap(object.Object, "status")
	if status == nil {
		status = map[string]any{}
	}
	for name, value := range fields {
		status[name] = value
	}
	status["lastUpdated"] = now()
	object.Object["status"] = status
	updated, err := o.config.Cluster.Resource(kind(resource)).Namespace(object.GetNamespace()).UpdateStatus(ctx, object, metav1.UpdateOptions{FieldManager: "catalog"})
	if err == nil {
		*object = *updated
	}
	return err
}
