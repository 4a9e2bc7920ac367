package check

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// The names that the chart gives; OSToy's own manifests have the same.
const (
	frontendName     = "ostoy-frontend"
	microserviceName = "ostoy-microservice"
	volumeName       = "ostoy-pvc"
	routeName        = "ostoy-route"
)

// IDs of the checks of the app that others need.
const (
	IDAppScaled    = "app-scaled-down"
	IDAppAvailable = "app-available"
	IDAppRoute     = "route-admitted"
)

// appLook are the checks of what runs in the project.
type appLook struct{ *live.World }

func appChecks(w *live.World, objects []*unstructured.Unstructured) []Check {
	a := appLook{w}
	here := []string{IDInstalled}
	return []Check{
		{
			ID: IDInstalled, Group: App, Severity: Error, Needs: []string{IDServer},
			Title: "something is installed in the project", Run: a.installed,
		},
		{
			ID: IDAppScaled, Group: App, Severity: Warning, Needs: here,
			Title: "the frontend is to run", Run: a.frontend(a.scaled),
		},
		{ID: "app-scc", Group: App, Severity: Error, Needs: here, Title: "the app's service account may run its pod", Run: a.scc},
		{ID: "app-image", Group: App, Severity: Error, Needs: here, Title: "the images can be pulled", Run: a.about(health.Image)},
		{ID: "app-image-mutable", Group: App, Severity: Warning, Needs: here, Title: "the images are named by digest", Run: imageLook{w, objects}.judge},
		{ID: "app-volume", Group: App, Severity: Error, Needs: here, Title: "the volume is there", Run: a.volume},
		{
			ID: "app-bucket-wait", Group: App, Severity: Error, Needs: here,
			Title: "wait-for-bucket has not given up", Run: a.about(health.BucketWait),
		},
		{ID: IDAppAvailable, Group: App, Severity: Error, Needs: here, Title: "frontend and microservice are available", Run: a.available},
		{
			ID: "app-strategy", Group: App, Severity: Warning, Needs: here,
			Title: "a new frontend pod can take the old one's place", Run: a.frontend(a.strategy),
		},
		{
			// A pod without its identity does not find the bucket either.
			ID: "app-started-early", Group: App, Severity: Error,
			Needs: []string{IDAppAvailable, "pod-identity", "webhook-skipped", "token-issuer"},
			Title: "OSToy found its bucket when it started", Run: a.early,
		},
		{ID: "service-endpoints", Group: App, Severity: Error, Needs: []string{IDAppAvailable}, Title: "the Services lead to pods", Run: a.endpoints},
		{ID: IDAppRoute, Group: App, Severity: Error, Needs: here, Title: "a router has admitted the Route", Run: a.admitted},
		{ID: "route-tls", Group: App, Severity: Warning, Needs: here, Title: "the way to the app has the TLS that the values ask for", Run: tlsLook{w, objects}.judge},
	}
}

// installed goes by the frontend and by the inventory: either is enough, since
// GitOps leaves no inventory.
func (a appLook) installed(ctx context.Context) Finding {
	frontend, err := a.One(ctx, live.Deployments(), frontendName)
	if err != nil {
		return Fail(a.Conn.Translate(err))
	}
	inventory, err := a.Inventory(ctx)
	if err != nil {
		return Fail(err)
	}
	if frontend != nil || inventory.Found {
		return Pass()
	}
	return Refuse(
		"nothing is installed in project "+a.Namespace,
		"there is neither a Deployment ostoy-frontend nor an inventory",
		advice.Command("oc ostoy-s3 check --pre", "-n", a.Namespace)+", then "+installIn(a.Namespace),
	)
}

// frontend is a check of the frontend's Deployment; that one is there is for
// another check to tell.
func (a appLook) frontend(judge func(*unstructured.Unstructured) Finding) func(context.Context) Finding {
	return func(ctx context.Context) Finding {
		deployment, err := a.One(ctx, live.Deployments(), frontendName)
		switch {
		case err != nil:
			return unreadable(a.Conn, err, "list deployments in "+a.Namespace, "how the frontend is to run")
		case deployment == nil:
			return Leave("there is no frontend")
		}
		return judge(deployment)
	}
}

// scaled: nothing runs, and nothing is wrong with it.
func (a appLook) scaled(deployment *unstructured.Unstructured) Finding {
	replicas, given, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas")
	if !given || replicas > 0 {
		return Pass()
	}
	return Warn(
		"the frontend is scaled down to 0", "no pod of OSToy runs, so its address answers nobody",
		advice.Command("oc scale deployment", frontendName, "--replicas=1", "-n", a.Namespace),
	)
}

// strategy: the volume can be mounted on one node only, so a rolling update, in
// which the new pod comes before the old one goes, can hang (FACTS 7).
func (a appLook) strategy(deployment *unstructured.Unstructured) Finding {
	if kind := health.Text(deployment.Object, "spec", "strategy", "type"); kind != "Recreate" {
		return Warn(
			fmt.Sprintf("the frontend's strategy is %s, and not Recreate", kind),
			"its volume can be mounted on one node only: at the next change the new pod waits for the old one, and the old one for the new",
			installIn(a.Namespace),
		)
	}
	return Pass()
}
