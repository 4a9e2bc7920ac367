package check

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// IDs of checks that others need.
const (
	IDTerminating = "project-terminating"
	IDRouteAPI    = "route-api"
)

// clusterLook are the checks of what the cluster gives every project.
type clusterLook struct {
	*live.World
	objects []*unstructured.Unstructured // what install would apply; nil where the facts are not known
	fresh   bool                         // the project does not exist yet
}

// by is a look at what one function judges.
func (c clusterLook) by(judge func(context.Context, clusterLook) Finding) look {
	return func(ctx context.Context) Finding { return judge(ctx, c) }
}

// listOf are all objects of a kind in a namespace, "" for the cluster. There are none if the
// cluster does not serve the kind.
func listOf(ctx context.Context, c clusterLook, kind kinds.Kind, namespace string) ([]*unstructured.Unstructured, error) {
	all, err := c.List(ctx, kind.GVR(), namespace, "")
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return all, err
}

func clusterChecks(w *live.World, t Target) []Check {
	c := clusterLook{World: w, objects: t.Objects}
	facts := []string{IDServer, IDIssuer, IDCredentials}
	return inGroup(Cluster, []Check{
		{ID: IDTerminating, Severity: Error, Needs: []string{IDServer}, Title: "the project is not on its way out", Run: c.terminating},
		{ID: IDRouteAPI, Severity: Error, Needs: facts, Title: "the cluster serves what the app is reached by", Run: c.routeAPI},
	})
}

func (c clusterLook) terminating(ctx context.Context) Finding {
	project, err := c.Project(ctx)
	switch {
	case err != nil:
		return unreadable(c.Conn, err, "get namespaces "+c.Namespace, "whether it is being deleted")
	case project == nil || project.GetDeletionTimestamp() == nil:
		return Pass()
	}
	buckets, _ := c.Here(ctx, kinds.Bucket.GVR()) // where they cannot be seen, the conditions name the finalizer
	return judgeTerminating(project, buckets)
}

// judgeTerminating names what a project that is being deleted hangs on.
func judgeTerminating(project *unstructured.Unstructured, buckets []*unstructured.Unstructured) Finding {
	name := project.GetName()
	why, next := "nothing can be made in it any more", "to release what it hangs on, and keep the data: "+advice.Command("oc ostoy-s3 uninstall", "-n", name)
	for _, bucket := range buckets {
		if !ack.Managed(bucket) {
			continue
		}
		why += "; it hangs on Bucket " + bucket.GetName() + ", which has the finalizer " + ack.Finalizer
		if complaint := ack.Complaint(bucket); complaint != "" {
			why += ": " + awserr.Redact(complaint)
		}
		next += "\nwhere no controller runs, to release the object alone: " + releaseBucket(name, bucket.GetName())
	}
	for _, condition := range health.Maps(project.Object, "status", "conditions") {
		kind, message := health.Text(condition, "type"), health.Text(condition, "message")
		remaining := kind == "NamespaceFinalizersRemaining" || kind == "NamespaceDeletionDiscoveryFailure" || kind == "NamespaceDeletionContentFailure"
		if remaining && condition["status"] == "True" {
			why += "; " + awserr.Redact(message)
		}
	}
	return Refuse("project "+name+" is being deleted", why, next)
}

// routeAPI: on OpenShift the app is reached by a Route. Where it is not served
// install would make none, and say nothing.
func (c clusterLook) routeAPI(context.Context) Finding {
	wants := []string{render.PlatformROSAHCP, render.PlatformROSAClassic, render.PlatformOpenShift}
	if !slices.Contains(wants, c.Facts.Platform.Value) || slices.Contains(c.Facts.APIVersions.Values, "route.openshift.io/v1/Route") ||
		slices.Contains(c.Facts.APIVersions.Values, "route.openshift.io/v1") {
		return Pass()
	}
	if !slices.ContainsFunc(c.objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "Deployment" }) {
		return Leave("what would be installed is not known")
	}
	return Refuse("this OpenShift cluster serves no Routes (route.openshift.io/v1)",
		"the app would be installed without one, and be reached by nobody; the API versions are from "+c.Facts.APIVersions.Source,
		"oc get apiservice v1.route.openshift.io; oc get clusteroperator openshift-apiserver shows why")
}
