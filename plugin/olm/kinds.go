package olm

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/secret"
)

// PackageManifests are what the catalogs offer. Several may bear the name of one
// package, one for each catalog that has it: list them, a Get answers with any.
// They are served by OLM's package server, which may be down when OLM is not.
func PackageManifests() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "packages.operators.coreos.com", Version: "v1", Resource: "packagemanifests"}
}

// Subscriptions say which package is wanted, from where and on which channel.
func Subscriptions() schema.GroupVersionResource { return v1alpha1("subscriptions") }

// InstallPlans are what OLM would do next; one that waits for approval does nothing.
func InstallPlans() schema.GroupVersionResource { return v1alpha1("installplans") }

// ServiceVersions are the ClusterServiceVersions: an operator in one version.
func ServiceVersions() schema.GroupVersionResource { return v1alpha1("clusterserviceversions") }

// OperatorGroups say which namespaces the operators of a namespace serve.
func OperatorGroups() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: "v1", Resource: "operatorgroups"}
}

const group = "operators.coreos.com"

func v1alpha1(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: "v1alpha1", Resource: resource}
}

// OwnedByCSV reports whether OLM made an object for a version of a package: by
// its owner references or, where an owner in another namespace or of a cluster's
// object cannot be one, by the label olm.owner. CSV names are PACKAGE.vVERSION
// (FACTS 1.6).
func OwnedByCSV(object *unstructured.Unstructured, pkg string) bool {
	return len(OwningVersions(object, pkg)) > 0
}

// OwningVersions are the names of the versions that OwnedByCSV goes by.
func OwningVersions(object *unstructured.Unstructured, pkg string) []string {
	var names []string
	add := func(name string) {
		if strings.HasPrefix(name, pkg+".v") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, owner := range object.GetOwnerReferences() {
		if owner.Kind == "ClusterServiceVersion" {
			add(owner.Name)
		}
	}
	add(object.GetLabels()["olm.owner"])
	return names
}

// OwnerCSV is the CSV that OLM made an object for, by its label olm.owner or else
// its owner references; "" if none is named.
func OwnerCSV(object *unstructured.Unstructured) string {
	if owner := object.GetLabels()["olm.owner"]; owner != "" {
		return owner
	}
	for _, owner := range object.GetOwnerReferences() {
		if owner.Kind == "ClusterServiceVersion" {
			return owner.Name
		}
	}
	return ""
}

// line is a text of an object, in one line: what others wrote cannot begin another one.
func line(object map[string]any, path ...string) string {
	return plain.Line(health.Text(object, path...))
}

// said is what OLM wrote, in one line of bearable length and without secrets. Its
// messages repeat what registries and API servers answered.
func said(text string) string {
	return health.OneLine(secret.Hide(plain.Line(text)))
}

// listed is the command that lists objects of OLM; namespace "" is all of them.
func listed(resource, namespace string, flags ...string) string {
	where := []string{"-n", namespace}
	if namespace == "" {
		where = []string{"-A"}
	}
	return advice.Command("oc get", slices.Concat([]string{resource}, where, flags)...)
}

// describe is the command that shows all OLM noted on an object.
func describe(resource, name, namespace string) string {
	return advice.Command("oc describe", resource+"."+group, name, "-n", namespace)
}

// condition is the condition of that type in an object's status, nil for none.
func condition(object *unstructured.Unstructured, kind string) map[string]any {
	for _, one := range health.Maps(object.Object, "status", "conditions") {
		if one["type"] == kind {
			return one
		}
	}
	return nil
}

// Served reports whether a cluster has the Operator Lifecycle Manager.
func Served(served *cluster.Served) bool {
	return served.Serves("operators.coreos.com/v1alpha1", "Subscription")
}
