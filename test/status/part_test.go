package status_test

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// allInPart: a person who sees two projects and may read one gets the table of that
// one, and is told that there is another.
func allInPart(t *testing.T, bed *testbed.Bed) {
	person := run.ProjectAdmin(t, bed, "in-part")
	installed(t, bed, "part-own", person)
	installed(t, bed, "part-hidden", run.Admin(bed))
	must(t, bed.Apply(t.Context(), `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: sees, namespace: part-hidden}
rules:
- {apiGroups: [""], resources: [namespaces], verbs: [get]}
- {apiGroups: [project.openshift.io], resources: [projects], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: sees, namespace: part-hidden}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: sees}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: in-part}
`))
	var document struct {
		Installs           []row
		UnreadableProjects int
	}
	result := person.Run(t, "status", "-A", "-o", "json").WantCode(t, 0)
	result.JSON(t, &document)
	if len(document.Installs) != 1 || document.Installs[0].Namespace != "part-own" || document.Installs[0].Drift != "no" || document.UnreadableProjects != 1 {
		t.Errorf("%+v\n%s", document, result)
	}
	table := person.Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, "looked in the 1 project that you may read; 1 more project could not be read")
	if !strings.Contains(table.Stdout, "part-own-bucket") || strings.Contains(table.Stdout, "part-hidden") {
		t.Errorf("%s", table)
	}
}
