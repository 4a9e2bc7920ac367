// Package open shows the app in the user's browser.
package open

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/forward"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Request is which app to open.
type Request struct {
	Facts session.Facts // of which the namespace is used
	Print bool          // print the address, start no browser
	// Timeout is how long it may take to find the app; a port-forward that is open lasts.
	Timeout time.Duration
	// Browse shows an address in the user's browser.
	Browse func(ctx context.Context, address string) error
}

// Run shows the app in the browser. If it has no Route, a port-forward leads to a pod until
// the user ends it: as with `kubectl port-forward`, Ctrl-C is how it is meant to end. It is
// Refused if the app is not installed, and Failed if there is no way to it, or if the
// port-forward ends without the user.
func Run(ctx context.Context, s *session.Session, r Request) error {
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(r.Timeout, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	err := open(limited, s, r, func() bool { return timer.Stop() })
	if err == nil || ctx.Err() != nil || limited.Err() == nil {
		return err
	}
	late := problem.While("the app to be found", context.Cause(limited))
	return session.CutOff(ctx, late, r.Timeout, func() string { return "nothing was changed" })
}

// open is Run; inTime ends the limit once a port-forward is open, and reports whether that
// was soon enough.
func open(ctx context.Context, s *session.Session, r Request, inTime func() bool) error {
	conn, given, err := project.Given(ctx, s, r.Facts)
	if err != nil {
		return err
	}
	if err := given.Validate(); err != nil {
		return err
	}
	namespace := given.Namespace.Value
	address, err := exposure.URL(ctx, conn, namespace)
	switch {
	case err != nil:
		return err
	case address == "":
		return project.Explain(ctx, conn, given.Namespace, openForward(ctx, s, conn, namespace, r, inTime))
	case !r.Print && browse(ctx, s, r, address):
		s.UI.Linef("opened %s", address)
		return nil
	}
	return s.WriteLine(address)
}

// browse starts the browser, and reports whether there is one.
func browse(ctx context.Context, s *session.Session, r Request, address string) bool {
	err := r.Browse(ctx, address)
	if err != nil {
		s.UI.Warn("no browser could be started: "+plain.Line(err.Error()), "open the address by hand")
	}
	return err == nil
}

// openForward opens a way to a pod and keeps it open.
func openForward(ctx context.Context, s *session.Session, conn *cluster.Conn, namespace string, r Request, inTime func() bool) error {
	pods, err := verify.LookAtPods(ctx, conn.Dynamic, namespace, render.ServiceAccount)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return conn.Translate(err)
	case pods.Ready == "":
		return noPod(ctx, s, namespace, pods, r)
	}
	way, err := forward.Open(ctx, conn, namespace, pods.Ready, verify.AppPort)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &problem.Error{
			Kind: problem.Failed,
			What: "cannot open a port-forward to pod " + pods.Ready + " in project " + namespace,
			Why:  err.Error(),
			Next: advice.Command("oc auth can-i create pods/portforward", "-n", namespace) + "\n" + advice.Command("oc get pod", pods.Ready, "-n", namespace),
			Err:  err,
		}
	}
	defer way.Close()
	if !inTime() {
		return context.Cause(ctx)
	}
	s.UI.Linef("OSToy in %s has no Route: %s leads to pod %s, until Ctrl-C", namespace, way.URL, plain.InLine(pods.Ready))
	if err := s.WriteLine(way.URL); err != nil {
		return err
	}
	if !r.Print {
		browse(ctx, s, r, way.URL)
	}
	if err := way.Wait(); err != nil && ctx.Err() == nil {
		return &problem.Error{
			Kind: problem.Failed,
			What: "the port-forward to pod " + pods.Ready + " has ended",
			Why:  "the pod is gone, or the API server has closed the connection",
			Next: advice.Command("oc ostoy-s3 open", "-n", namespace),
			Err:  err,
		}
	}
	return nil
}

// noPod is why there is no pod to lead to: the app may not be installed.
func noPod(ctx context.Context, s *session.Session, namespace string, pods verify.Pods, r Request) error {
	if pods.Any != "" {
		return problem.Fail("there is no way to OSToy in project "+namespace,
			"it has no Route, and its pod "+pods.Any+" is not ready",
			advice.Command("oc describe pod", pods.Any, "-n", namespace))
	}
	if _, err := presence.Require(ctx, s, r.Facts); err != nil {
		return err
	}
	return problem.Fail("there is no way to OSToy in project "+namespace,
		"it has no Route, and no pod of "+render.Frontend,
		advice.Command("oc ostoy-s3 check", "-n", namespace)+" shows why")
}
