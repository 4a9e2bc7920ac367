// Package ostoy plays OSToy's frontend: for each pod of it that becomes ready
// an HTTP server on loopback with the pages of openshift-cs/ostoy 1.7.0 (app.js), which
// looks for its bucket once, when it starts, and answers 200 even to errors.
//
// A pod with the init container wait-for-bucket starts when its bucket answers, as
// kubelet would have it; kwok calls it ready before that.
//
// It reaches S3 as the pod would: with a token of the pod's service account,
// exchanged at STS for the role in the pod's environment, anew each time.
// kwok leads port-forwards and logs of the pod here. It does not play OSToy's
// other pages.
package ostoy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// container is the frontend's name in its pod.
const container = "ostoy-frontend"

// Config is what the stand-in works with.
type Config struct {
	Client   kubernetes.Interface
	Dynamic  dynamic.Interface
	Endpoint string // of AWS
	Region   string // for pods that name none
	LogDir   string // takes a log per pod
}

// Run serves frontends until ctx ends.
func Run(ctx context.Context, config Config) {
	factory := informers.NewSharedInformerFactory(config.Client, 0)
	informer := factory.Core().V1().Pods().Informer()
	r := &runner{Config: config, pods: map[string]context.CancelFunc{}}
	// Adding a handler fails only on a stopped informer; this one is new.
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { r.see(ctx, object) },
		UpdateFunc: func(_, object any) { r.see(ctx, object) },
		DeleteFunc: r.forget,
	})
	factory.Start(ctx.Done())
	<-ctx.Done()
	factory.Shutdown()
	r.work.Wait()
}

// runner knows the frontends that are up, by the pod's UID.
type runner struct {
	Config
	work sync.WaitGroup
	lock sync.Mutex
	pods map[string]context.CancelFunc
}

func (r *runner) see(ctx context.Context, object any) {
	pod, ok := object.(*corev1.Pod)
	if !ok || !isReadyFrontend(pod) {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.pods[string(pod.UID)] != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	r.pods[string(pod.UID)] = cancel
	r.work.Go(func() { r.serve(ctx, pod.DeepCopy()) })
}

func (r *runner) forget(object any) {
	if late, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = late.Obj
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if cancel := r.pods[string(pod.UID)]; cancel != nil {
		cancel()
		delete(r.pods, string(pod.UID))
	}
}

func isReadyFrontend(pod *corev1.Pod) bool {
	for _, c := range pod.Spec.Containers {
		if c.Name != container || pod.DeletionTimestamp != nil {
			continue
		}
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return true
			}
		}
	}
	return false
}

// serve is the life of one frontend.
func (r *runner) serve(ctx context.Context, pod *corev1.Pod) {
	path := filepath.Join(r.LogDir, pod.Namespace+"_"+pod.Name+".log")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		writeLog(path, "no port: "+err.Error())
		return
	}
	app := &app{runner: r, pod: pod, bucket: pod.Namespace + "-bucket"}
	app.awaitBucket(ctx)
	lines := app.start(ctx)
	writeLog(path, lines...)
	server := &http.Server{Handler: app.pages(), ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	port := int64(listener.Addr().(*net.TCPAddr).Port)
	r.announce(ctx, pod, "portforwards", "PortForward", map[string]any{"forwards": []any{map[string]any{
		"ports": []any{int64(8080)}, "target": map[string]any{"address": "127.0.0.1", "port": port},
	}}})
	r.announce(ctx, pod, "logs", "Logs", map[string]any{"logs": []any{map[string]any{
		"containers": []any{container}, "logsFile": path,
	}}})
	// Ends with ErrServerClosed when the pod does.
	_ = server.Serve(listener)
}

// announce tells kwok about the pod, in an object that ends with the pod.
func (r *runner) announce(ctx context.Context, pod *corev1.Pod, resource, kind string, spec map[string]any) {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind, "spec": spec,
	}}
	object.SetName(pod.Name)
	object.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID}})
	client := r.Dynamic.Resource(schema.GroupVersionResource{Group: "kwok.x-k8s.io", Version: "v1alpha1", Resource: resource})
	_, err := client.Namespace(pod.Namespace).Create(ctx, object, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) && ctx.Err() == nil {
		writeLog(filepath.Join(r.LogDir, pod.Namespace+"_"+pod.Name+".log"), fmt.Sprintf("%s: %v", kind, err))
	}
}

// writeLog appends lines as a container runtime writes them.
func writeLog(path string, lines ...string) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return // the bed is going away, and its folder with it
	}
	defer file.Close()
	for _, line := range lines {
		_, _ = fmt.Fprintf(file, "%s stdout F %s\n", time.Now().UTC().Format(time.RFC3339Nano), line)
	}
}
