// Package cluster is the one connection to the API server that a command has.
//
// Connect builds it from the kubeconfig without sending anything. Whoever
// needs the cluster shares it, and what one caller asked (the version, the
// served API groups, the issuer document, a memoised read) another gets
// without a second request. The dynamic client is the only client: typed ones
// cost start-up time and know nothing of ACK and OpenShift.
//
// Requests whose failure passes are repeated here, for everybody (see again):
// callers make each once. Only what the request itself must change for, such as
// a newer resourceVersion, is theirs to repeat.
//
// It decides nothing and prints nothing: errors are translated to three parts
// by Translate, the server's warnings go to the hook given in Options.
package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/once"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
)

// Options of a connection; the zero value is usable.
type Options struct {
	// Version is ours, for the user agent; empty means "dev".
	Version string
	// Warn receives each warning the API server sends, once per text.
	// It may be called from several goroutines. Nil drops them.
	Warn func(text string)
}

// Conn is a connection to one API server as one user. It is safe for use by
// several goroutines.
type Conn struct {
	// Dynamic is the client for everything, subresources included.
	Dynamic dynamic.Interface

	settings settings
	raw      *discovery.DiscoveryClient
	loading  *loading
	version  once.Answer[string]
	issuer   once.Answer[string]
	served   once.Answers[struct{}, *Served]
	reads    once.Answers[readKey, *unstructured.Unstructured]
}

// Connect reads the kubeconfig the getter leads to and prepares the clients.
// It sends no request. A missing, malformed or contradictory kubeconfig is a
// *problem.Error of kind Usage; one that is simply not there also matches
// ErrNotConfigured.
func Connect(getter genericclioptions.RESTClientGetter, opts Options) (*Conn, error) {
	s, err := readSettings(getter)
	if err != nil {
		return nil, err
	}
	limit := prepare(s.config, opts)
	config := rest.CopyConfig(s.config)
	conn := &Conn{settings: s, loading: &loading{}}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		again := newAgain(newPatience(next, limit))
		again.loading = conn.loading
		return again
	})
	// Our limits must lie under the credential plugins, which may wait for a
	// human at a browser; client-go puts plugins above what is wrapped here.
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, configFlaw(getter, s.context, err)
	}
	if config.ExecProvider != nil {
		client.Transport = leave{client.Transport}
	}
	if conn.Dynamic, err = dynamic.NewForConfigAndClient(config, client); err == nil {
		conn.raw, err = discovery.NewDiscoveryClientForConfigAndClient(config, client)
	}
	if err != nil {
		return nil, configFlaw(getter, s.context, err)
	}
	return conn, nil
}

// Namespace is the namespace of -n, of the kubeconfig context, or "default".
// Explicit means -n.
func (c *Conn) Namespace() (name string, explicit bool) {
	return c.settings.namespace, c.settings.explicit
}

// NamespaceSource says where Namespace came from, in the words of a fact's source.
func (c *Conn) NamespaceSource() string { return c.settings.source }

// Host is the API server's URL, without the user and password that one may have.
func (c *Conn) Host() string {
	if u, err := url.Parse(c.settings.config.Host); err == nil && u.User != nil {
		u.User = nil
		return u.String()
	}
	return secret.Hide(c.settings.config.Host)
}

// Context is the name of the kubeconfig context, empty without one.
func (c *Conn) Context() string { return c.settings.context }

// Config is a copy of the client configuration, for what needs its own
// transport (port-forward). Its QPS is unlimited and its Timeout zero.
func (c *Conn) Config() *rest.Config { return rest.CopyConfig(c.settings.config) }

// REST is a client for paths that are no objects (logs, /readyz): use AbsPath.
func (c *Conn) REST() rest.Interface { return c.raw.RESTClient() }

// Version is the API server's version, for example v1.33.4; asked once.
func (c *Conn) Version(ctx context.Context) (string, error) {
	return c.version.Value(ctx, func() (string, error) {
		var info version.Info
		err := c.getJSON(ctx, "/version", &info)
		return info.GitVersion, err
	})
}

// Issuer is the issuer in the API server's OIDC discovery document, which not
// everybody may read; asked once.
func (c *Conn) Issuer(ctx context.Context) (string, error) {
	return c.issuer.Value(ctx, func() (string, error) {
		var document struct {
			Issuer string `json:"issuer"`
		}
		err := c.getJSON(ctx, "/.well-known/openid-configuration", &document)
		return document.Issuer, err
	})
}

func (c *Conn) getJSON(ctx context.Context, path string, into any) error {
	data, err := c.REST().Get().AbsPath(path).Do(ctx).Raw()
	if err != nil {
		return err
	}
	return decoded(path, json.Unmarshal(data, into))
}

// decoded says of which answer an error of decoding is.
func decoded(path string, err error) error {
	if err != nil {
		return fmt.Errorf("%s of the API server is not what it should be: %w", path, err)
	}
	return nil
}

type readKey struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

// Read gets an object that does not change while a command runs (the
// cluster's configuration, say), once for all callers; its refusal is
// remembered too. The object is shared: do not change it. Namespace is empty
// for what has none. Errors are as the client gave them.
func (c *Conn) Read(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	refusal := func(err error) bool { return apierrors.IsForbidden(err) || apierrors.IsNotFound(err) }
	return c.reads.Of(readKey{resource, namespace, name}).Keep(ctx, refusal, func() (*unstructured.Unstructured, error) {
		return c.Dynamic.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	})
}

// Resource is the client for a kind: in namespace ns if the kind has
// namespaces, else for the whole cluster. It costs the one discovery, but for
// ConfigMaps, which every API server has: what is on record is asked first of
// all, and need not wait.
func (c *Conn) Resource(ctx context.Context, gvk schema.GroupVersionKind, ns string) (dynamic.ResourceInterface, error) {
	if gvk == kinds.ConfigMap.GVK() {
		return c.Dynamic.Resource(kinds.ConfigMap.GVR()).Namespace(ns), nil
	}
	served, err := c.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	mapping, err := served.Mapping(gvk)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		ns = ""
	}
	return c.Dynamic.Resource(mapping.Resource).Namespace(ns), nil
}

// Forget drops what is served and what was read, for a caller that has just
// changed it (a CRD installed).
func (c *Conn) Forget() {
	c.served.Forget()
	c.reads.Forget()
}

// AwaitRights pauses and reports true while a review that answers no may still
// change its answer: the API server failed a moment ago, and may not have loaded
// all Roles and bindings yet. Otherwise the answer is final, and it reports false
// without a pause; began is when the right was first asked for.
func (c *Conn) AwaitRights(ctx context.Context, began time.Time) bool {
	if c.loading == nil || time.Since(began)+longestPause > loadingLimit || !c.loading.mayPass(longestPause) {
		return false
	}
	return interrupt.Sleep(ctx, longestPause) == nil
}

// TokenIssuer is the issuer that stands in a token of a service account, asked
// for by a TokenRequest (dryRun=All); empty where the token does not say. The
// token is not kept. The error is the server's own.
func (c *Conn) TokenIssuer(ctx context.Context, namespace, account string) (string, error) {
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1",
		"kind":       "TokenRequest",
		"metadata":   map[string]any{"name": account, "namespace": namespace},
		"spec":       map[string]any{"expirationSeconds": int64(600)}, // the shortest there is
	}}
	answer, err := c.Dynamic.Resource(kinds.ServiceAccount.GVR()).Namespace(namespace).
		Create(ctx, request, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}, "token")
	if err != nil {
		return "", err
	}
	token, _, _ := unstructured.NestedString(answer.Object, "status", "token")
	return issuerIn(token), nil
}

// issuerIn reads the claim iss of a JWT. Nothing of the token gets into an
// error, which is why there is none.
func issuerIn(token string) string {
	var claims struct {
		Issuer string `json:"iss"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(payload, &claims)
		}
	}
	return claims.Issuer
}

// ListAll lists all objects that opts choose, page by page. Where that takes so
// long that the server no longer knows the list it began with, it begins anew. The
// error is the server's.
func ListAll(ctx context.Context, client dynamic.ResourceInterface, opts metav1.ListOptions) ([]*unstructured.Unstructured, error) {
	opts.Limit = 500
	var all []*unstructured.Unstructured
	for {
		list, err := client.List(ctx, opts)
		if apierrors.IsResourceExpired(err) && opts.Continue != "" {
			all, opts.Continue = nil, ""
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
		if opts.Continue = list.GetContinue(); opts.Continue == "" {
			return all, nil
		}
	}
}
