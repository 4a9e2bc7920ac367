package operator

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// What the policy and Refused have in common. The messages are what a person reads
// whose Bucket is refused; the placeholder @ is a project or the name of a bucket.
const (
	adoptionFields = "services.k8s.aws/adoption-fields"
	// bucketSuffix is what follows PROJECT-- in the name of an S3 bucket.
	bucketSuffix = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?-bucket$"

	wrongProject     = "a project whose name contains -- cannot have Buckets: @"
	wrongBucket      = "spec.name must be @-bucket or @--NAME-bucket: a Bucket reaches only the buckets of its own project"
	wrongAdoptionOf  = "the annotation " + adoptionFields + ` must be {"name":"@"} or be left out`
	wrongAccessBlock = "all four fields of spec.publicAccessBlock must be true"
	wrongOwnership   = "spec.ownershipControls must be BucketOwnerEnforced"
	wrongPolicy      = "spec.policy must be exactly the policy that oc ostoy-s3 render prints, which denies requests without TLS"
)

// accessBlocks are the fields of a Bucket's publicAccessBlock.
func accessBlocks() []string {
	return []string{"blockPublicACLs", "blockPublicPolicy", "ignorePublicACLs", "restrictPublicBuckets"}
}

func wrongName(project string) string {
	if strings.Contains(project, "--") {
		return strings.ReplaceAll(wrongProject, "@", project)
	}
	return strings.ReplaceAll(wrongBucket, "@", project)
}

func wrongAdoption(bucket string) string { return strings.ReplaceAll(wrongAdoptionOf, "@", bucket) }

func wrongFields() string {
	return "spec may have only these fields: " + strings.Join(allowedFields(), ", ")
}

func wrongTags() string {
	return "the tags " + render.TagManagedBy + " and ostoy-s3/... may have only the values of this project and this cluster"
}

// celMessage is a message as an expression; value is what its placeholder stands for.
func celMessage(message, value string) string {
	parts := strings.Split(message, "@")
	for i, part := range parts {
		parts[i] = celString(part)
	}
	return strings.Join(parts, " + "+value+" + ")
}
