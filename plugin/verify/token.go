package verify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// secret is a text that no print shows.
type secret string

func (secret) String() string   { return "(hidden)" }
func (secret) GoString() string { return "(hidden)" }

// issuer gives tokens. Errors are as the API server gave them.
type issuer interface {
	token(ctx context.Context, namespace, account, audience string) (secret, error)
	// others are namespaces, but for this one, that have, or may have, a service
	// account of that name.
	others(ctx context.Context, namespace, account string) ([]string, error)
}

// token requests one for an audience that is the run's, or known; no other audience
// reaches the API server, whoever names it.
func (r *run) token(ctx context.Context, namespace, account, audience string) (secret, error) {
	if audience == "" || audience != r.Audience && !slices.Contains(Audiences(), audience) {
		return "", errAudience
	}
	return r.ask.issuer.token(ctx, namespace, account, audience)
}

// errAudience is a fault of this package: checkAudience comes before any token.
var errAudience = errors.New("tokens are requested only for audiences that are known")

// kube is the real issuer.
type kube struct{ client dynamic.Interface }

func serviceAccounts() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
}

// token asks for the shortest token there is, as a dry run: nothing persists, and
// the token is a whole one (FACTS 10.5).
func (k kube) token(ctx context.Context, namespace, account, audience string) (secret, error) {
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1",
		"kind":       "TokenRequest",
		"metadata":   map[string]any{"name": account, "namespace": namespace},
		"spec":       map[string]any{"expirationSeconds": int64(600), "audiences": []any{audience}},
	}}
	answer, err := k.client.Resource(serviceAccounts()).Namespace(namespace).
		Create(ctx, request, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}, "token")
	if err != nil {
		return "", err
	}
	token, _, _ := unstructured.NestedString(answer.Object, "status", "token")
	return secret(token), nil
}

// others asks for the service accounts of the whole cluster, which is an
// administrator's right. Everybody on OpenShift may list their own projects, of
// which a few are given back unseen.
func (k kube) others(ctx context.Context, namespace, account string) ([]string, error) {
	const few = 5
	found, err := k.client.Resource(serviceAccounts()).List(ctx, metav1.ListOptions{
		FieldSelector: "metadata.name=" + account, Limit: few + 1,
	})
	name := (*unstructured.Unstructured).GetNamespace
	if err != nil {
		projects := schema.GroupVersionResource{Group: "project.openshift.io", Version: "v1", Resource: "projects"}
		name = (*unstructured.Unstructured).GetName
		if found, err = k.client.Resource(projects).List(ctx, metav1.ListOptions{Limit: few + 1}); err != nil {
			return nil, err
		}
	}
	var all []string
	for i := range found.Items {
		if other := name(&found.Items[i]); other != namespace && len(all) < few {
			all = append(all, other)
		}
	}
	return all, nil
}

// claims are what a token says of itself.
type claims struct {
	Issuer  string `json:"iss"`
	Subject string `json:"sub"`
}

// read takes the claims out of a token, nothing of which gets into an error:
// that is why there is none.
func (s secret) read() claims {
	var c claims
	parts := strings.Split(string(s), ".")
	if len(parts) != 3 {
		return c
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}
