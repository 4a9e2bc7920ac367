package wait

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const reconciling = "Reconciling to sync additional fields"

func unfinishedBucket(t *testing.T, text string) *unstructured.Unstructured {
	return bucketWith(t, conds("ACK.Recoverable=True|"+text+"|", "ACK.ResourceSynced=False|"+text+"|", "Ready=False||ACK.Recoverable"))
}

// looking counts the looks at S3, which has everything or not.
func looking(looks *int, has bool) func(context.Context, *unstructured.Unstructured) (State, bool) {
	return func(_ context.Context, obj *unstructured.Unstructured) (State, bool) {
		*looks++
		return health.Stale(obj, "oc rollout restart deployment/s3 -n ack-system"), has
	}
}

// TestStatusNeverFinished: the wait ends when S3 has everything and the status
// has not said so for a while, and not at its timeout.
func TestStatusNeverFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, unfinishedBucket(t, reconciling), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		looks, targets := 0, testTargets()
		targets.Unfinished = looking(&looks, true)
		began := time.Now()
		b.start(targets, time.Hour)
		var told *problem.Error
		if err := b.end(); !errors.As(err, &told) || told.Kind != problem.NotReady || errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v", err)
		}
		if took := time.Since(began); took < health.UnfinishedAfter || took > health.UnfinishedAfter+5*time.Second || looks != 1 {
			t.Errorf("ended after %s and %d looks", took, looks)
		}
		if !strings.Contains(told.Why, "S3 has the bucket") || !strings.HasPrefix(told.Next, "oc rollout restart deployment/s3 -n ack-system") || strings.Contains(told.Next, "describe") {
			t.Errorf("%s\n%s", told.Why, told.Next)
		}
		if got := strings.Join(b.texts("demo-bucket"), "|"); strings.Contains(got, "tries again") {
			t.Errorf("told %s", got)
		}
	})
}

// TestStatusNeverFinishedBesidePods: the others still become ready.
func TestStatusNeverFinishedBesidePods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, unfinishedBucket(t, reconciling), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+rolling))
		looks, targets := 0, testTargets()
		targets.Unfinished = looking(&looks, true)
		b.start(targets, time.Hour)
		time.Sleep(2 * health.UnfinishedAfter)
		if b.over() {
			t.Fatal("did not wait for the deployment")
		}
		b.set(parse(t, deploymentHead+available))
		if err := b.end(); err == nil || !strings.Contains(err.Error(), "Bucket demo-bucket") || looks != 1 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}

// TestStatusThatGoesOn: a status that changes, a bucket that S3 does not have, and
// an error of AWS do not end the wait.
func TestStatusThatGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		has   bool
		looks int
	}{
		"S3 lacks something": {reconciling, false, 2},
		"an error of AWS":    {"RequestError: send request failed", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, unfinishedBucket(t, c.text), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
				looks, targets := 0, testTargets()
				targets.Unfinished = looking(&looks, c.has)
				b.start(targets, time.Hour)
				time.Sleep(2*health.UnfinishedAfter + 5*time.Second)
				b.set(readyBucket(t))
				if err := b.end(); err != nil || looks != c.looks {
					t.Errorf("%d looks, %v", looks, err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, unfinishedBucket(t, reconciling), boundVolume(t), admittedRoute(t), parse(t, deploymentHead+available))
		looks, targets := 0, testTargets()
		targets.Unfinished = looking(&looks, true)
		b.start(targets, time.Hour)
		for _, text := range []string{"bucket created, requeue for updates", reconciling} {
			time.Sleep(health.UnfinishedAfter - 5*time.Second)
			b.set(unfinishedBucket(t, text))
		}
		b.set(readyBucket(t))
		if err := b.end(); err != nil || looks != 0 {
			t.Errorf("%d looks, %v", looks, err)
		}
	})
}
