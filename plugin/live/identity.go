package live

import (
	"context"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// identityAnswers are the answers about how a pod becomes the role.
type identityAnswers struct {
	orphans     asked[[]iam.Found]
	documents   askedOf[string, string]
	keys        askedOf[objectKey, Keys]
	tokenIssuer asked[string]
	usualRole   asked[*iam.Actual]
}

// UsualRole is the role that install uses without flags, as IAM has it.
func (w *World) UsualRole(ctx context.Context) (*iam.Actual, error) {
	usual := render.RoleName(w.Facts.Issuer.Value, w.Namespace)
	if w.RoleName(ctx) == usual {
		return w.Role(ctx)
	}
	return w.usualRole.get(ctx, func() (*iam.Actual, error) {
		if w.Roles == nil {
			return nil, ErrNoAWS
		}
		return iam.Look(ctx, w.Roles, usual)
	})
}

// Account is the service account of the app, nil where it is not there.
func (w *World) Account(ctx context.Context) (*unstructured.Unstructured, error) {
	return w.One(ctx, ServiceAccounts(), render.ServiceAccount)
}

// ManagedPolicy is the text of a managed policy as IAM has it.
func (w *World) ManagedPolicy(ctx context.Context, arn string) (string, error) {
	return w.documents.get(ctx, arn, func() (string, error) {
		if w.Roles == nil {
			return "", ErrNoAWS
		}
		return iam.ManagedPolicy(ctx, w.Roles, arn)
	})
}

// InlinePolicy is the text of one of the role's inline policies as IAM has it.
func (w *World) InlinePolicy(ctx context.Context, name string) (string, error) {
	return w.documents.get(ctx, "inline/"+name, func() (string, error) {
		if w.Roles == nil {
			return "", ErrNoAWS
		}
		return iam.InlinePolicy(ctx, w.Roles, w.RoleName(ctx), name)
	})
}

// Orphans are roles of ours, of any project, that nobody can assume any more.
func (w *World) Orphans(ctx context.Context) ([]iam.Found, error) {
	return w.orphans.get(ctx, func() ([]iam.Found, error) {
		if w.Roles == nil {
			return nil, ErrNoAWS
		}
		return iam.Orphans(ctx, w.Roles, w.Facts.Issuer.Value)
	})
}

// Keys are the names of the keys of a ConfigMap or Secret.
type Keys struct {
	Found bool
	Names []string // sorted
}

// KeysOf gives the names of the keys of a ConfigMap or Secret in the install's
// namespace. The values are let go at once.
func (w *World) KeysOf(ctx context.Context, resource schema.GroupVersionResource, name string) (Keys, error) {
	return w.keys.get(ctx, objectKey{resource, w.Namespace, name}, func() (Keys, error) {
		// Not Get: that would keep the values as long as World lives.
		object, err := absent(w.Conn.Dynamic.Resource(resource).Namespace(w.Namespace).Get(ctx, name, metav1.GetOptions{}))
		if err != nil || object == nil {
			return Keys{}, err
		}
		data, _, _ := unstructured.NestedMap(object.Object, "data")
		return Keys{Found: true, Names: slices.Sorted(maps.Keys(data))}, nil
	})
}

// TokenIssuer is the issuer that stands in a token of the app's service account;
// the token is not kept.
func (w *World) TokenIssuer(ctx context.Context) (string, error) {
	return w.tokenIssuer.get(ctx, func() (string, error) {
		return w.Conn.TokenIssuer(ctx, w.Namespace, render.ServiceAccount)
	})
}
