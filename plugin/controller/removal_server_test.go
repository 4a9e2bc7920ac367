package controller

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

func (w *world) react(action clienttesting.Action) (bool, runtime.Object, error) {
	if w.dead() {
		return true, nil, context.Canceled
	}
	resource, namespace := action.GetResource(), action.GetNamespace()
	if w.refused[action.GetVerb()+" "+resource.Resource] {
		return true, nil, apierrors.NewForbidden(resource.GroupResource(), "", fmt.Errorf("no"))
	}
	switch action := action.(type) {
	case clienttesting.CreateActionImpl:
		return true, w.review(action.Object.(*unstructured.Unstructured)), nil
	case clienttesting.DeleteActionImpl:
		return true, nil, w.delete(resource, namespace, action)
	case clienttesting.PatchActionImpl:
		w.fault("patched: " + resource.Resource + " " + action.Name)
	}
	return false, nil, nil
}

// review allows everything but what the test refuses.
func (w *world) review(asked *unstructured.Unstructured) *unstructured.Unstructured {
	answer := asked.DeepCopy()
	status := map[string]any{}
	switch asked.GetKind() {
	case "SelfSubjectAccessReview":
		right := func(field string) string { return health.Text(asked.Object, "spec", "resourceAttributes", field) }
		status["allowed"] = !w.refused[right("verb")+" "+right("resource")]
	case "SubjectAccessReview":
		status["allowed"] = !w.unproven[health.Text(asked.Object, "spec", "user")]
	default:
		status["resourceRules"], status["nonResourceRules"], status["incomplete"] = []any{}, []any{}, true
	}
	answer.Object["status"] = status
	return answer
}

func (w *world) delete(resource schema.GroupVersionResource, namespace string, action clienttesting.DeleteActionImpl) error {
	object := w.get(resource, namespace, action.Name)
	if object == nil {
		return apierrors.NewNotFound(resource.GroupResource(), action.Name)
	}
	if p := action.DeleteOptions.Preconditions; p == nil || p.UID == nil {
		w.fault("deleted without its uid: " + resource.Resource + " " + action.Name)
	} else if *p.UID != object.GetUID() || p.ResourceVersion != nil && *p.ResourceVersion != object.GetResourceVersion() {
		return apierrors.NewConflict(resource.GroupResource(), action.Name, fmt.Errorf("precondition"))
	}
	if resource == kinds.Bucket.GVR() {
		w.fault("a Bucket was deleted: " + action.Name)
	}
	w.remove(resource, object)
	w.write("delete " + resource.Resource + " " + strings.TrimPrefix(namespace+"/"+action.Name, "/"))
	return nil
}

func (w *world) fault(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, text)
}

// remove is what the API server does, and then the cluster's controllers.
func (w *world) remove(resource schema.GroupVersionResource, object *unstructured.Unstructured) {
	if len(object.GetFinalizers()) > 0 {
		if object.GetDeletionTimestamp() == nil {
			now := metav1.NewTime(time.Unix(1, 0))
			object.SetDeletionTimestamp(&now)
		}
		w.update(resource, object)
		return
	}
	w.erase(resource, object)
	w.collect(object)
}

func (w *world) erase(resource schema.GroupVersionResource, object *unstructured.Unstructured) {
	w.mu.Lock()
	w.erased[resource] = append(w.erased[resource], object)
	w.mu.Unlock()
	if err := w.client.Tracker().Delete(resource, object.GetNamespace(), object.GetName()); err != nil {
		w.t.Error(err)
	}
}

// watch begins with what has been there and what is: the fake, unlike an API
// server, forgets what happens between a list and its watch.
func (w *world) watch(action clienttesting.Action) (bool, watch.Interface, error) {
	resource := action.GetResource()
	live, err := w.client.Tracker().Watch(resource, action.GetNamespace())
	if err != nil {
		return true, nil, err
	}
	w.t.Cleanup(live.Stop)
	shown := watch.NewRaceFreeFake()
	w.mu.Lock()
	for _, object := range w.erased[resource] {
		shown.Delete(object.DeepCopy())
	}
	w.mu.Unlock()
	for _, object := range w.all(resource, kindOf(resource), action.GetNamespace()) {
		shown.Add(object)
	}
	go func() {
		for event := range live.ResultChan() {
			shown.Action(event.Type, event.Object)
		}
	}()
	w.carryOut(resource)
	return true, shown, nil
}

func kindOf(resource schema.GroupVersionResource) string {
	for _, entry := range served() {
		if part := strings.Split(entry, "/"); strings.TrimSuffix(part[3], "!") == resource.Resource {
			return part[2]
		}
	}
	return ""
}

func (w *world) update(resource schema.GroupVersionResource, object *unstructured.Unstructured) {
	w.version++
	object.SetResourceVersion(fmt.Sprint(w.version))
	if err := w.client.Tracker().Update(resource, object, object.GetNamespace()); err != nil {
		w.t.Error(err)
	}
}

// collect removes what goes with an object.
func (w *world) collect(object *unstructured.Unstructured) {
	switch object.GetKind() {
	case "ClusterServiceVersion":
		if w.get(schema.GroupVersionResource{Group: olmGroup, Version: "v1alpha1", Resource: "subscriptions"}, ackSystem, "ack-s3-controller") != nil {
			w.fault("the version went before its Subscription: OLM would install it anew")
		}
		if d := w.get(kinds.Deployment.GVR(), ackSystem, "ack-s3-controller"); d != nil {
			w.remove(kinds.Deployment.GVR(), d)
		}
	case "Deployment":
		for _, pod := range w.all(kinds.Pod.GVR(), "Pod", object.GetNamespace()) {
			if pod.GetLabels()["of"] == object.GetName() {
				w.remove(kinds.Pod.GVR(), pod)
			}
		}
	case "CustomResourceDefinition":
		if len(w.buckets()) > 0 {
			w.fault("the definition went, and Buckets with it")
		}
	case "Namespace":
		if w.get(kinds.ConfigMap.GVR(), object.GetName(), apply.ControllerInventoryName) != nil {
			w.fault("the namespace went before the inventory")
		}
		all := append(w.all(kinds.ConfigMap.GVR(), "ConfigMap", object.GetName()), w.all(kinds.ServiceAccount.GVR(), "ServiceAccount", object.GetName())...)
		for _, one := range all {
			w.erase(resourceFor(one), one)
		}
	}
}

// carryOut is OLM at what it is still installing when its Subscription has gone: it
// is installed, and its InstallPlan collected, as soon as somebody waits for that.
func (w *world) carryOut(resource schema.GroupVersionResource) {
	subscriptions := schema.GroupVersionResource{Group: olmGroup, Version: "v1alpha1", Resource: "subscriptions"}
	if resource.Resource != "installplans" || w.get(subscriptions, ackSystem, "ack-s3-controller") != nil {
		return
	}
	for _, plan := range w.all(resource, "InstallPlan", ackSystem) {
		if len(plan.GetOwnerReferences()) == 0 {
			continue
		}
		w.put(version(w.t))
		w.put(inCluster(w.t)[0])
		w.erase(resource, plan)
	}
}

func (w *world) running() bool { return len(w.all(kinds.Pod.GVR(), "Pod", ackSystem)) > 0 }

// noS3 fails the test if anything but the API server was spoken to: the world has
// no S3, so it is enough that nobody looked for one.
func (w *world) noS3() {
	for request := range w.server.Requests() {
		if !strings.HasPrefix(request, http.MethodGet+" /api") && request != "GET /version" {
			w.t.Errorf("unexpected request: %s", request)
		}
	}
}
