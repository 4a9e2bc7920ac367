package testbed

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Hook is called with the number of a request, from 1, before it is passed on.
// It may take its time. An error cuts the connection instead, as if the
// network were gone.
type Hook func(number int64, request *http.Request) error

// Between makes the handler of a proxy from the one that passes requests on: it
// may answer some itself, or pass them on and keep the answer.
type Between func(passOn http.Handler) http.Handler

// AWSProxy puts a server before AWS until ctx ends; the result is for
// AWS_ENDPOINT_URL.
func (b *Bed) AWSProxy(ctx context.Context, hook Hook) (string, error) {
	return b.AWSBehind(ctx, hook.between())
}

// KubeProxy puts a server before the API server until ctx ends. The result is
// the kubeconfig of the given kubeconfig's user that leads through it.
func (b *Bed) KubeProxy(ctx context.Context, kubeconfig string, hook Hook) (string, error) {
	return b.KubeBehind(ctx, kubeconfig, hook.between())
}

// between shows each request to the hook.
func (h Hook) between() Between {
	return func(passOn http.Handler) http.Handler {
		var count atomic.Int64
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := h(count.Add(1), r); err != nil {
				panic(http.ErrAbortHandler) // net/http's way to drop a connection
			}
			passOn.ServeHTTP(w, r)
		})
	}
}

// AWSBehind is AWSProxy for who wants to do more than look.
func (b *Bed) AWSBehind(ctx context.Context, between Between) (string, error) {
	return proxy(ctx, b.AWSEndpoint, http.DefaultTransport, between)
}

// KubeBehind is KubeProxy for who wants to do more than look.
func (b *Bed) KubeBehind(ctx context.Context, kubeconfig string, between Between) (string, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return "", err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return "", err
	}
	// A connection that becomes something else (port-forward) must not share one.
	config.NextProtos = []string{"http/1.1"}
	upgrades, err := rest.TransportFor(config)
	if err != nil {
		return "", err
	}
	address, err := proxy(ctx, config.Host, twoWays{transport, upgrades}, between)
	if err != nil {
		return "", err
	}
	through := api.NewConfig()
	through.Clusters["testbed"] = &api.Cluster{Server: address}
	through.Contexts["testbed"] = &api.Context{Cluster: "testbed", Namespace: "default"}
	through.CurrentContext = "testbed"
	// By port alone: a colon in KUBECONFIG separates files.
	_, port, err := net.SplitHostPort(strings.TrimPrefix(address, "http://"))
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.Dir, "kubeconfig-proxy-"+port)
	return path, clientcmd.WriteToFile(*through, path)
}

// twoWays passes on what becomes another protocol by a transport of its own.
type twoWays struct{ plain, upgrades http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w twoWays) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Header.Get("Upgrade") != "" {
		return w.upgrades.RoundTrip(r)
	}
	return w.plain.RoundTrip(r)
}

// proxy serves plain HTTP on loopback and passes requests on to target.
func proxy(ctx context.Context, target string, transport http.RoundTripper, between Between) (string, error) {
	to, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	forward := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: transport,
		// Watches: every byte at once.
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // answers that break off are often meant
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: between(forward)}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			_ = listener.Close()
		}
	}()
	return "http://" + listener.Addr().String(), nil
}
