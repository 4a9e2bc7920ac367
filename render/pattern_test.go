package render

import "testing"

func TestPatternFor(t *testing.T) {
	for namespace, want := range map[string]string{
		"ostoy-3f9a1c20": OwnBucketPattern,
		"ostoy-":         OwnBucketPattern,
		"ostoy":          "ostoy-bucket", // the pattern has two hyphens
		"demo":           "demo-bucket",
		"my-ostoy-1":     "my-ostoy-1-bucket",
	} {
		if got := PatternFor(namespace); got != want {
			t.Errorf("%s: %s, want %s", namespace, got, want)
		}
	}
}
