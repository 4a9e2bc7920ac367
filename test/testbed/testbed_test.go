package testbed_test

import (
	"context"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// start starts a bed that ends with the test.
func start(t *testing.T, options testbed.Options) *testbed.Bed {
	t.Helper()
	options.Progress = t.Output()
	begin := time.Now()
	bed, err := testbed.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Stop(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("started in %s", time.Since(begin))
	return bed
}

// eventually waits for something that has to happen, with a limit for slow
// machines.
func eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := testbed.Poll(ctx, 100*time.Millisecond, try); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestStart(t *testing.T) { start(t, testbed.Options{LogDir: "/tmp/bedlogs"}) }
