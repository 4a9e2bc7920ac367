package check

import (
	"cmp"
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The names that the chart gives; OSToy's own manifests have the same.
const (
	frontendName     = "ostoy-frontend"
	microserviceName = "ostoy-microservice"
	volumeName       = "ostoy-pvc"
	routeName        = "ostoy-route"
)

// IDAppAvailable is the check of the app that others need.
const IDAppAvailable = "app-available"

// appLook are the checks of what runs in the project.
type appLook struct {
	*live.World
	objects []*unstructured.Unstructured // as rendered; nil where nothing could be
}

func appChecks(w *live.World, objects []*unstructured.Unstructured) []Check {
	a := appLook{w, objects}
	here, running := []string{IDInstalled}, []string{IDAppAvailable}
	return inGroup(App, []Check{
		{ID: IDInstalled, Severity: Error, Vital: true, Needs: []string{IDServer}, Title: "the app is installed in the project", Run: a.installed},
		{ID: IDAppObjects, Severity: Error, Vital: true, Needs: here, Title: "every object of the app exists", Run: a.by(objectsExist)},
		{ID: "app-scc", Severity: Error, Needs: here, Title: "the app's service account may run its pod", Run: a.scc},
		{ID: "app-image-mutable", Severity: Warning, Needs: here, Title: "the images are named by digest", Run: a.by(byDigests)},
		{ID: "app-volume", Severity: Error, Vital: true, Needs: here, Title: "the volume is there", Run: a.volume},
		{ID: IDAppAvailable, Severity: Error, Vital: true, Needs: here, Beside: []string{"app-volume", "app-scc"}, Title: "frontend and microservice are available", Run: a.available},
		{ID: "app-strategy", Severity: Warning, Needs: here, Title: "the frontend is scaled up, and a new pod can replace the old one", Run: a.frontend(a.strategy)},
		{
			// A pod without its identity does not find the bucket either.
			ID: "app-started-early", Severity: Error, Needs: []string{IDAppAvailable, IDTokenIssuer}, Beside: []string{IDPodIdentity},
			Title: "OSToy found its bucket when it started", Unless: identityLook{World: w}.identified, Run: a.early,
		},
		{ID: "service-endpoints", Severity: Error, Needs: running, Beside: []string{IDAppObjects}, Title: "the Services lead to pods", Run: a.endpoints},
		{ID: "route-admitted", Severity: Error, Needs: here, Title: "a router has admitted the Route", Run: a.admitted},
		{ID: "route-tls", Severity: Warning, Needs: here, Title: "the way to the app has the TLS that the values ask for", Run: a.by(tlsAsAsked)},
	})
}

// by is a look at what one function judges.
func (a appLook) by(judge func(context.Context, appLook) Finding) look {
	return func(ctx context.Context) Finding { return judge(ctx, a) }
}

// installed is the judgement of all commands. Without an install the other checks have
// nothing to look at.
func (a appLook) installed(ctx context.Context) Finding {
	seen, err := presence.Look(ctx, a.World)
	switch {
	case err != nil:
		return Fail(a.Conn.Translate(err))
	case seen.Installed():
		return Pass()
	}
	return Fail(seen.NotInstalled())
}

// frontend is a check of the frontend's Deployment; that one is there is for
// another check to tell.
func (a appLook) frontend(judge func(*unstructured.Unstructured) Finding) look {
	return func(ctx context.Context) Finding {
		deployment, err := a.One(ctx, kinds.Deployment.GVR(), frontendName)
		switch {
		case err != nil:
			return unreadable(a.Conn, err, "list deployments in "+a.Namespace, "how the frontend is to run")
		case deployment == nil:
			return Leave("there is no frontend")
		}
		return judge(deployment)
	}
}

// strategy judges how many pods the frontend has, and how it replaces them. Its volume
// can be mounted on one node only, so a rolling update, in which the new pod is created
// before the old one is deleted, can hang.
func (a appLook) strategy(deployment *unstructured.Unstructured) Finding {
	var all []Finding
	if scaledDown(deployment) {
		all = append(all, Warn("the frontend is scaled down to 0", "no pod of OSToy runs, so its address answers nobody",
			advice.Command("oc scale deployment", frontendName, "--replicas=1", "-n", a.Namespace)))
	}
	if kind := health.Text(deployment.Object, "spec", "strategy", "type"); kind != "Recreate" {
		all = append(all, Warn(fmt.Sprintf("the frontend's strategy is %s, and not Recreate", kind),
			"its volume can be mounted on one node only: at the next change the new pod waits for the old one, and the old one for the new",
			installIn(a.World)))
	}
	return worstFirst(all)
}

// constraints are the SecurityContextConstraints that let OSToy's pod run as the
// chart writes it, the one of every cluster since 4.11 first.
func constraints() []string {
	return []string{"restricted-v2", "restricted-v3", "nonroot-v2", "restricted"}
}

// scc asks for the service account, whose rights count when its pod is made, and
// not for the user who looks.
func (a appLook) scc(ctx context.Context) Finding {
	served, err := a.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	if !served.ServesGroup("security.openshift.io") {
		return Leave("there are no security context constraints: it is not OpenShift")
	}
	if refused := a.refusedBySCC(ctx); refused.Status == Failed {
		return refused
	}
	account := a.serviceAccount(ctx)
	for _, name := range constraints() {
		may, err := a.MayUseSCC(ctx, account, name)
		switch {
		case err != nil:
			return unreadable(a.Conn, err, "create localsubjectaccessreviews in "+a.Namespace, "whether service account "+account+" may run pods under restricted-v2")
		case may:
			return Pass()
		}
	}
	return Refuse("service account "+account+" may not use the security context constraint restricted-v2",
		"OpenShift lets everybody use it unless an admin has taken that away; the next pod of the app will not be made",
		grantSCC(account, a.Namespace))
}

// grantSCC binds in the one project only: without -n it would be for the whole
// cluster.
func grantSCC(account, namespace string) string {
	return "a cluster admin allows it, in this project only: " + advice.Command("oc adm policy add-scc-to-user restricted-v2", "-z", account, "-n", namespace)
}

// refusedBySCC is what the Deployments say where pods were refused already.
func (a appLook) refusedBySCC(ctx context.Context) Finding {
	all, _ := a.workloads(ctx) // app-available tells what cannot be read
	for _, w := range all {
		if w.object != nil && !w.state.Ready && w.state.About == health.SCC {
			finding := notReady("Deployment "+w.name, w.object, w.state)
			finding.Next = grantSCC(a.serviceAccount(ctx), a.Namespace) + "\nor, if -f and --set changed the security settings of the pods, revert that"
			return finding
		}
	}
	return Pass()
}

// serviceAccount is the one that the frontend runs as.
func (a appLook) serviceAccount(ctx context.Context) string {
	account := ""
	if deployment, err := a.One(ctx, kinds.Deployment.GVR(), frontendName); err == nil && deployment != nil {
		account = health.Text(deployment.Object, "spec", "template", "spec", "serviceAccountName")
	}
	return cmp.Or(account, render.ServiceAccount)
}
