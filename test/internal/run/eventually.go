package run

import (
	"context"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// Eventually waits for something that has to happen, with a limit for slow
// machines: client-go alone may try a dead connection for a minute or more
// before it says that anything is wrong.
func Eventually(t testing.TB, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	if err := testbed.Poll(ctx, 100*time.Millisecond, try); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
