package live

import (
	"context"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

// Secrets of any namespace. Only what keys they have is of interest.
func Secrets() schema.GroupVersionResource { return core("secrets") }

// ControllerPods are the pods of a controller that are to live.
func (w *World) ControllerPods(ctx context.Context, c ack.Controller) ([]ack.Pod, error) {
	return c.Pods(ctx, w)
}

// ControllerEnvironment is what a controller finds in its environment by its
// Deployment, ConfigMaps and Secrets. Of the latter the keys alone are told; one
// that may not be read counts as empty.
func (w *World) ControllerEnvironment(ctx context.Context, c ack.Controller) (ack.Environment, error) {
	names, secrets := ack.Needs(c.Container)
	sources := ack.Sources{ConfigMaps: map[string]map[string]string{}, Secrets: map[string][]string{}}
	var mu sync.Mutex
	group, groupCtx := errgroup.WithContext(ctx)
	for _, name := range names {
		group.Go(func() error {
			object, err := w.Get(groupCtx, ConfigMaps(), c.Namespace, name)
			if err != nil || object == nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			sources.ConfigMaps[name] = dataOf(object)
			return nil
		})
	}
	for _, name := range secrets {
		group.Go(func() error {
			object, err := w.Get(groupCtx, Secrets(), c.Namespace, name)
			if err != nil || object == nil {
				return nil // who may not read it knows no keys
			}
			mu.Lock()
			defer mu.Unlock()
			for key := range dataOf(object) {
				sources.Secrets[name] = append(sources.Secrets[name], key)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return ack.Environment{}, err
	}
	return ack.EnvironmentOf(c.Container, sources), nil
}

func dataOf(object *unstructured.Unstructured) map[string]string {
	data, _, _ := unstructured.NestedStringMap(object.Object, "data")
	if data == nil {
		data = map[string]string{}
	}
	return data
}

// lastLines is how much of a log is asked for.
const lastLines = 200

// LastLog is LogOfLastRun, asked for once.
func (w *World) LastLog(ctx context.Context, namespace, pod, container string) (string, error) {
	return w.lastLogs.get(ctx, namespace+"/"+pod+"/"+container, func() (string, error) {
		return LogOfLastRun(ctx, w.Conn, namespace, pod, container)
	})
}

// LogOfLastRun is the end of the log of a container: of its run before this one,
// or, where there was none, of this one.
func LogOfLastRun(ctx context.Context, conn *cluster.Conn, namespace, pod, container string) (string, error) {
	text, err := Log(ctx, conn, namespace, pod, container, true)
	if err != nil {
		text, err = Log(ctx, conn, namespace, pod, container, false)
	}
	return text, err
}

// Log is the last 200 lines that a container has said, in this run or the one
// before. It may have any text, which may not be UTF-8.
func Log(ctx context.Context, conn *cluster.Conn, namespace, pod, container string, previous bool) (string, error) {
	answer := conn.REST().Get().
		AbsPath("/api/v1/namespaces", namespace, "pods", pod, "log").
		Param("container", container).Param("tailLines", strconv.Itoa(lastLines)).
		Param("previous", strconv.FormatBool(previous)).
		Do(ctx)
	if err := answer.Error(); err != nil { // has the words of a refusal, Raw has not
		return "", err
	}
	text, err := answer.Raw()
	return plain.Text(string(text)), err
}

// CRDs are the definitions of the kinds that a cluster was taught.
func CRDs() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
}

// StorageClasses of the cluster.
func StorageClasses() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "storage.k8s.io", Version: "v1", Resource: "storageclasses"}
}

// Quotas are the ResourceQuotas of any namespace.
func Quotas() schema.GroupVersionResource { return core("resourcequotas") }
