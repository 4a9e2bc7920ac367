package access

import (
	"context"

	authentication "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
)

// Self is the user name that the API server knows this user by, "" where the cluster
// does not serve SelfSubjectReviews (Kubernetes before 1.28).
func Self(ctx context.Context, conn *cluster.Conn) (string, error) {
	gvk := authentication.SchemeGroupVersion.WithKind("SelfSubjectReview")
	served, err := conn.Discovery(ctx)
	if err != nil || !served.Serves(gvk.GroupVersion().String(), gvk.Kind) {
		return "", err
	}
	client, err := conn.Resource(ctx, gvk, "")
	if err != nil {
		return "", err
	}
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetGroupVersionKind(gvk)
	answer, err := client.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return "", conn.Translate(err)
	}
	name, _, err := unstructured.NestedString(answer.Object, "status", "userInfo", "username")
	return name, err
}
