package wait

import (
	"context"
	"fmt"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

const (
	// silentAfter is how long a list, or the beginning of a watch, may take
	// before the API server is said not to answer. client-go alone tries a broken
	// connection for ten seconds and more, several times over, and says nothing.
	silentAfter = 5 * time.Second
	// againAfter is the pause before a refused connection is tried again. A
	// reflector would make it longer each time, up to a minute, and be that late
	// when the server is back.
	againAfter = time.Second
)

// source lists and watches one kind, and says how the API server does.
type source struct {
	client dynamic.ResourceInterface
	kind   kinds.Kind
	name   string // of the only object; "": all of the kind
	report *watched
}

// informer gives the informer that a source feeds. whole is the client that the
// source's is of: informers look there for what it cannot do.
func (s source) informer(whole dynamic.Interface) cache.SharedIndexInformer {
	return cache.NewSharedIndexInformerWithOptions(
		cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
				return ask(ctx, s, func() (*unstructured.UnstructuredList, error) { return s.client.List(ctx, s.only(opts)) })
			},
			WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (apiwatch.Interface, error) {
				return ask(ctx, s, func() (apiwatch.Interface, error) { return s.client.Watch(ctx, s.only(opts)) })
			},
		}, whole),
		&unstructured.Unstructured{},
		cache.SharedIndexInformerOptions{ObjectDescription: s.kind.String()},
	)
}

func (s source) only(opts metav1.ListOptions) metav1.ListOptions {
	if s.name != "" {
		opts.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, s.name).String()
	}
	return opts
}

// ask makes one call, again and again while the connection is refused: that is
// what a server that restarts looks like.
func ask[Answer any](ctx context.Context, s source, call func() (Answer, error)) (Answer, error) {
	silent := time.AfterFunc(silentAfter, func() {
		s.report.fail(s.kind, fmt.Errorf("no answer for %s", silentAfter))
	})
	defer silent.Stop()
	for {
		answer, err := call()
		if err == nil && !emptyHanded(answer) {
			silent.Stop()
			s.report.answered(s.kind)
			return answer, nil
		}
		if !utilnet.IsConnectionRefused(err) {
			return answer, err
		}
		s.report.fail(s.kind, err)
		if err := interrupt.Sleep(ctx, againAfter); err != nil {
			return answer, err
		}
	}
}

// emptyHanded recognises what client-go returns for a watch whose connection broke
// each of the ten times it tried: an empty watch, and no error.
func emptyHanded(answer any) bool {
	return reflect.TypeOf(answer) == reflect.TypeOf(apiwatch.NewEmptyWatch())
}
