package operator

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Refused returns why the policy of AdmissionPolicy refuses a Bucket: for each rule
// that the Bucket violates the message that the API server gives, in the order of
// the rules; nil if it is admitted. The Bucket is judged as if a project admin
// created it: on an update of an existing one, the API server judges only what
// changed.
//
// It repeats in Go what the expressions of admissionRules say, so that a plan and a
// check can name the Buckets without a request for each. The end-to-end tests
// compare both.
func Refused(f render.Facts, bucket *unstructured.Unstructured) []string {
	spec, _, _ := unstructured.NestedMap(bucket.Object, "spec")
	project, name := bucket.GetNamespace(), textIn(spec, "name")
	var why []string
	refuse := func(admitted bool, message string) {
		if !admitted {
			why = append(why, message)
		}
	}
	refuse(nameOfProject(project, name), wrongName(project))
	fields := bucket.GetAnnotations()[adoptionFields]
	refuse(fields == "" || fields == `{"name":"`+name+`"}`, wrongAdoption(name))
	refuse(!slices.ContainsFunc(slices.Collect(maps.Keys(spec)), func(k string) bool { return !slices.Contains(allowedFields(), k) }), wrongFields())
	for _, field := range []struct {
		name     string
		admitted func(value any) bool
		message  string
	}{
		{"publicAccessBlock", allBlocked, wrongAccessBlock},
		{"ownershipControls", ownerEnforced, wrongOwnership},
		{"policy", func(value any) bool { return isRendered(value, name) }, wrongPolicy},
		{"tagging", func(value any) bool { return trueTags(f, project, value) }, wrongTags()},
	} {
		if value, there := spec[field.name]; there {
			refuse(field.admitted(value), field.message)
		}
	}
	return why
}

// nameOfProject reports whether the name of an S3 bucket is one of its project's.
func nameOfProject(project, name string) bool {
	if strings.Contains(project, "--") {
		return false
	}
	middle, named := strings.CutPrefix(name, project+"--")
	return name == project+"-bucket" || named && regexp.MustCompile(bucketSuffix).MatchString(middle)
}

func textIn(fields map[string]any, key string) string {
	text, _ := fields[key].(string)
	return text
}

func allBlocked(value any) bool {
	fields, _ := value.(map[string]any)
	return !slices.ContainsFunc(accessBlocks(), func(k string) bool { return fields[k] != true })
}

func ownerEnforced(value any) bool {
	controls, _ := value.(map[string]any)
	rules := listIn(controls, "rules")
	for _, one := range rules {
		rule, _ := one.(map[string]any)
		if textIn(rule, "objectOwnership") != "BucketOwnerEnforced" {
			return false
		}
	}
	return len(rules) > 0
}

func listIn(fields map[string]any, key string) []any {
	list, _ := fields[key].([]any)
	return list
}

// isRendered reports whether a policy is the one that the chart writes for a
// bucket, in one of the partitions.
func isRendered(value any, bucket string) bool {
	return slices.ContainsFunc(render.Partitions(), func(partition string) bool {
		return value == render.BucketPolicy(render.BucketARN(partition, bucket))
	})
}

// trueTags reports whether the tags that this tool writes have the values of the
// project and the cluster.
func trueTags(f render.Facts, project string, value any) bool {
	tagging, _ := value.(map[string]any)
	want := map[string]string{render.TagManagedBy: render.ManagedBy, render.TagIssuer: f.Issuer.Value, render.TagNamespace: project}
	for _, one := range listIn(tagging, "tagSet") {
		tag, _ := one.(map[string]any)
		key, value := textIn(tag, "key"), textIn(tag, "value")
		lower := asciiLower(key)
		if lower != render.TagManagedBy && !strings.HasPrefix(lower, "ostoy-s3/") {
			continue
		}
		expected, known := want[key]
		if key == render.TagClusterID {
			expected, known = value, true
			if f.ClusterID.Known() {
				expected = f.ClusterID.Value
			}
		}
		if !known || value != expected {
			return false
		}
	}
	return true
}

// asciiLower is CEL's lowerAscii: letters beyond ASCII stay as they are.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

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
