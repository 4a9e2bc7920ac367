package olm

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// operatorGroup in a namespace, with a spec (or without one).
func operatorGroup(name, namespace, spec string) string {
	return "apiVersion: operators.coreos.com/v1\nkind: OperatorGroup\nmetadata: {name: " + name + ", namespace: " + namespace + "}\n" + spec
}

func TestJudgeGroups(t *testing.T) {
	for name, c := range map[string]struct {
		groups  []string
		use     string
		refused []string // words of the refusal, nil for none
	}{
		"none":              {nil, "", nil},
		"elsewhere":         {[]string{operatorGroup("a", "other", "spec: {}")}, "", nil},
		"for all":           {[]string{operatorGroup("a", "ack-system", "spec: {upgradeStrategy: Default}\nstatus: {namespaces: ['']}")}, "a", nil},
		"for all, no spec":  {[]string{operatorGroup("a", "ack-system", "")}, "a", nil},
		"for all, no names": {[]string{operatorGroup("a", "ack-system", "spec: {targetNamespaces: [], selector: {}}")}, "a", nil},
		"for all, spelled":  {[]string{operatorGroup("a", "ack-system", "spec: {targetNamespaces: ['']}")}, "a", nil},
		"one of two spaces": {[]string{operatorGroup("a", "ack-system", ""), operatorGroup("b", "other", "")}, "a", nil},
		"for two namespaces": {
			[]string{operatorGroup("a", "ack-system", "spec: {targetNamespaces: [one, two]}")},
			"",
			[]string{"OperatorGroup a in ack-system", "the namespaces one, two only", `oc patch operatorgroups.operators.coreos.com a -n ack-system --type=json -p '[{"op":"remove","path":"/spec/targetNamespaces"}]'`},
		},
		"for labelled": {
			[]string{operatorGroup("a", "ack-system", "spec: {selector: {matchLabels: {team: s3}}}")},
			"",
			[]string{"its selector", `"/spec/selector"`},
		},
		"for matching": {
			[]string{operatorGroup("a", "ack-system", "spec: {selector: {matchExpressions: [{key: team, operator: Exists}]}}")},
			"",
			[]string{"its selector"},
		},
		"two": {
			[]string{operatorGroup("b", "ack-system", ""), operatorGroup("a", "ack-system", "")},
			"",
			[]string{"2 OperatorGroups: a, b", "oc delete operatorgroups.operators.coreos.com NAME -n ack-system"},
		},
	} {
		got, err := JudgeGroups(objects(t, c.groups...), "ack-system")
		if got != c.use || (err != nil) != (c.refused != nil) {
			t.Errorf("%s: %q, %v", name, got, err)
			continue
		}
		if err != nil {
			refusal(t, err, problem.Refused, c.refused...)
		}
	}
}
