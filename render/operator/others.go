package operator

import (
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// OfOtherProjects names the Buckets whose S3 bucket is not their project's, as
// PROJECT/NAME and the S3 bucket, sorted. It is the policy's rule about spec.name.
func OfOtherProjects(buckets []*unstructured.Unstructured) []string {
	var some []string
	for _, one := range buckets {
		if name, _, _ := unstructured.NestedString(one.Object, "spec", "name"); !nameOfProject(one.GetNamespace(), name) {
			some = append(some, one.GetNamespace()+"/"+one.GetName()+" ("+legalName(name)+")")
		}
	}
	slices.Sort(some)
	return some
}

// legalName is the name of an S3 bucket. One that S3 would refuse is not repeated:
// it is a text that somebody else wrote.
func legalName(name string) string {
	if regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(name) {
		return "S3 bucket " + name
	}
	return "not a valid name of an S3 bucket"
}
