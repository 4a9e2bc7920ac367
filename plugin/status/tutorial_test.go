package status

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// TestTutorialAdvice: an app that was made by hand is advised the install that adopts it,
// and no other, which would be refused.
func TestTutorialAdvice(t *testing.T) {
	s := scenery(t)
	role := desired(t)
	s.kube.Answer("GET /api/v1/namespaces/demo/serviceaccounts/ostoy-sa", map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{
			"name": "ostoy-sa", "namespace": "demo",
			"annotations": map[string]any{"eks.amazonaws.com/role-arn": role.ARN},
		},
	})
	s.kube.Answer("GET /apis/apps/v1/namespaces/demo/deployments/ostoy-frontend", deploymentIn("demo"))
	s.aws.has(role)
	s.request.Output = session.FormatJSON
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(s.out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(r.Bucket.Hint, " --adopt") || !strings.Contains(s.out.String(), "--adopt") {
		t.Errorf("bucket %+v", r.Bucket)
	}
}

// TestAdviceNamesTheHands: what installs again depends on who manages the objects.
func TestAdviceNamesTheHands(t *testing.T) {
	for want, hands := range map[string]live.Hands{
		"oc ostoy-s3 install -n demo --region us-west-2":         {},
		"oc ostoy-s3 install -n demo --region us-west-2 --adopt": {Tutorial: true},
		"change it in Git (oc ostoy-s3 render -n demo prints the manifests), or take the app over from Argo CD: oc ostoy-s3 install -n demo --region us-west-2 --force-owner": {Engine: "Argo CD"},
		"upgrade the Helm release, or take the app over from Helm: oc ostoy-s3 install -n demo --region us-west-2 --force-owner":                                              {Engine: "Helm", Tutorial: true},
	} {
		if got := hands.Install("demo", "--region", "us-west-2"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := (live.Hands{Tutorial: true}).Install("demo", "--adopt"); got != "oc ostoy-s3 install -n demo --adopt" {
		t.Errorf("%q", got)
	}
}
