package wait

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestAdviceIsFollowed: after the pod that you are not allowed to delete is deleted as is
// advised, the same wait ends well.
func TestAdviceIsFollowed(t *testing.T) {
	const role, advised = "arn:aws:iam::123456789012:role/ostoy-s3/x", "oc delete pod one -n demo"
	synctest.Test(t, func(t *testing.T) {
		var allowed atomic.Bool
		targets := testTargets()
		targets.Identity, targets.RoleARN = []string{"ostoy-frontend"}, role
		b := newBench(t, readyBucket(t), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling), identityPod(t, "one", "u1", "abc", ""))
		b.client.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			return !allowed.Load(), nil, apierrors.NewForbidden(kinds.Pod.GVR().GroupResource(), "one", errors.New("no"))
		})
		b.start(targets, time.Minute)
		told, is := errors.AsType[*problem.Error](b.end())
		if !is || !strings.Contains(told.Next, advised+"\n") || !strings.HasSuffix(told.Next, "oc ostoy-s3 install -n demo --set podIdentity=projected") {
			t.Fatalf("%+v", told)
		}
		allowed.Store(true) // by somebody who is allowed to
		words := strings.Fields(advised)
		if err := b.client.Resource(kinds.Pod.GVR()).Namespace(words[5]).Delete(t.Context(), words[3], metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		b.set(identityPod(t, "two", "u2", "abc", role)) // as the ReplicaSet does
		b.set(parse(t, deploymentHead+available))
		b.done = make(chan struct{})
		b.start(targets, time.Minute)
		if err := b.end(); err != nil {
			t.Errorf("after %q: %v", advised, err)
		}
	})
}
