package olm

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

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
	return "", &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("the namespace %s has %d OperatorGroups: %s", namespace, len(names), strings.Join(names, ", ")),
		Why:  "OLM installs nothing in a namespace that has more than one; which of them is not needed cannot be seen from here",
		Next: listed("operatorgroups."+group, namespace, "-o", "yaml") + "\n" +
			"keep one: " + advice.Command("oc delete", "operatorgroups."+group, "NAME", "-n", namespace),
	}
}

// narrow is the error for a group that leaves namespaces out, else nil.
func narrow(one *unstructured.Unstructured) error {
	whom, field := targets(one)
	if whom == "" {
		return nil
	}
	at := []string{"operatorgroups." + group, one.GetName(), "-n", one.GetNamespace()}
	patch := `[{"op":"remove","path":"/spec/` + field + `"}]`
	return &problem.Error{
		Kind: problem.Refused,
		What: "OperatorGroup " + one.GetName() + " in " + one.GetNamespace() + " is not for the whole cluster",
		Why:  "it is for " + whom + " only, and OLM gives the operator rights nowhere else: it could not serve other projects",
		Next: "if the other operators of the namespace may serve all projects, too: " + advice.Command("oc patch", slices.Concat(at, []string{"--type=json", "-p", patch})...) + "\n" +
			"if nothing uses it: " + advice.Command("oc delete", at...),
	}
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
