package session

import (
	"context"
	"io"
	"sync"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
)

// Session is one run of the executable. It is safe for concurrent use.
type Session struct {
	Streams genericiooptions.IOStreams // Out is data, ErrOut is the UI's
	UI      *ui.UI
	Report  *ui.UI // on Out: what a person asked to see, where that is no document
	Getter  genericclioptions.RESTClientGetter
	Version string
	Now     func() time.Time

	mu   sync.Mutex
	conn *cluster.Conn
}

// Connect gives the one connection of the run; it sends nothing. The server's warnings
// are shown, each once: they are about what the user asked for. A kubeconfig can be a
// pipe, so reading it can be interrupted.
func (s *Session) Connect(ctx context.Context) (*cluster.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		return s.conn, nil
	}
	conn, err := interrupt.Run(ctx, 0, func() (*cluster.Conn, error) {
		return cluster.Connect(s.Getter, cluster.Options{
			Version: s.Version,
			Warn:    func(text string) { s.UI.Warn(plain.Line(text), "") },
		})
	})
	if err == nil {
		s.conn = conn
	}
	return conn, err
}

// Stream is the stream that a UI of this session writes to, for a program of the user's
// own that writes there itself.
func (s *Session) Stream(to *ui.UI) io.Writer {
	if to == s.Report {
		return s.Streams.Out
	}
	return s.Streams.ErrOut
}
