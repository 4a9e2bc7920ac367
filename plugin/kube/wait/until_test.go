package wait

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestUntilEverywhere: without a namespace the objects of all are shown, and
// those of one name in the order of their namespaces.
func TestUntilEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := bucketWith(t, "")
		other.SetNamespace("another")
		b := newBench(t, bucketWith(t, ""), other)
		var shown []string
		gone := false
		err := Until(t.Context(), b.client, "", kinds.Bucket, func(all []*unstructured.Unstructured) (bool, error) {
			if len(all) == 2 && !gone {
				gone = true
				for _, one := range all {
					shown = append(shown, one.GetNamespace())
				}
				for _, namespace := range shown {
					if err := b.client.Resource(kinds.Bucket.GVR()).Namespace(namespace).Delete(t.Context(), "demo-bucket", metav1.DeleteOptions{}); err != nil {
						return true, err
					}
				}
			}
			return gone && len(all) == 0, nil
		}, nil)
		if err != nil || strings.Join(shown, " ") != "another demo" {
			t.Errorf("%v, %v", shown, err)
		}
	})
}

func TestUntilNotEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.client.PrependReactor("list", "buckets", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(kinds.Bucket.GVR().GroupResource(), "", errors.New("no"))
		})
		err := Until(t.Context(), b.client, "", kinds.Bucket, func([]*unstructured.Unstructured) (bool, error) { return true, nil }, nil)
		var told *problem.Error
		if !errors.As(err, &told) || !strings.Contains(told.What, "Buckets in all namespaces") {
			t.Errorf("%v", err)
		}
	})
}
