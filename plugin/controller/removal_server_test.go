package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
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
		object, err := w.patch(resource, namespace, action)
		return true, object, err
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
	if resource == live.Buckets() {
		w.reconcile(object)
	}
}

// collect removes what goes with an object.
func (w *world) collect(object *unstructured.Unstructured) {
	switch object.GetKind() {
	case "ClusterServiceVersion":
		if w.get(schema.GroupVersionResource{Group: olmGroup, Version: "v1alpha1", Resource: "subscriptions"}, ackSystem, "ack-s3-controller") != nil {
			w.fault("the version went before its Subscription: OLM would install it anew")
		}
		if d := w.get(live.Deployments(), ackSystem, "ack-s3-controller"); d != nil {
			w.remove(live.Deployments(), d)
		}
	case "Deployment":
		for _, pod := range w.all(live.Pods(), "Pod", object.GetNamespace()) {
			if pod.GetLabels()["of"] == object.GetName() {
				w.remove(live.Pods(), pod)
			}
		}
	case "CustomResourceDefinition":
		if len(w.buckets()) > 0 {
			w.fault("the definition went, and Buckets with it")
		}
	case "Namespace":
		if w.get(live.ConfigMaps(), object.GetName(), apply.ControllerInventoryName) != nil {
			w.fault("the namespace went before the inventory")
		}
		all := append(w.all(live.ConfigMaps(), "ConfigMap", object.GetName()), w.all(live.ServiceAccounts(), "ServiceAccount", object.GetName())...)
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

func (w *world) running() bool { return len(w.all(live.Pods(), "Pod", ackSystem)) > 0 }

// reconcile is the ACK controller, while a pod of it runs.
func (w *world) reconcile(bucket *unstructured.Unstructured) {
	if !w.running() || bucket.GetDeletionTimestamp() == nil || !ack.Managed(bucket) || w.stubborn[bucket.GetName()] {
		return
	}
	if ack.DeletionPolicy(bucket) != ack.Retain {
		w.fault("S3 was asked to delete the bucket of " + bucket.GetName())
	}
	bucket.SetFinalizers(slices.DeleteFunc(bucket.GetFinalizers(), func(f string) bool { return f == ack.Finalizer }))
	if len(bucket.GetFinalizers()) == 0 {
		w.erase(live.Buckets(), bucket)
		return
	}
	w.update(live.Buckets(), bucket)
}

func (w *world) patch(resource schema.GroupVersionResource, namespace string, action clienttesting.PatchActionImpl) (*unstructured.Unstructured, error) {
	object := w.get(resource, namespace, action.Name)
	if object == nil {
		return nil, apierrors.NewNotFound(resource.GroupResource(), action.Name)
	}
	change := map[string]any{}
	if err := json.Unmarshal(action.Patch, &change); err != nil || action.PatchType != types.MergePatchType || resource != live.Buckets() {
		w.fault("patched otherwise: " + resource.Resource + " " + string(action.PatchType))
	}
	seen, _, _ := unstructured.NestedString(change, "metadata", "resourceVersion")
	if seen == "" {
		w.fault("patched blindly: " + action.Name)
	} else if seen != object.GetResourceVersion() {
		return nil, apierrors.NewConflict(resource.GroupResource(), action.Name, fmt.Errorf("changed"))
	}
	before := object.GetFinalizers()
	if _, is, _ := unstructured.NestedSlice(change, "metadata", "finalizers"); is && w.running() {
		w.fault("a finalizer was taken off under the controller's eyes: " + action.Name)
	}
	mergeInto(object.Object, change)
	for _, f := range before {
		if f != ack.Finalizer && !slices.Contains(object.GetFinalizers(), f) {
			w.fault("somebody else's finalizer was taken off: " + f)
		}
	}
	if object.GetDeletionTimestamp() != nil && len(object.GetFinalizers()) == 0 {
		w.erase(resource, object)
	} else {
		w.update(resource, object)
	}
	w.write("patch " + resource.Resource + " " + namespace + "/" + action.Name)
	return object, nil
}

// mergeInto is RFC 7386.
func mergeInto(target, change map[string]any) {
	for key, value := range change {
		inner, nested := value.(map[string]any)
		switch {
		case value == nil:
			delete(target, key)
		case nested:
			below, _ := target[key].(map[string]any)
			if below == nil {
				below = map[string]any{}
			}
			mergeInto(below, inner)
			target[key] = below
		default:
			target[key] = value
		}
	}
}

// noS3 fails the test if anything but the API server was spoken to: the world has
// no S3, so it is enough that nobody looked for one.
func (w *world) noS3() {
	for request := range w.server.Requests() {
		if !strings.HasPrefix(request, http.MethodGet+" /api") && request != "GET /version" {
			w.t.Errorf("unexpected request: %s", request)
		}
	}
}
