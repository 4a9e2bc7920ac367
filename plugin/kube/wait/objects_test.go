package wait

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Objects in the states that package health knows, as few as the waiting needs.

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	j, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	if err := obj.UnmarshalJSON(j); err != nil {
		t.Fatal(err)
	}
	return obj
}

const bucketHead = `
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata:
  name: demo-bucket
  namespace: demo
  uid: b1
  generation: 1
  annotations: {services.k8s.aws/region: us-east-2}
spec: {name: demo-bucket}
`

func bucketWith(t *testing.T, status string) *unstructured.Unstructured {
	return parse(t, bucketHead+status)
}

// conds writes a status as the ACK controller does: "Type=Status|message|reason".
func conds(lines ...string) string {
	out := "status:\n  conditions:\n"
	for _, l := range lines {
		head, rest, _ := strings.Cut(l, "|")
		msg, reason, _ := strings.Cut(rest, "|")
		typ, status, _ := strings.Cut(head, "=")
		out += "  - {type: " + typ + `, status: "` + status + `", message: '` + msg + `', reason: '` + reason + "'}\n"
	}
	return out
}

const deploymentHead = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ostoy-frontend, namespace: demo, uid: d1, generation: 2}
spec:
  replicas: 1
  selector: {matchLabels: {app: ostoy-frontend}}
`

func podWith(t *testing.T, status string) *unstructured.Unstructured {
	return parse(t, `
apiVersion: v1
kind: Pod
metadata:
  name: ostoy-frontend-abc-1
  namespace: demo
  uid: p1
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {app: ostoy-frontend, pod-template-hash: abc}
status:
`+status)
}
