package plugin

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// renderAccess are the objects that give projects their Buckets, with the admission
// policy where the cluster serves it.
func renderAccess(f render.Facts) []*unstructured.Unstructured {
	return operator.Access(f, operator.AdmissionServed(f), []string{operator.Account(f)})
}

// noPolicy is what the head of rendered objects says where there is no policy.
func noPolicy(f render.Facts) string {
	if operator.AdmissionServed(f) {
		return ""
	}
	return `#
# The cluster does not serve ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift
# 4.17), so the ClusterRole gives project admins and editors only read access to Buckets.
`
}

// besideValues is what the head of the values says about the objects that ACK's chart
// does not create.
func besideValues(f render.Facts) string {
	what := `#
# Neither does the chart create the ValidatingAdmissionPolicy ` + operator.PolicyName + `,
# which keeps a Bucket to the S3 buckets of its own project, its binding, and the
# ClusterRoles for Buckets.`
	if !operator.AdmissionServed(f) {
		what = `#
# Neither does the chart create the ClusterRole for Buckets.`
	}
	return what + ` oc ostoy-s3 controller install creates them, too, and as YAML
# they are among the objects of:
#   oc ostoy-s3 controller render --chart ` + operator.Chart + `
`
}
