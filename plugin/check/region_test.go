package check

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestF2RegionFromS3: where the bucket is, S3 says. What the inventory, the Bucket
// resource and its annotations say can be written in the project: it is compared, and is
// no region to install with.
func TestF2RegionFromS3(t *testing.T) {
	now := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	played := newStage(t, now) // S3 says us-east-2
	const path = "/apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets"
	list := (&unstructured.Unstructured{Object: now.documents[path].(map[string]any)}).DeepCopy()
	one := list.Object["items"].([]any)[0].(map[string]any)
	_ = unstructured.SetNestedField(one, "eu-west-1", "status", "ackResourceMetadata", "region")
	_ = unstructured.SetNestedField(one, "ap-south-1", "metadata", "annotations", "services.k8s.aws/region")
	now = now.with(path, list.Object)
	const record = "/api/v1/namespaces/demo/configmaps/ostoy-s3"
	inventory := (&unstructured.Unstructured{Object: now.documents[record].(map[string]any)}).DeepCopy()
	_ = unstructured.SetNestedField(inventory.Object, "eu-north-1", "data", "region")
	now = now.with(record, inventory.Object)

	findings := played.findings(t.Context(), now)
	wantFinding(t, findings[IDBucketObject], Failed, "eu-west-1", "ap-south-1", "oc ostoy-s3 install -n demo --region us-east-2")
	wantFinding(t, findings["aws-region"], Warned, "is in us-east-2", "--region us-east-2")
	wantNoRegion(t, findings[IDPodIdentity])

	now.noAWS = true
	findings = played.findings(t.Context(), now)
	wantFinding(t, findings[IDBucketObject], Failed, "aws s3api get-bucket-location --bucket demo-bucket shows", "oc ostoy-s3 install -n demo --region REGION")
	wantFinding(t, findings["aws-region"], Skipped)
	wantNoRegion(t, findings[IDPodIdentity]) // nothing to compare with
	for id, finding := range findings {
		if strings.Contains(finding.Next, "eu-") || strings.Contains(finding.Next, "ap-") {
			t.Errorf("%s: %s", id, finding.Next)
		}
	}
}

// wantNoRegion wants that nothing is said about the region of the pods.
func wantNoRegion(t *testing.T, f Finding) {
	t.Helper()
	if strings.Contains(f.What+f.Why, regionVariable) {
		t.Errorf("%+v", f)
	}
}
