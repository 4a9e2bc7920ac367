package check

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// grantBuckets is what a cluster admin types so that project admins can create
// Buckets. OLM gives them the permission for the CRDs of an operator for all
// namespaces (ensureProvidedAPIClusterRole in its pkg/controller/operators/olm);
// ACK's chart does not.
const grantBuckets = `a cluster admin allows project admins to create Buckets: oc ostoy-s3 controller install
(if a controller exists, only the admission policy and the ClusterRoles are added; docs/controller.md)`

// grantsBuckets is how a project gets its Bucket if you are not allowed to create
// one. On a cluster without ValidatingAdmissionPolicies nothing can keep a Bucket to
// its own project, so controller install gives projects read access only, and a
// cluster admin creates the Bucket.
func grantsBuckets(ctx context.Context, conn *cluster.Conn, namespace string) string {
	served, err := conn.Discovery(ctx)
	if err != nil || live.ServesAdmission(served) {
		return grantBuckets
	}
	return "ask a cluster admin to run: " + installIn(namespace) + `
(this cluster does not serve ValidatingAdmissionPolicies, so project admins and editors can only read Buckets; docs/controller.md)`
}
