// Package forward opens a local port that leads to a port of a pod, through the
// API server, as `kubectl port-forward` does. Its callers are the use cases verify
// and open. It listens on loopback only, prints nothing, and does not know what
// is behind the port.
package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
)

// Forward is an open way to a pod.
type Forward struct {
	// URL is the http address of the local end.
	URL string

	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Open leads a free local port to the port of a pod. It returns when the port is
// open; the way stays open until Close, the end of ctx, or the loss of the pod.
// Errors are as client-go gave them.
func Open(ctx context.Context, conn *cluster.Conn, namespace, pod string, port int) (*Forward, error) {
	dialer, err := dialer(conn, namespace, pod)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ready := make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf(":%d", port)}, ready, io.Discard, io.Discard)
	if err != nil {
		cancel()
		return nil, err
	}
	f := &Forward{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.err = forwarder.ForwardPorts()
	}()
	select {
	case <-ready:
	case <-f.done:
		cancel()
		return nil, cmp.Or(f.err, errors.New("it ended at once"))
	case <-ctx.Done(): // the dialer knows no context: it is left behind
		cancel()
		return nil, context.Cause(ctx)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		f.Close()
		return nil, err
	}
	f.URL = fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local)
	return f, nil
}

// Close closes the local port and waits until that is done.
func (f *Forward) Close() {
	f.cancel()
	<-f.done
}

// Wait waits for the end. The error is nil after Close or the end of the context,
// else the pod was lost.
func (f *Forward) Wait() error {
	<-f.done
	return f.err
}

// dialer asks by WebSocket, as the API server has it since 1.31, and by SPDY where
// it, or a proxy on the way, does not.
func dialer(conn *cluster.Conn, namespace, pod string) (httpstream.Dialer, error) {
	config := conn.Config()
	address := conn.REST().Post().AbsPath("/api/v1/namespaces", namespace, "pods", pod, "portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	older := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	newer, err := portforward.NewSPDYOverWebsocketDialerForStreaming(address, config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(newer, older, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}
