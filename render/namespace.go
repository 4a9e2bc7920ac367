package render

import (
	"fmt"
	"strings"
)

// maxNamespace leaves room for "-bucket" in the 63 characters of a bucket name.
const maxNamespace = 63 - len("-bucket")

// ValidateNamespace checks the name of a project OSToy may live in. The bucket
// is <namespace>-bucket, so S3's rules for names count as well as Kubernetes':
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func ValidateNamespace(name string) error {
	why := namespaceFlaw(name)
	if why == "" {
		return nil
	}
	return &InputError{
		What: "namespace " + quote(name),
		Why:  why,
		Next: "choose another with -n, or let one be made: oc ostoy-s3 install --new-project",
	}
}

// namespaceFlaw says why a namespace cannot be used, empty if it can.
func namespaceFlaw(name string) string {
	bucket := BucketName(name)
	switch {
	case name == "":
		return "the name is empty"
	case len(name) > maxNamespace:
		return fmt.Sprintf("it has %d characters, and at most %d fit, because its bucket is called <namespace>-bucket and S3 allows 63", len(name), maxNamespace)
	case !isLabel(name):
		return "a namespace is made of lower case letters, digits and hyphens, and begins and ends with a letter or digit"
	case isSystemNamespace(name):
		return "it belongs to the cluster, and apps do not go there"
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(bucket, prefix) {
			return "the bucket would be called " + bucket + ", and S3 keeps names that begin with " + prefix + " for itself"
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an"} {
		if strings.HasSuffix(name, suffix) || strings.HasSuffix(bucket, suffix) {
			return "S3 keeps names that end in " + suffix + " for itself, and a project called so invites mistaking it for one"
		}
	}
	return ""
}

// isSystemNamespace lists what OpenShift refuses as a project, and "default".
func isSystemNamespace(name string) bool {
	switch name {
	case "default", "openshift", "kubernetes", "kube":
		return true
	}
	return strings.HasPrefix(name, "openshift-") ||
		strings.HasPrefix(name, "kubernetes-") ||
		strings.HasPrefix(name, "kube-")
}
