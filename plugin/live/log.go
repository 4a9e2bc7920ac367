package live

import (
	"context"
	"strconv"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

const (
	// lastLines is how many lines of the end of a log are read.
	lastLines = 200

	// lastBytes is more than these lines can have. A kubelet that is asked for the
	// last lines of a log (tailLines) and for a number of bytes (limitBytes) sends that
	// many bytes of the first of these lines (ReadLogs of k8s.io/cri-client/pkg/logs):
	// a smaller limit would drop the end, where the reason of a crash is. A line of a
	// log file has at most 16 KiB by default (max_container_log_line_size of
	// containerd; less in CRI-O), because a longer one is written as several: 200 have
	// 3.2 MB.
	lastBytes = 4 << 20

	// startBytes is how much of the beginning of a log is read.
	startBytes = 64 << 10
)

// LogStart is the beginning of what a pod's container has logged since it started.
// What the kubelet has removed since is not in it.
func (w *World) LogStart(ctx context.Context, pod, container string) (string, error) {
	return w.logStarts.get(ctx, pod+"/"+container, func() (string, error) {
		return readLog(ctx, w.Conn, w.Namespace, pod, map[string]string{"container": container}, startBytes)
	})
}

// LastLog is LogOfLastRun, asked for once.
func (w *World) LastLog(ctx context.Context, namespace, pod, container string) (string, error) {
	return w.lastLogs.get(ctx, namespace+"/"+pod+"/"+container, func() (string, error) {
		return LogOfLastRun(ctx, w.Conn, namespace, pod, container)
	})
}

// LogOfLastRun is the end of the log of a container: of its run before this one,
// or, where there was none, of this one.
func LogOfLastRun(ctx context.Context, conn *cluster.Conn, namespace, pod, container string) (string, error) {
	text, err := Log(ctx, conn, namespace, pod, container, true)
	if err != nil {
		text, err = Log(ctx, conn, namespace, pod, container, false)
	}
	return text, err
}

// Log is the last 200 lines that a container has written, in this run or the one before.
func Log(ctx context.Context, conn *cluster.Conn, namespace, pod, container string, previous bool) (string, error) {
	return readLog(ctx, conn, namespace, pod, map[string]string{
		"container": container,
		"tailLines": strconv.Itoa(lastLines),
		"previous":  strconv.FormatBool(previous),
	}, lastBytes)
}

// readLog reads a log, and is the only function that does. What a container writes can
// have any size and any text, which need not be UTF-8: no more than so many bytes of it
// are read, also from a kubelet that sends more.
func readLog(ctx context.Context, conn *cluster.Conn, namespace, pod string, params map[string]string, bytes int) (string, error) {
	request := conn.REST().Get().AbsPath("/api/v1/namespaces", namespace, "pods", pod, "log").Param("limitBytes", strconv.Itoa(bytes))
	for name, value := range params {
		request = request.Param(name, value)
	}
	answer := request.Do(ctx)
	if err := answer.Error(); err != nil { // has the words of a refusal, Raw has not
		return "", err
	}
	text, err := answer.Raw()
	return plain.Text(string(text)), err
}
