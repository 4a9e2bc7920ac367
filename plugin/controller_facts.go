package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// usualNamespace is the controller's, unless the user says otherwise.
func usualNamespace() render.Fact {
	return render.Fact{Value: render.ControllerNamespace, Source: "default"}
}

// controllerNamespace is the controller's, as the user says on the command line: a
// facts file, and the kubeconfig's context, speak of the app's project. The error
// is about a name that none can have.
func controllerNamespace(request FactsRequest) (render.Fact, error) {
	namespace := request.Given.Namespace
	if !namespace.Known() {
		namespace = usualNamespace()
	}
	return namespace, operator.ValidateNamespace(render.Facts{Namespace: namespace})
}

// detectForController detects the facts that are not given, but for the namespace:
// the controller's is not to be held against the rules for a project with a bucket.
func (a *App) detectForController(ctx context.Context, given render.Facts, profile string, connect func() (*cluster.Conn, error), policy detect.Policy) (detect.Result, error) {
	given.Namespace = usualNamespace()
	return detect.Detect(ctx, detect.Request{
		Given: given, Connect: connect,
		AWS:    detect.AWSOptions{Profile: profile, Region: given.Region.Value},
		Policy: policy,
	})
}
