package plugin

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1RenderAccess: the permission to create Buckets is rendered only for a cluster
// that is known to check them.
func TestF1RenderAccess(t *testing.T) {
	for version, want := range map[string]struct{ policy, edit bool }{"": {true, false}, "v1.29.0": {}, "v1.30.0": {true, true}} {
		f := render.Facts{KubeVersion: render.Fact{Value: version}, Namespace: render.Fact{Value: "ack-system"}}
		var names []string
		for _, object := range renderAccess(f) {
			names = append(names, object.GetKind()+" "+object.GetName())
		}
		all := strings.Join(names, "\n")
		if strings.Contains(all, "ValidatingAdmissionPolicy "+operator.PolicyName) != want.policy || strings.Contains(all, operator.EditRole) != want.edit {
			t.Errorf("%q:\n%s", version, all)
		}
		if head := noPolicy(f); strings.Contains(head, "--kube-version") != (version == "") {
			t.Errorf("%q: %s", version, head)
		}
	}
}
