// Package olm knows the Operator Lifecycle Manager: which catalogs offer a
// package and in which versions, what a Subscription has come to, which
// InstallPlan is the one that was asked for, and whether a ClusterServiceVersion
// is installed, still on its way, or never will be. The rules
// are those of operator-framework/operator-lifecycle-manager.
//
// It knows nothing of ACK or AWS and decides nothing about what is to be
// installed. Its one write is the approval of one InstallPlan.
package olm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
)

const group = "operators.coreos.com"

// OwnedByCSV reports whether OLM made an object for a version of a package: by
// its owner references or, where an owner in another namespace or of a cluster's
// object cannot be one, by the label olm.owner. CSV names are PACKAGE.vVERSION.
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
	owner := object.GetLabels()["olm.owner"]
	for _, one := range object.GetOwnerReferences() {
		if one.Kind == "ClusterServiceVersion" {
			owner = cmp.Or(owner, one.Name)
		}
	}
	return owner
}

// line is a text of an object, in one line: what others wrote cannot begin another one.
func line(object map[string]any, path ...string) string {
	return plain.Line(health.Text(object, path...))
}

// said is what OLM wrote, in one line of bearable length and without secrets. Its
// messages repeat what registries and API servers answered.
func said(text string) string { return plain.Said(secret.Hide(plain.Line(text))) }

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
func Served(served *cluster.Served) bool { return served.Has(kinds.Subscription) }

// JudgeGroups says which OperatorGroup of a namespace an operator for the whole
// cluster is to be installed under: the name of the one that is there, "" where
// there is none and one has to be made. Groups of other namespaces do not count.
//
// Two are an error, for OLM installs under neither; and so is one that is for
// certain namespaces only: OLM gives the operator rights in those alone. Both
// are of the kind problem.Refused.
func JudgeGroups(groups []*unstructured.Unstructured, namespace string) (use string, err error) {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g *unstructured.Unstructured) bool { return g.GetNamespace() != namespace })
	switch len(groups) {
	case 0:
		return "", nil
	case 1:
		if err := narrow(groups[0]); err != nil {
			return "", err
		}
		return groups[0].GetName(), nil
	}
	var names []string
	for _, one := range groups {
		names = append(names, one.GetName())
	}
	slices.Sort(names)
	return "", problem.Refuse(fmt.Sprintf("the namespace %s has %d OperatorGroups: %s", namespace, len(names), strings.Join(names, ", ")),
		"OLM installs nothing in a namespace that has more than one; which of them is not needed cannot be seen from here",
		listed("operatorgroups."+group, namespace, "-o", "yaml")+"\n"+
			"keep one: "+advice.Command("oc delete", "operatorgroups."+group, "NAME", "-n", namespace))
}

// narrow is the error for a group that leaves namespaces out, else nil.
func narrow(one *unstructured.Unstructured) error {
	whom, field := targets(one)
	if whom == "" {
		return nil
	}
	at := []string{"operatorgroups." + group, one.GetName(), "-n", one.GetNamespace()}
	patch := `[{"op":"remove","path":"/spec/` + field + `"}]`
	return problem.Refuse("OperatorGroup "+one.GetName()+" in "+one.GetNamespace()+" is not for the whole cluster",
		"it is for "+whom+" only, and OLM gives the operator rights nowhere else: it could not serve other projects",
		"if the other operators of the namespace may serve all projects, too: "+advice.Command("oc patch", slices.Concat(at, []string{"--type=json", "-p", patch})...)+"\n"+
			"if nothing uses it: "+advice.Command("oc delete", at...))
}

// targets says whom a group is for, "" for all, and by which field. A list goes
// before a selector, and an empty selector selects all (OperatorGroupSpec of
// operators.coreos.com/v1).
func targets(one *unstructured.Unstructured) (whom, field string) {
	names, _, _ := unstructured.NestedStringSlice(one.Object, "spec", "targetNamespaces")
	if len(names) > 0 {
		if slices.Contains(names, "") { // all, as OLM itself spells it in the status
			return "", ""
		}
		return "the namespaces " + joined(names), "targetNamespaces"
	}
	labels, _, _ := unstructured.NestedMap(one.Object, "spec", "selector", "matchLabels")
	rules := health.Maps(one.Object, "spec", "selector", "matchExpressions")
	if len(labels)+len(rules) > 0 {
		return "the namespaces that its selector matches", "selector"
	}
	return "", ""
}
