// Package status is the command controller status: it reports how the ACK S3 controllers
// of the cluster are, and changes nothing.
package status

import (
	"context"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// Request is which controllers are to be looked at, and how that is printed.
type Request struct {
	Facts   session.Facts  // of which the namespace is used: the one that ours is in
	Output  session.Format // FormatTable, FormatJSON or FormatYAML
	Timeout time.Duration
}

// Run reports how the ACK S3 controllers of the cluster are, however they were installed.
// It asks nothing of AWS, and what it finds wrong is no error. If there is no controller,
// the error is a refusal that says what is left of one.
func Run(ctx context.Context, s *session.Session, request Request) error {
	unchanged := func() string { return "nothing was changed: status only looks" }
	return session.InTime(ctx, request.Timeout, request.Timeout, unchanged, func(ctx context.Context) error {
		namespace, err := project.ControllerNamespace(request.Facts)
		if err != nil {
			return err
		}
		conn, err := s.Connect(ctx)
		if err != nil {
			return err
		}
		found, err := controller.Status(ctx, &live.World{Conn: conn, Namespace: namespace.Value}, s.Now())
		if err != nil {
			return err
		}
		if err := found.Missing(); err != nil {
			return err
		}
		return show(s, found, request.Output)
	})
}

func show(s *session.Session, found *controller.Report, format session.Format) error {
	if format == session.FormatJSON || format == session.FormatYAML {
		return s.WriteDocument(format, found)
	}
	report.Print(s.Report, controllerLines(found, s.Now()))
	return nil
}
