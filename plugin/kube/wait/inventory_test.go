package wait

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func theInventory(t *testing.T, uid string) *unstructured.Unstructured {
	return parse(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ostoy-s3, namespace: demo, uid: "+uid+"}")
}

// TestInventoryLost: a wait ends when another run deletes the inventory or creates
// one of its own, and does not end well where everything else is ready.
func TestInventoryLost(t *testing.T) {
	remove := func(b *bench) {
		err := b.client.Resource(kinds.ConfigMap.GVR()).Namespace("demo").Delete(b.t.Context(), "ostoy-s3", metav1.DeleteOptions{})
		if err != nil {
			b.t.Error(err)
		}
		synctest.Wait()
	}
	for name, c := range map[string]struct {
		frontend string
		before   []string // inventories that there are
		then     func(*bench)
		want     string // "": it ends well
		after    time.Duration
	}{
		"stays":              {available, []string{"i1"}, nil, "", 0},
		"deleted":            {rolling, []string{"i1"}, remove, "uninstall removed", 0},
		"replaced":           {rolling, []string{"i1"}, func(b *bench) { b.set(theInventory(b.t, "i2")) }, "created an inventory of its own", 0},
		"deleted before":     {available, nil, nil, "uninstall removed", health.MissingGrace},
		"replaced before":    {available, []string{"i2"}, nil, "created an inventory of its own", health.MissingGrace},
		"shown a bit later":  {available, nil, func(b *bench) { b.set(theInventory(b.t, "i1")) }, "", 0},
		"may not be watched": {available, nil, nil, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+c.frontend))
				for _, uid := range c.before {
					b.set(theInventory(t, uid))
				}
				if name == "may not be watched" {
					b.client.PrependReactor("list", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
						return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no"))
					})
				}
				targets := testTargets()
				targets.Inventory = theInventory(t, "i1")
				began := time.Now()
				b.start(targets, time.Minute)
				if c.then != nil {
					if b.over() {
						t.Error("it did not wait")
					}
					c.then(b)
				}
				err := b.end()
				if took := time.Since(began); took > c.after {
					t.Errorf("it took %s", took)
				}
				var p *problem.Error
				switch {
				case c.want == "" && err != nil:
					t.Error(err)
				case c.want == "":
				case !errors.As(err, &p) || p.Kind != problem.Failed || !strings.Contains(p.Why, c.want) || !strings.Contains(p.What, "project demo"):
					t.Errorf("%#v", err)
				}
			})
		})
	}
}
