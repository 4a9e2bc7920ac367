package check

import (
	"context"
	"slices"
	"strings"

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
}

func clusterChecks(w *live.World, t Target) []Check {
	c := clusterLook{w, t.Objects}
	facts := []string{IDServer, IDIssuer, IDCredentials}
	return inGroup(Cluster, []Check{
		{ID: IDTerminating, Severity: Error, Needs: []string{IDServer}, Title: "the project is not on its way out", Run: c.terminating},
		{ID: "quota", Severity: Error, Needs: facts, Title: "the project's quota has room for the app", Run: c.quota},
		{ID: "storage-class", Severity: Error, Needs: facts, Title: "there is a storage class for the app's volume", Run: c.storageClass},
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

// isDefault are the annotations of a default storage class, new and old.
func isDefault(class *unstructured.Unstructured) bool {
	notes := class.GetAnnotations()
	return notes["storageclass.kubernetes.io/is-default-class"] == "true" || notes["storageclass.beta.kubernetes.io/is-default-class"] == "true"
}

// storageClass: a claim that names no class waits for a default one for ever. A
// class that waits for its first pod is fine.
func (c clusterLook) storageClass(ctx context.Context) Finding {
	claims, err := c.Here(ctx, kinds.PersistentVolumeClaim.GVR())
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	var open []*unstructured.Unstructured // claims that have no volume yet
	for _, object := range c.objects {
		if object.GetKind() != "PersistentVolumeClaim" {
			continue
		}
		switch claim := named(claims, object.GetName()); {
		case claim == nil:
			open = append(open, object)
		case health.Text(claim.Object, "spec", "volumeName") == "":
			open = append(open, claim)
		}
	}
	if len(open) == 0 {
		return Pass()
	}
	classes, err := c.List(ctx, kinds.StorageClass.GVR(), "", "")
	if err != nil {
		return unreadable(c.Conn, err, "list storageclasses", "whether the app's volume gets one")
	}
	return judgeClasses(open, classes)
}

func judgeClasses(open, classes []*unstructured.Unstructured) Finding {
	names := make([]string, len(classes))
	for i, class := range classes {
		names[i] = class.GetName()
	}
	choose, has := "--set storage.storageClassName=NAME chooses one", "; there is "+strings.Join(names, ", ")
	if len(classes) == 0 {
		choose, has = "a cluster admin makes a storage class", ""
	}
	for _, claim := range open {
		name := health.Text(claim.Object, "spec", "storageClassName")
		_, said, _ := unstructured.NestedString(claim.Object, "spec", "storageClassName")
		switch {
		case name == "" && said: // asks for a volume without a class
		case name != "" && !slices.Contains(names, name):
			return Refuse("there is no storage class "+name+" for the volume "+claim.GetName(), "the claim names it, and nobody makes a volume for it"+has, choose)
		case name == "" && !slices.ContainsFunc(classes, isDefault):
			return Refuse("there is no default storage class for the volume "+claim.GetName(),
				"the claim names none, and waits for a default one for ever"+has,
				choose+"\nor a cluster admin makes one the default: "+advice.Command("oc annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true"))
		}
	}
	return Pass()
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
