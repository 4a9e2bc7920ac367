package access

import (
	"context"
	"strings"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
)

// Reviewing is the permission that SubjectMay requires, as `oc auth can-i` takes it.
const Reviewing = "create subjectaccessreviews.authorization.k8s.io"

// SubjectMay reports whether a user, "" for nobody in particular, who is in some groups
// has a permission, by a SubjectAccessReview. Only cluster admins are usually allowed to
// create one: where this user is not, the error is the server's refusal. It is asked
// again while an API server that has just started may not know of the permission yet.
func SubjectMay(ctx context.Context, conn *cluster.Conn, user string, groups []string, r Right) (bool, error) {
	return untilKnown(ctx, conn, func() (bool, error) { return subjectMayNow(ctx, conn, user, groups, r) })
}

func subjectMayNow(ctx context.Context, conn *cluster.Conn, user string, groups []string, r Right) (bool, error) {
	resource, subresource, _ := strings.Cut(r.Resource, "/")
	review := &authorization.SubjectAccessReview{
		Spec: authorization.SubjectAccessReviewSpec{
			User: user, Groups: groups,
			ResourceAttributes: &authorization.ResourceAttributes{
				Namespace: r.Namespace, Verb: r.Verb, Group: r.Group, Resource: resource, Subresource: subresource,
			},
		},
	}
	err := ask(ctx, conn, "SubjectAccessReview", review)
	return err == nil && review.Status.Allowed, err
}
