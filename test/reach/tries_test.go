package reach

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const own = "mallory-bucket"

// rendered is the bucket policy that install writes.
func rendered(partition, name string) string {
	arn := "arn:" + partition + ":s3:::" + name
	return `{"Version":"2012-10-17","Statement":[{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` +
		arn + `","` + arn + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
}

// forbidden are Buckets that a user of project mallory may not have.
func forbidden(t *testing.T, bed *testbed.Bed) map[string]*unstructured.Unstructured {
	t.Helper()
	all := map[string]*unstructured.Unstructured{
		"foreign name":                 bucket("try", fields{"name": finance}),
		"foreign name, to adopt":       bucket("try", fields{"name": finance}, "adoption-policy", "adopt-or-create"),
		"no spec, to adopt":            bucket("try", nil, "adoption-policy", "adopt", "adoption-fields", `{"name":"`+finance+`"}`),
		"own name, to adopt another":   bucket("try", fields{"name": own}, "adoption-policy", "adopt", "adoption-fields", `{"name":"`+finance+`"}`),
		"own name, and another":        bucket("try", fields{"name": own}, "adoption-policy", "adopt-or-create", "adoption-fields", `{"name":"`+own+`","name":"`+finance+`"}`),
		"adoption-fields, white space": bucket("try", fields{"name": own}, "adoption-policy", "adopt", "adoption-fields", `{"name": "`+own+`"}`),
		"adoption-fields, an ARN":      bucket("try", fields{"name": own}, "adoption-policy", "adopt", "adoption-fields", `{"arn":"arn:aws:s3:::`+finance+`"}`),
	}
	with := func(name string, more fields) {
		spec := fields{"name": own}
		for key, value := range more {
			spec[key] = value
		}
		all[name] = bucket("try", spec)
	}
	for field, value := range closedFields(t, bed) {
		with("field "+field, fields{field: value})
	}
	for name, value := range accessBlocks() {
		with("access block, "+name, fields{"publicAccessBlock": value})
	}
	for name, text := range policies() {
		with("policy, "+name, fields{"policy": text})
	}
	for name, tags := range tagSets() {
		with("tags, "+name, fields{"tagging": fields{"tagSet": tags}})
	}
	for _, owner := range []string{"ObjectWriter", "BucketOwnerPreferred", ""} {
		with("owner "+owner, fields{"ownershipControls": fields{"rules": []any{fields{"objectOwnership": owner}}}})
	}
	with("no owner rule", fields{"ownershipControls": fields{"rules": []any{}}})
	with("one owner rule too many", fields{"ownershipControls": fields{"rules": []any{fields{"objectOwnership": "BucketOwnerEnforced"}, fields{"objectOwnership": "ObjectWriter"}}}})
	return all
}

// closedFields are all fields of the kind's spec that are not on the policy's list,
// with a value that the kind accepts.
func closedFields(t *testing.T, bed *testbed.Bed) fields {
	t.Helper()
	kinds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	kind, err := bed.Dynamic.Resource(kinds).Get(t.Context(), "buckets.s3.services.k8s.aws", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	versions, _, _ := unstructured.NestedSlice(kind.Object, "spec", "versions")
	open := map[string]bool{"name": true, "publicAccessBlock": true, "encryption": true, "ownershipControls": true, "tagging": true, "policy": true, "versioning": true}
	closed := fields{}
	for _, version := range versions {
		properties, _, _ := unstructured.NestedMap(version.(fields), "schema", "openAPIV3Schema", "properties", "spec", "properties")
		for field, description := range properties {
			if open[field] {
				continue
			}
			kind, _ := description.(fields)["type"].(string)
			closed[field] = map[string]any{"string": "x", "boolean": false, "integer": 0, "array": []any{}, "object": fields{}}[kind]
		}
	}
	if len(closed) < 20 {
		t.Fatalf("the kind has only %d fields to close: %v", len(closed), closed)
	}
	return closed
}

func accessBlocks() map[string]fields {
	all := map[string]fields{"empty": {}}
	for _, one := range []string{"blockPublicACLs", "blockPublicPolicy", "ignorePublicACLs", "restrictPublicBuckets"} {
		off := fields{"blockPublicACLs": true, "blockPublicPolicy": true, "ignorePublicACLs": true, "restrictPublicBuckets": true}
		off[one] = false
		all[one+" off"] = off
		missing := fields{"blockPublicACLs": true, "blockPublicPolicy": true, "ignorePublicACLs": true, "restrictPublicBuckets": true}
		delete(missing, one)
		all[one+" missing"] = missing
	}
	return all
}

// policies all mean something else than the rendered one, or look like it.
func policies() map[string]string {
	text := rendered("aws", own)
	allow := `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::` + own + `/*"}`
	return map[string]string{
		"empty":                   "",
		"white space":             text + " ",
		"a line before":           "\n" + text,
		"white space inside":      strings.Replace(text, ":", ": ", 1),
		"an escape":               strings.Replace(text, "Deny", `\u0044eny`, 1),
		"an escaped key":          strings.Replace(text, `"Effect"`, `"\u0045ffect"`, 1),
		"a repeated key":          strings.Replace(text, `"Effect":"Deny"`, `"Effect":"Deny","Effect":"Allow"`, 1),
		"a repeated statement":    strings.Replace(text, `"Statement":[`, `"Statement":[`+allow+`],"Statement":[`, 1),
		"one more statement":      strings.Replace(text, `"Statement":[`, `"Statement":[`+allow+`,`, 1),
		"other case":              strings.Replace(text, "Deny", "DENY", 1),
		"no slash":                strings.Replace(text, own+`/*`, own, 1),
		"another bucket":          rendered("aws", finance),
		"another partition, both": strings.Replace(text, "arn:aws:s3:::"+own+`/*`, "arn:aws-cn:s3:::"+own+`/*`, 1),
		"another partition's":     rendered("aws-cn", finance),
		"no partition":            rendered("aws-iso", own),
		"everybody":               `{"Version":"2012-10-17","Statement":[` + allow + `]}`,
	}
}

// tagSets say of the bucket what is true of another project, or seem to.
func tagSets() map[string][]any {
	tag := func(pairs ...string) []any {
		var set []any
		for n := 0; n < len(pairs); n += 2 {
			set = append(set, fields{"key": pairs[n], "value": pairs[n+1]})
		}
		return set
	}
	return map[string][]any{
		"another project":    tag("ostoy-s3/namespace", "finance"),
		"no project":         tag("ostoy-s3/namespace", ""),
		"capitals":           tag("OSTOY-S3/NAMESPACE", "finance"),
		"one capital":        tag("ostoy-s3/Namespace", "mallory"),
		"its own, and after": tag("ostoy-s3/namespace", "mallory", "ostoy-s3/namespace", "finance"),
		"among others":       tag("a", "b", "ostoy-s3/namespace", "finance", "c", "d"),
		"another issuer":     tag("ostoy-s3/issuer", "https://issuer.example.com/other"),
		"another cluster":    tag("ostoy-s3/cluster-id", "00000000-0000-0000-0000-000000000000"),
		"the bucket's":       tag("ostoy-s3/bucket", own),
		"the policy's":       tag("ostoy-s3/policy", "arn:aws:iam::aws:policy/AdministratorAccess"),
		"nothing after":      tag("ostoy-s3/", "x"),
		"another manager":    tag("app.kubernetes.io/managed-by", "terraform"),
		"manager, capitals":  tag("App.Kubernetes.IO/managed-by", "ostoy-s3"),
	}
}

func orEmpty(value any) any {
	if value == nil {
		return fields{}
	}
	return value
}
