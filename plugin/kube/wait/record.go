package wait

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// record follows the inventory of what is waited for. If another run deletes it, or
// creates one in its place, there is nothing to wait for any more. It has a watch
// of its own, for this one ConfigMap: that it may not be watched, or that the watch
// fails, is no reason to end a wait.
type record struct {
	was     *unstructured.Unstructured // as it was written; nil: there is none
	watched *watched
	seen    bool // the watch has shown it
	started time.Time
}

// follow gives notice by changed, too.
func follow(ctx context.Context, client dynamic.Interface, was *unstructured.Unstructured, changed chan struct{}) *record {
	r := &record{was: was, started: time.Now()}
	if was != nil {
		r.watched = watchNamed(ctx, client, changed, was.GetNamespace(), was.GetName(), kinds.ConfigMap)
	}
	return r
}

func (r *record) stop() {
	if r.watched != nil {
		r.watched.stop()
	}
}

// look reports whether the inventory is known to exist still, or whether that
// cannot be known. A watch may begin with something older than what was written:
// only what it has shown once can be missed immediately.
func (r *record) look() (known bool, err error) {
	if r.watched == nil || r.watched.denied() != nil {
		return true, nil
	}
	late := time.Since(r.started) >= health.MissingGrace
	if !r.watched.synced(kinds.ConfigMap) {
		return late, nil
	}
	now := r.watched.Get(kinds.ConfigMap, r.was.GetName())
	switch {
	case now != nil && now.GetUID() == r.was.GetUID():
		r.seen = true
		return true, nil
	case r.seen || late:
		return true, inventoryLost(r.was.GetNamespace(), now != nil)
	}
	return false, nil
}

const otherRun = "another run of oc ostoy-s3"

func inventoryLost(namespace string, replaced bool) error {
	p := problem.Fail(otherRun+" removed the inventory of project "+namespace+" while this one was waiting",
		"an uninstall removed what this run had applied",
		"wait until the other run has ended, then run the same command again; "+advice.Command("oc ostoy-s3 status", "-n", namespace)+" shows what is installed")
	if replaced {
		p.Why += ", and another install has created an inventory of its own"
	}
	return p
}
