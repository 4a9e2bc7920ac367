package check

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// installIn is the command that installs the app in a project again.
func installIn(namespace string, flags ...string) string {
	return advice.Command("oc ostoy-s3 install", append([]string{"-n", namespace}, flags...)...)
}

// retain are the commands after which the S3 bucket of a Bucket stays when the Bucket is
// deleted, and which delete it. Object are its name and namespace as oc takes them.
func retain(object ...string) string {
	const resource = "buckets.s3.services.k8s.aws"
	return advice.Command("oc annotate", append(append([]string{resource}, object...), deletionPolicyNote+"=retain", "--overwrite")...) + "\n" +
		advice.Command("oc delete", append([]string{resource}, object...)...)
}
