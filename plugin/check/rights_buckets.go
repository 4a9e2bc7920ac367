package check

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
)

// grantBuckets is what an admin types so that project admins may make Buckets
// (FACTS 10.1: OLM does it for the CRDs of an operator, Helm does not).
const grantBuckets = `a cluster admin lets project admins make Buckets: oc ostoy-s3 controller install
(where there is a controller already, it adds just these rights; docs/rights.md has them as YAML)`

// grantsBuckets is how a project gets its Bucket if you are not allowed to create
// one. On a cluster without ValidatingAdmissionPolicies nothing can keep a Bucket to
// its own project, so controller install gives projects read access only, and a
// cluster admin creates the Bucket.
func grantsBuckets(ctx context.Context, conn *cluster.Conn, namespace string) string {
	served, err := conn.Discovery(ctx)
	if err != nil || live.ServesAdmission(served) {
		return grantBuckets
	}
	return "ask a cluster admin to run: " + shell.Words("oc", "ostoy-s3", "install", "-n", namespace) + `
(this cluster does not serve ValidatingAdmissionPolicies, so project admins and editors can only read Buckets; docs/controller.md)`
}
