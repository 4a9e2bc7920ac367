package plugin

import (
	"context"
	"errors"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/forward"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// OpenRequest is which app to open.
type OpenRequest struct {
	Facts FactsRequest // of which the namespace is used
	Print bool         // print the address, start no browser
	// Browse shows an address in the user's browser.
	Browse func(ctx context.Context, address string) error
}

// Open shows the app in the browser. Where it has no Route, a port-forward leads
// to a pod until the user ends it: as with `kubectl port-forward`, Ctrl-C is how
// it is meant to end, and no error.
func (a *App) Open(ctx context.Context, request OpenRequest) error {
	given, err := a.Given(ctx, request.Facts)
	if err != nil {
		return err
	}
	conn, err := a.Connect(ctx)
	if err != nil {
		return err
	}
	if !given.Namespace.Known() {
		given.Namespace.Value, _ = conn.Namespace()
	}
	namespace := given.Namespace.Value
	if err := (render.Facts{Namespace: given.Namespace}).Validate(); err != nil {
		return err
	}
	address, err := appURL(ctx, conn, namespace)
	if err != nil {
		return err
	}
	if address == "" {
		return a.openForward(ctx, conn, namespace, request)
	}
	return a.show(ctx, address, request)
}

// show starts the browser, or prints the address: when that was asked for, and
// when there is no browser.
func (a *App) show(ctx context.Context, address string, request OpenRequest) error {
	if !request.Print {
		err := request.Browse(ctx, address)
		if err == nil {
			a.UI.Linef("opened %s", address)
			return nil
		}
		a.UI.Warn("no browser could be started: "+plain.Line(err.Error()), "open the address by hand")
	}
	return a.WriteLine(address)
}

// openForward opens a way to a pod and keeps it open.
func (a *App) openForward(ctx context.Context, conn *cluster.Conn, namespace string, request OpenRequest) error {
	pods, err := verify.LookAtPods(ctx, conn.Dynamic, namespace, render.ServiceAccount)
	switch {
	case err != nil && !apierrors.IsNotFound(err):
		return conn.Translate(err)
	case pods.Ready == "":
		return noPod(namespace, pods)
	}
	way, err := forward.Open(ctx, conn, namespace, pods.Ready, appPort)
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
	a.UI.Linef("OSToy in %s has no Route: %s leads to pod %s, until Ctrl-C", namespace, way.URL, inLine(pods.Ready))
	if err := a.WriteLine(way.URL); err != nil {
		return err
	}
	if !request.Print {
		if err := request.Browse(ctx, way.URL); err != nil {
			a.UI.Warn("no browser could be started: "+plain.Line(err.Error()), "open the address by hand")
		}
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

func noPod(namespace string, pods verify.Pods) error {
	told := &problem.Error{
		Kind: problem.Failed,
		What: "there is no way to OSToy in project " + namespace,
		Why:  "it has no Route, and no pod of " + frontend,
		Next: advice.Command("oc ostoy-s3 install", "-n", namespace) + "; or -n with the project it is in",
	}
	if pods.Any != "" {
		told.Why = "it has no Route, and its pod " + pods.Any + " is not ready"
		told.Next = advice.Command("oc describe pod", pods.Any, "-n", namespace)
	}
	return told
}

// errHost is the cause where a Route or Ingress is at an address that no browser is sent
// to, and that is not printed for scripts.
var errHost = errors.New("the host of the Route or Ingress is not a host name")

// noAddress is the error for such an object.
func noAddress(object *unstructured.Unstructured) error {
	kind, name, namespace := object.GetKind(), object.GetName(), object.GetNamespace()
	return &problem.Error{
		Kind: problem.Failed,
		What: kind + " " + name + " in project " + namespace + " has no valid address",
		Why:  "its host is not a host name, so it is not opened or printed",
		Next: advice.Command("oc get", strings.ToLower(kind), name, "-n", namespace, "-o", "yaml"),
		Err:  errHost,
	}
}

// appURL is the address of the app's Route or Ingress; empty where it has none,
// or none that may be seen. One request on OpenShift, else two.
func appURL(ctx context.Context, conn *cluster.Conn, namespace string) (string, error) {
	for _, exposed := range []struct {
		resource schema.GroupVersionResource
		name     string
	}{
		{schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"}, "ostoy-route"},
		{schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}, "ostoy-ingress"},
	} {
		object, err := conn.Dynamic.Resource(exposed.resource).Namespace(namespace).Get(ctx, exposed.name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
			continue
		case err != nil:
			return "", conn.Translate(err)
		}
		if address := health.URL(object); address != "" {
			return address, nil
		}
		if health.AtNoHost(object) {
			return "", noAddress(object)
		}
	}
	return "", nil
}
