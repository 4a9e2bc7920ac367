// Package trouble_test runs the executable where something is wrong: with what
// others own, with rights that are missing, with servers that fail, and with
// runs that are cut off. Each test wants the exit code, a message in three
// parts, and that nothing was touched, or that a second run mends it.
//
// Two kinds of tests share one bed. Those that order faults of the whole bed
// (an AWS error, a controller that is down) are not parallel, so they come
// first and each alone; those that need only a namespace of their own follow,
// many at a time, because what they do is mostly waiting.
package trouble_test

import (
	"os"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestMain shares one bed among most tests: ROSA HCP, all in working order.
func TestMain(m *testing.M) {
	os.Exit(run.MainSharing(m, testbed.Options{Platform: testbed.ROSAHCP}, atOnce))
}

// atOnce is how many parallel tests wait at the same time.
const atOnce = 8
