package plugin

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// renderAccess are the objects that give projects their Buckets, with the admission
// policy where the cluster serves it. Where that is not known, the policy is among them,
// and the permission to create Buckets is not: a cluster that rejects the policy would
// accept the rest.
func renderAccess(f render.Facts) []*unstructured.Unstructured {
	exempt := []string{operator.Account(f)}
	switch operator.AdmissionServed(f) {
	case operator.Serves:
		return operator.Access(f, true, exempt)
	case operator.ServesNot:
		return operator.Access(f, false, exempt)
	}
	return append(operator.AdmissionPolicy(f, exempt), operator.ReadRights()...)
}

// noPolicy is what the head of rendered objects says about the policy.
func noPolicy(f render.Facts) string {
	switch operator.AdmissionServed(f) {
	case operator.Serves:
		return `#
# If the API server does not accept the ValidatingAdmissionPolicy and its binding, do
# not apply the ClusterRoles: without the policy a Bucket can name any S3 bucket.
`
	case operator.ServesNot:
		return `#
# The cluster does not serve ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift
# 4.17), so the ClusterRole gives project admins and editors only read access to Buckets.
`
	}
	return `#
# Whether the cluster serves ValidatingAdmissionPolicies (Kubernetes 1.30, OpenShift
# 4.17) is not known, so the ClusterRole gives project admins and editors only read
# access to Buckets. With --kube-version 1.30.0 or later they can create Buckets.
`
}

// besideValues is what the head of the values says about the objects that ACK's chart
// does not create.
func besideValues(f render.Facts) string {
	what := `#
# Neither does the chart create the ValidatingAdmissionPolicy ` + operator.PolicyName + `,
# which keeps a Bucket to the S3 buckets of its own project, its binding, and the
# ClusterRoles for Buckets.`
	if operator.AdmissionServed(f) == operator.ServesNot {
		what = `#
# Neither does the chart create the ClusterRole for Buckets.`
	}
	return what + " " + advice.Command("oc ostoy-s3 controller install") + ` creates them, too, and as YAML
# they are among the objects of:
#   ` + advice.Command("oc ostoy-s3 controller render", "--chart", operator.Chart) + `
`
}
