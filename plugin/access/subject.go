package access

import (
	"context"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
)

// AccountMay reports whether a service account has a permission, by a
// SubjectAccessReview. Only cluster admins are usually allowed to create one: where
// this user is not, the error is the server's refusal.
func AccountMay(ctx context.Context, conn *cluster.Conn, namespace, account string, r Right) (bool, error) {
	review := &authorization.SubjectAccessReview{
		Spec: authorization.SubjectAccessReviewSpec{
			User:   "system:serviceaccount:" + namespace + ":" + account,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
			ResourceAttributes: &authorization.ResourceAttributes{
				Namespace: r.Namespace, Verb: r.Verb, Group: r.Group, Resource: r.Resource,
			},
		},
	}
	err := ask(ctx, conn, "SubjectAccessReview", review)
	return err == nil && review.Status.Allowed, err
}
