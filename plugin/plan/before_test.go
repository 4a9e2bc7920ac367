package plan

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
)

// TestExistingBucket: a bucket that exists is not announced as a new one.
func TestExistingBucket(t *testing.T) {
	for want, b := range map[string]GivenBucket{
		"what is in it could not be counted": {},
		"more than 1000 objects, 0 B":        {Contents: &bucket.Contents{Objects: 1000}, More: true},
		"12 objects, 3.4 MiB":                {Contents: &bucket.Contents{Objects: 12, Bytes: 3565158}},
	} {
		if got := b.Amount(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
