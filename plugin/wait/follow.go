package wait

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// Following shows the objects of some kinds in one namespace as they are, by
// watches: it asks nothing again.
type Following struct {
	watched *watched
	kinds   []string
	end     context.CancelFunc
}

// Follow begins to watch. It ends with the context, or by Stop. What may not be
// watched, or is not served, does not keep the others from being shown.
func Follow(ctx context.Context, client dynamic.Interface, namespace string, kinds ...string) *Following {
	ctx, end := context.WithCancel(ctx)
	return &Following{watch(ctx, client, namespace, kinds...), kinds, end}
}

// Stop waits until nothing is watched any more.
func (f *Following) Stop() {
	f.end()
	f.watched.stop()
}

// Changed holds a notice when there is something new to look at. Several changes
// may come as one.
func (f *Following) Changed() <-chan struct{} { return f.watched.changed }

// Complete reports whether all that can be shown has been listed.
func (f *Following) Complete() bool {
	for _, kind := range f.kinds {
		if !f.watched.synced(kind) && f.Refused(kind) == nil {
			return false
		}
	}
	return true
}

// Refused is why a kind is not shown: it may not be watched, or is not served.
func (f *Following) Refused(kind string) error {
	f.watched.mu.Lock()
	defer f.watched.mu.Unlock()
	return f.watched.refusal(kind)
}

// List are all objects of a kind, by name. They must not be changed.
func (f *Following) List(kind string) []*unstructured.Unstructured { return f.watched.list(kind) }

// Trouble says that the API server does not answer, or no longer all of it; ""
// while it does.
func (f *Following) Trouble() string {
	if s, ever := f.watched.trouble(); ever && !s.Ready {
		return s.Text
	}
	return ""
}
