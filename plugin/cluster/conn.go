package cluster

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// Options of a connection; the zero value is usable.
type Options struct {
	// Version is ours, for the user agent; empty means "dev".
	Version string
	// Warn receives each warning the API server sends, once per text.
	// It may be called from several goroutines. Nil drops them.
	Warn func(text string)
}

// Conn is a connection to one API server as one user.
type Conn struct {
	// Dynamic is the client for everything, subresources included.
	Dynamic dynamic.Interface
}

// Connect reads the kubeconfig the getter leads to and prepares the clients.
// It sends no request. A missing, malformed or contradictory kubeconfig is a
// *problem.Error of kind Usage; one that is simply not there also matches
// ErrNotConfigured.
func Connect(getter genericclioptions.RESTClientGetter, opts Options) (*Conn, error) {
	return nil, ErrNotConfigured
}

// Namespace is the namespace of -n, of the kubeconfig context, or "default".
// Explicit means -n.
func (c *Conn) Namespace() (name string, explicit bool) { return "", false }

// NamespaceSource says where Namespace came from, in the words of a fact's source.
func (c *Conn) NamespaceSource() string { return "" }

// Host is the API server's URL.
func (c *Conn) Host() string { return "" }

// Context is the name of the kubeconfig context, empty without one.
func (c *Conn) Context() string { return "" }

// Config is a copy of the client configuration, for what needs its own
// transport (port-forward). Its QPS is unlimited and its Timeout zero.
func (c *Conn) Config() *rest.Config { return nil }

// Version is the API server's version, for example v1.33.4; asked once.
func (c *Conn) Version(ctx context.Context) (string, error) { return "", nil }

// Discovery is what the API server serves; asked once for all callers.
func (c *Conn) Discovery(ctx context.Context) (*Served, error) { return nil, nil }

// Forget drops what was learned, for a caller that has just changed what is
// served (a CRD installed).
func (c *Conn) Forget() {}

// Resource is the client for a kind: in namespace ns if the kind has
// namespaces, else for the whole cluster. It costs the one discovery.
func (c *Conn) Resource(ctx context.Context, gvk schema.GroupVersionKind, ns string) (dynamic.ResourceInterface, error) {
	return nil, nil
}

// Translate turns an error of a request into three parts. Errors that already
// have them, and a context's own end, pass unchanged.
func (c *Conn) Translate(err error) error { return err }
