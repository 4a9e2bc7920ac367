package check

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// constraints are the SecurityContextConstraints that let OSToy's pod run as the
// chart writes it, the one of every cluster since 4.11 first (FACTS 3.5).
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
		case apierrors.IsForbidden(err):
			return Unseen("create localsubjectaccessreviews in "+a.Namespace, "whether service account "+account+" may run pods under restricted-v2")
		case err != nil:
			return Fail(a.Conn.Translate(err))
		case may:
			return Pass()
		}
	}
	return Refuse(
		"service account "+account+" may not use the security context constraint restricted-v2",
		"OpenShift lets everybody use it unless an admin has taken that away; the next pod of the app will not be made",
		grantSCC(account, a.Namespace),
	)
}

// grantSCC binds in the one project only: without -n it would be for the whole
// cluster (FACTS 0.10).
func grantSCC(account, namespace string) string {
	return "a cluster admin allows it, in this project only: " + advice.Command("oc adm policy add-scc-to-user restricted-v2", "-z", account, "-n", namespace)
}

// refusedBySCC is what the Deployments say where pods were refused already.
func (a appLook) refusedBySCC(ctx context.Context) Finding {
	finding := a.about(health.SCC)(ctx)
	if finding.Status == Failed {
		finding.Next = grantSCC(a.serviceAccount(ctx), a.Namespace) + "\nor, if -f and --set changed the security settings of the pods, revert that"
	}
	return finding
}

// serviceAccount is the one that the frontend runs as.
func (a appLook) serviceAccount(ctx context.Context) string {
	account := ""
	if deployment, err := a.One(ctx, live.Deployments(), frontendName); err == nil && deployment != nil {
		account, _, _ = unstructured.NestedString(deployment.Object, "spec", "template", "spec", "serviceAccountName")
	}
	if account == "" {
		return render.ServiceAccount
	}
	return account
}
