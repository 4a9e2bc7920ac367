package olm

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What the catalog of an OpenShift cluster says of the one package
// (operators/ack-s3-controller in redhat-openshift-ecosystem/community-operators-prod).
const (
	Package          = "ack-s3-controller"
	Channel          = "alpha"
	Catalog          = "community-operators"
	CatalogNamespace = "openshift-marketplace"
)

// CSV is the name of the package's CSV of a version.
func CSV(version string) string { return Package + ".v" + version }

// publish makes the PackageManifest what the catalog offers. The real one is
// not stored but served by the package server.
func (o *OLM) publish(ctx context.Context, orders orders) error {
	resource := schema.GroupVersionResource{Group: "packages.operators.coreos.com", Version: "v1", Resource: "packagemanifests"}
	client := o.config.Cluster.Resource(resource).Namespace(CatalogNamespace)
	found, err := client.Get(ctx, Package, metav1.GetOptions{})
	missing := apierrors.IsNotFound(err)
	switch {
	case err != nil && !missing:
		return err
	case orders.empty && missing:
		return nil
	case orders.empty:
		return client.Delete(ctx, Package, metav1.DeleteOptions{})
	}
	status := offer(orders.versions)
	if !missing && reflect.DeepEqual(found.Object["status"], any(status)) {
		return nil
	}
	manifest := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "packages.operators.coreos.com/v1", "kind": "PackageManifest", "spec": map[string]any{}, "status": status,
	}}
	manifest.SetName(Package)
	manifest.SetLabels(map[string]string{"catalog": Catalog, "catalog-namespace": CatalogNamespace})
	if missing {
		_, err = client.Create(ctx, manifest, metav1.CreateOptions{})
		return err
	}
	manifest.SetResourceVersion(found.GetResourceVersion())
	_, err = client.Update(ctx, manifest, metav1.UpdateOptions{})
	return err
}

func offer(versions []string) map[string]any {
	var entries []any
	for _, version := range slices.Backward(versions) {
		entries = append(entries, map[string]any{"name": CSV(version), "version": version})
	}
	modes := []any{}
	for _, mode := range []string{"OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces"} {
		modes = append(modes, map[string]any{"type": mode, "supported": true})
	}
	newest := versions[len(versions)-1]
	return map[string]any{
		"catalogSource": Catalog, "catalogSourceNamespace": CatalogNamespace,
		"catalogSourceDisplayName": "Community Operators", "catalogSourcePublisher": "Red Hat",
		"packageName": Package, "defaultChannel": Channel, "provider": map[string]any{"name": "Amazon, Inc."},
		"channels": []any{map[string]any{
			"name": Channel, "currentCSV": CSV(newest), "entries": entries,
			"currentCSVDesc": map[string]any{
				"displayName": "AWS Controllers for Kubernetes - Amazon S3", "version": newest, "installModes": modes,
			},
		}},
	}
}

// resolve finds the CSV a new Subscription leads to, or says in OLM's words why
// there is none.
func resolve(v *view, orders orders, sub *unstructured.Unstructured) (csv, problem string) {
	name, pkg, channel := sub.GetName(), text(sub, "spec", "name"), text(sub, "spec", "channel")
	source, place, starting := text(sub, "spec", "source"), text(sub, "spec", "sourceNamespace"), text(sub, "spec", "startingCSV")
	none := func(what string) (string, string) {
		return "", fmt.Sprintf("constraints not satisfiable: no operators found %s referenced by subscription %s, subscription %[2]s exists", what, name)
	}
	named := slices.ContainsFunc(orders.versions, func(version string) bool { return CSV(version) == starting })
	switch {
	case source != Catalog || place != CatalogNamespace:
		return none(fmt.Sprintf("from catalog %s in namespace %s", source, place))
	case orders.empty || pkg != Package:
		return none(fmt.Sprintf("in package %s in the catalog", pkg))
	case channel != "" && channel != Channel:
		return none(fmt.Sprintf("in channel %s of package %s in the catalog", channel, pkg))
	case starting != "" && !named:
		return none(fmt.Sprintf("with name %s in channel %s of package %s in the catalog", starting, Channel, pkg))
	case starting == "":
		starting = newest(orders)
	}
	if orphan := v.orphan(sub); orphan != "" {
		return "", conflict(sub, orphan, starting)
	}
	return starting, ""
}

// conflict is how OLM says that a CSV stands in the way of another one.
func conflict(sub *unstructured.Unstructured, existing, wanted string) string {
	return fmt.Sprintf("constraints not satisfiable: @existing/%s//%s and %s/%s/%s/%s originate from package %s,"+
		" clusterserviceversion %[2]s exists and is not referenced by a subscription, subscription %[8]s exists",
		sub.GetNamespace(), existing, Catalog, CatalogNamespace, Channel, wanted, Package, sub.GetName())
}

// after is the CSV that OLM goes to from an installed one: in the package's
// semver mode each version replaces the one before it. "" if there is none.
func after(orders orders, installed string) string {
	at := slices.IndexFunc(orders.versions, func(version string) bool { return CSV(version) == installed })
	if orders.empty || at < 0 || at == len(orders.versions)-1 {
		return ""
	}
	return CSV(orders.versions[at+1])
}

func newest(orders orders) string { return CSV(orders.versions[len(orders.versions)-1]) }

// orphan names a CSV of the package beside the Subscription that no
// Subscription claims: OLM takes it for hand-made and will not touch it.
func (v *view) orphan(sub *unstructured.Unstructured) string {
	for _, csv := range v.csvs {
		_, ours := csv.GetLabels()[label(sub.GetNamespace())]
		if ours && csv.GetNamespace() == sub.GetNamespace() && csv.GetDeletionTimestamp() == nil && v.claims(&csv) == nil {
			return csv.GetName()
		}
	}
	return ""
}

// claims is the Subscription whose installation a CSV is, if any.
func (v *view) claims(csv *unstructured.Unstructured) *unstructured.Unstructured {
	for i, sub := range v.subscriptions {
		named := []string{text(&sub, "status", "installedCSV"), text(&sub, "status", "currentCSV")}
		if sub.GetNamespace() == csv.GetNamespace() && slices.Contains(named, csv.GetName()) {
			return &v.subscriptions[i]
		}
	}
	return nil
}
