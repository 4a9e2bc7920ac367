package live_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// kubelet sends a log as a kubelet does (ReadLogs of k8s.io/cri-client/pkg/logs): from
// the first of the last tailLines lines on, as many as limitBytes bytes. One that an
// attacker took over sends everything.
func kubelet(lines []string, takenOver bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		sent := lines
		if tail, err := strconv.Atoi(query.Get("tailLines")); err == nil && tail < len(lines) && !takenOver {
			sent = lines[len(lines)-tail:]
		}
		text := strings.Join(sent, "")
		if most, err := strconv.Atoi(query.Get("limitBytes")); err == nil && most < len(text) && !takenOver {
			text = text[:most]
		}
		_, _ = w.Write([]byte(text))
	}
}

// numbered are lines of so many bytes each.
func numbered(lines, bytes int) []string {
	var all []string
	for n := range lines {
		all = append(all, fmt.Sprintf("%0*d\n", bytes-1, n))
	}
	return all
}

func TestF15LogLimits(t *testing.T) {
	const line, oneMore = 16 << 10, "error: the reason\n" // the longest line in a log file
	lines := append(numbered(1000, line), oneMore)
	for name, tc := range map[string]struct {
		read       func(ctx context.Context, world *live.World) (string, error)
		takenOver  bool
		begin, end string
		most       int
	}{
		"the end of an honest log":           {lastLog, false, lines[801], oneMore, 4 << 20},
		"the end, by a kubelet taken over":   {lastLog, true, lines[0], "", 4 << 20},
		"the beginning of an honest log":     {logStart, false, lines[0], "", 64 << 10},
		"the start, by a kubelet taken over": {logStart, true, lines[0], "", 64 << 10},
	} {
		server := clustertest.New(t, "v1.34.0", "v1/Pod")
		server.Handle("GET /api/v1/namespaces/demo/pods/it/log", kubelet(lines, tc.takenOver))
		conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := tc.read(t.Context(), &live.World{Conn: conn, Namespace: "demo"})
		if err != nil || len(text) > tc.most || !strings.HasPrefix(text, tc.begin) || !strings.HasSuffix(text, tc.end) {
			t.Errorf("%s: %d bytes, %v: %.40q", name, len(text), err, text)
		}
	}
}

func lastLog(ctx context.Context, world *live.World) (string, error) {
	return live.Log(ctx, world.Conn, "demo", "it", "controller", false)
}

func logStart(ctx context.Context, world *live.World) (string, error) {
	return world.LogStart(ctx, "it", "ostoy-frontend")
}
