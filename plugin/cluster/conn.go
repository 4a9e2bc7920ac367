package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/secret"
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
	version  *shared[string]
	issuer   *shared[string]
	served   sharedMap[struct{}, *Served]
	reads    sharedMap[readKey, readAnswer]
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
	faults := &loading{}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		again := newAgain(newPatience(next, limit))
		again.loading = faults
		return again
	})
	// Our limits must lie under the credential plugins, which may wait for a
	// human at a browser; client-go puts plugins above what is wrapped here.
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, configFlaw(s.context, err)
	}
	if config.ExecProvider != nil {
		client.Transport = leave{client.Transport}
	}
	conn := &Conn{settings: s, loading: faults, version: newShared[string](), issuer: newShared[string]()}
	if conn.Dynamic, err = dynamic.NewForConfigAndClient(config, client); err != nil {
		return nil, configFlaw(s.context, err)
	}
	if conn.raw, err = discovery.NewDiscoveryClientForConfigAndClient(config, client); err != nil {
		return nil, configFlaw(s.context, err)
	}
	return conn, nil
}

// prepare makes a configuration ours, and takes its timeout out, which would
// also end watches.
func prepare(config *rest.Config, opts Options) (limit time.Duration) {
	name := opts.Version
	if name == "" {
		name = "dev"
	}
	config.UserAgent = "kubectl-ostoy_s3/" + name
	config.QPS = -1 // the server has its own priority and fairness
	config.WarningHandler = warnings(opts.Warn)
	if config.Dial == nil {
		config.Dial = (&net.Dialer{Timeout: dialLimit, KeepAlive: 30 * time.Second}).DialContext
	}
	limit, config.Timeout = config.Timeout, 0
	return limit
}

// warnings hands each text on once.
func warnings(warn func(string)) rest.WarningHandler {
	if warn == nil {
		return rest.NoWarnings{}
	}
	return &onceEach{warn: warn}
}

type onceEach struct {
	warn func(string)
	seen sync.Map
}

// HandleWarningHeader implements rest.WarningHandler; 299 is the code that
// the API server uses for what a person should read.
func (o *onceEach) HandleWarningHeader(code int, _, text string) {
	if code != 299 || text == "" {
		return
	}
	if _, seen := o.seen.LoadOrStore(text, true); !seen {
		o.warn(text)
	}
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
	return c.version.get(ctx, func(ctx context.Context) (string, error) {
		var info version.Info
		err := c.getJSON(ctx, "/version", &info)
		return info.GitVersion, err
	})
}

// Issuer is the issuer in the API server's OIDC discovery document, which not
// everybody may read; asked once.
func (c *Conn) Issuer(ctx context.Context) (string, error) {
	return c.issuer.get(ctx, func(ctx context.Context) (string, error) {
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
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s of the API server is not what it should be: %w", path, err)
	}
	return nil
}

type readKey struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

// readAnswer is an object, or the server's refusal: both are answers.
type readAnswer struct {
	object *unstructured.Unstructured
	err    error
}

// Read gets an object that does not change while a command runs (the
// cluster's configuration, say), once for all callers; its refusal is
// remembered too. The object is shared: do not change it. Namespace is empty
// for what has none. Errors are as the client gave them.
func (c *Conn) Read(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	answer, err := c.reads.at(readKey{resource, namespace, name}).get(ctx, func(ctx context.Context) (readAnswer, error) {
		var client dynamic.ResourceInterface = c.Dynamic.Resource(resource)
		if namespace != "" {
			client = c.Dynamic.Resource(resource).Namespace(namespace)
		}
		object, err := client.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
			return readAnswer{err: err}, nil
		}
		return readAnswer{object: object}, err
	})
	if err != nil {
		return nil, err
	}
	return answer.object, answer.err
}

// Resource is the client for a kind: in namespace ns if the kind has
// namespaces, else for the whole cluster. It costs the one discovery, but for
// ConfigMaps, which every API server has: what is on record is asked first of
// all, and need not wait.
func (c *Conn) Resource(ctx context.Context, gvk schema.GroupVersionKind, ns string) (dynamic.ResourceInterface, error) {
	if gvk == (schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}) {
		return c.Dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(ns), nil
	}
	served, err := c.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	mapping, err := served.Mapping(gvk)
	if err != nil {
		return nil, err
	}
	if namespaced(mapping) {
		return c.Dynamic.Resource(mapping.Resource).Namespace(ns), nil
	}
	return c.Dynamic.Resource(mapping.Resource), nil
}

// Forget drops what is served and what was read, for a caller that has just
// changed it (a CRD installed).
func (c *Conn) Forget() {
	c.served.forget()
	c.reads.forget()
}
