package render

import "strings"

// OwnBucketPattern matches the buckets of the projects that install --new-project
// names itself.
const OwnBucketPattern = "ostoy-*-bucket"

// PatternFor is the narrowest of the usual bucket patterns that matches the bucket of
// a project: OwnBucketPattern, or the name of the bucket.
func PatternFor(namespace string) string { return PatternForBucket(BucketName(namespace)) }

// PatternForBucket is PatternFor by the name of the bucket.
func PatternForBucket(bucket string) string {
	before, after, _ := strings.Cut(OwnBucketPattern, "*")
	if strings.HasPrefix(bucket, before) && strings.HasSuffix(bucket, after) && len(bucket) >= len(before+after) {
		return OwnBucketPattern
	}
	return bucket
}
