package controller

import (
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1AwaitsThePolicy: nothing becomes wider before the API server refuses what the
// policy refuses, several times in a row, because there may be several API servers.
func TestF1AwaitsThePolicy(t *testing.T) {
	denied := apierrors.NewInvalid(schema.GroupKind{Group: kinds.Bucket.GVR().Group, Kind: "Bucket"}, "x", nil)
	denied.ErrStatus.Message = "ValidatingAdmissionPolicy 'ostoy-s3-buckets' with binding 'ostoy-s3-buckets' denied request: no"
	for name, c := range map[string]struct {
		answers func(n int) error
		known   bool
		fails   bool
		took    time.Duration // at least
		asked   int
	}{
		"in effect":         {func(int) error { return denied }, true, false, 0, probesInARow},
		"a moment later":    {func(n int) error { return only(n > 4, denied) }, true, false, 0, 4 + probesInARow},
		"one server of two": {func(n int) error { return only(n%2 == 0 || n > 10, denied) }, true, false, 0, 9 + probesInARow},
		"never":             {func(int) error { return nil }, false, true, probeLimit, 0},
		"served a moment later": {func(n int) error {
			if n <= 3 {
				return apierrors.NewNotFound(kinds.Bucket.GVR().GroupResource(), "")
			}
			return denied
		}, true, false, 0, 3 + probesInARow},
		"not allowed": {func(int) error {
			return apierrors.NewForbidden(kinds.Bucket.GVR().GroupResource(), "x", nil)
		}, false, false, probeBlind, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := fake.NewSimpleDynamicClient(runtime.NewScheme())
				asked := 0
				client.PrependReactor("create", "buckets", func(action clienttesting.Action) (bool, runtime.Object, error) {
					asked++
					return true, action.(clienttesting.CreateActionImpl).Object, c.answers(asked)
				})
				began := time.Now()
				known, err := awaitRefusal(t.Context(), client.Resource(kinds.Bucket.GVR()).Namespace("default"), operator.Probe())
				if known != c.known || (err != nil) != c.fails || c.asked > 0 && asked != c.asked || time.Since(began) < c.took {
					t.Errorf("%t, %v, asked %d times in %s", known, err, asked, time.Since(began))
				}
			})
		})
	}
}

func only(is bool, err error) error {
	if is {
		return err
	}
	return nil
}

// TestF1PolicyBeforeTheRest: the waves up to that of the policy are applied and waited
// for first, before the role and the permissions.
func TestF1PolicyBeforeTheRest(t *testing.T) {
	policy := &apply.Item{Ref: apply.Ref{Group: operator.AdmissionGroup, Kind: "ValidatingAdmissionPolicy"}}
	role := &apply.Item{Ref: apply.Ref{Group: rbacGroup, Kind: "ClusterRole"}}
	for _, c := range []struct {
		waves [][]*apply.Item
		want  int
	}{{nil, 0}, {[][]*apply.Item{{role}}, 0}, {[][]*apply.Item{{policy}}, 1}, {[][]*apply.Item{{policy, policy}, {role}}, 1}, {[][]*apply.Item{{role}, {policy, policy}, {role}, {role}}, 2}, {[][]*apply.Item{{policy}, {policy}, {role}}, 2}} {
		if got := policyWaves(c.waves); got != c.want {
			t.Errorf("%d waves: %d, want %d", len(c.waves), got, c.want)
		}
	}
}
