package tutorial

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// HandsOf is who manages objects, of which those that are not of the app are left out.
func HandsOf(objects []*unstructured.Unstructured, namespace string) live.Hands {
	var hands live.Hands
	for _, object := range objects {
		if object == nil {
			continue
		}
		if _, known := shapes()[object.GetKind()+" "+nameOf(object)]; !known && !apply.Ours(object) {
			continue
		}
		if by := apply.DeliveredBy(object); by != "" && hands.Engine == "" && !isData(object, namespace) {
			hands.Engine = by
		}
		hands.Tutorial = hands.Tutorial || Differs(object) == ""
	}
	return hands
}

// isData reports whether an engine leaves an object when the app is removed from Git.
func isData(object *unstructured.Unstructured, namespace string) bool {
	return object.GetKind() == "PersistentVolumeClaim" || object.GetKind() == "Bucket" && object.GetName() == render.BucketName(namespace)
}

// Hands is HandsOf the objects of a project. What may not be read, or is not served, is
// managed by nobody who is known.
func Hands(ctx context.Context, w *live.World) live.Hands {
	var all []*unstructured.Unstructured
	for _, resource := range []schema.GroupVersionResource{
		kinds.Deployment.GVR(), kinds.Service.GVR(), kinds.ServiceAccount.GVR(), kinds.ConfigMap.GVR(), kinds.Bucket.GVR(),
	} {
		list, _ := w.Here(ctx, resource)
		all = append(all, list...)
	}
	return HandsOf(all, w.Namespace)
}
