package ack

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestIsPod(t *testing.T) {
	for name, c := range map[string]struct {
		label, image string
		want         bool
	}{
		"OLM's":         {"ack-s3-controller", "mirror/x@sha256:1", true},
		"the chart's":   {"s3-chart", "", true},
		"by image":      {"mine", "registry.example.com/ack/s3-controller:1.13.0", true},
		"the IAM one":   {"ack-iam-controller", "public.ecr.aws/aws-controllers-k8s/iam-controller:1.8.1", false},
		"anything else": {"", "busybox", false},
	} {
		pod := &unstructured.Unstructured{Object: map[string]any{
			"spec": map[string]any{"containers": []any{map[string]any{"image": c.image}}},
		}}
		pod.SetLabels(map[string]string{"app.kubernetes.io/name": c.label})
		if IsPod(pod) != c.want {
			t.Errorf("%s: %t", name, !c.want)
		}
	}
}
