package live

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
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
