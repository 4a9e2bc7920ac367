package reach

import (
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestF1Adopted measures what an S3 bucket that has the right name, and existed
// before the project, loses to a Bucket that adopts it. docs/security.md has the
// list.
func TestF1Adopted(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.Kubernetes})
	all := fields{"blockPublicACLs": true, "blockPublicPolicy": true, "ignorePublicACLs": true, "restrictPublicBuckets": true}
	for project, c := range map[string]struct {
		spec fields
		lost []string
	}{
		"bare": {
			fields{}, []string{"CORS", "encryption", "lifecycle", "ownership controls", "policy", "public access block", "tags", "versioning"},
		},
		"rendered": {
			fields{
				"publicAccessBlock": all, "policy": rendered("aws", "rendered-bucket"),
				"ownershipControls": fields{"rules": []any{fields{"objectOwnership": "BucketOwnerEnforced"}}},
				"encryption":        fields{"rules": []any{fields{"applyServerSideEncryptionByDefault": fields{"sseAlgorithm": "AES256"}, "bucketKeyEnabled": false}}},
				"tagging":           fields{"tagSet": []any{fields{"key": "ostoy-s3/namespace", "value": "rendered"}}},
			},
			[]string{"CORS", "encryption", "lifecycle", "ownership controls", "policy", "tags", "versioning"},
		},
	} {
		t.Run(project, func(t *testing.T) {
			if err := bed.NewNamespace(t.Context(), project); err != nil {
				t.Fatal(err)
			}
			s := sessionOf(t, bed, "admin-of-"+project, project, "admin")
			name := project + "-bucket"
			victim(t, bed, name)
			before := look(t, bed, name)
			c.spec["name"] = name
			s.create(t, bucket("adopted", c.spec, "adoption-policy", "adopt-or-create"))
			s.condition(t, "adopted", "Ready", "True")
			if lost := changed(before, look(t, bed, name)); !slices.Equal(lost, c.lost) {
				t.Errorf("changed: %q, want %q", lost, c.lost)
			}
		})
	}
}
