package plugin

import (
	"context"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// ControllerStatusRequest is which controllers are to be looked at, and how that
// is to be told.
type ControllerStatusRequest struct {
	Facts   FactsRequest // of which the namespace is used: the one that ours is in
	Output  Format       // FormatTable, FormatJSON or FormatYAML
	Timeout time.Duration
}

// ControllerStatus tells how the ACK S3 controllers of the cluster are, whoever
// installed them. It changes nothing, asks nothing of AWS, and what it finds wrong
// is no failure, as with Status. Where no controller is there the error is a
// refusal that says what is left of one.
func (a *App) ControllerStatus(ctx context.Context, request ControllerStatusRequest) error {
	unchanged := func() string { return "nothing was changed: status only looks" }
	return session.InTime(ctx, request.Timeout, request.Timeout, unchanged, func(ctx context.Context) error {
		return a.controllerStatus(ctx, request)
	})
}

func (a *App) controllerStatus(ctx context.Context, request ControllerStatusRequest) error {
	namespace, err := controllerNamespace(request.Facts)
	if err != nil {
		return err
	}
	conn, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	report, err := controller.Status(ctx, &live.World{Conn: conn, Namespace: namespace.Value}, a.Now())
	if err != nil {
		return err
	}
	if err := report.Missing(); err != nil {
		return err
	}
	return a.printController(report, request.Output)
}

func (a *App) printController(report *controller.Report, format Format) error {
	if format == FormatJSON || format == FormatYAML {
		return a.WriteDocument(format, report)
	}
	for _, line := range a.drawn(controllerLines(report, a.Now())) {
		a.Report.Line(line)
	}
	return nil
}
