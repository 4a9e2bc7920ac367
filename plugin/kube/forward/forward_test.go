package forward

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

func connect(t *testing.T, server *clustertest.Server) *cluster.Conn {
	t.Helper()
	conn, err := cluster.Connect(clustertest.Getter(t, server.URL, "demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestRefused: whatever the protocol, the server's no is given on. That a way
// opens is for the tests with a real API server.
func TestRefused(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	const path = " /api/v1/namespaces/demo/pods/pod/portforward"
	asked := map[string]bool{}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		server.Handle(method+path, func(w http.ResponseWriter, r *http.Request) {
			asked[strings.ToLower(r.Header.Get("Upgrade"))] = true
			http.Error(w, "you may not", http.StatusForbidden)
		})
	}
	way, err := Open(t.Context(), connect(t, server), "demo", "pod", 8080)
	if err == nil {
		way.Close()
		t.Fatal("it is open")
	}
	if !strings.Contains(err.Error(), "you may not") || !asked["websocket"] || !asked["spdy/3.1"] {
		t.Errorf("%v, asked for %v", err, asked)
	}
}

// TestInterrupted does not wait for a server that says nothing.
func TestInterrupted(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan struct{})
	t.Cleanup(func() { close(held) })
	server.Hold = func(*http.Request) {
		cancel()
		<-held
	}
	if _, err := Open(ctx, connect(t, server), "demo", "pod", 8080); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
