// Package trouble_test runs the executable where something is wrong: with what
// others own, with rights that are missing, with servers that fail, and with
// runs that are cut off. Each test wants the exit code, a message in three
// parts, and that nothing was touched, or that a second run mends it.
//
// Tests that need only a namespace of their own share one bed, many at a time, because
// what they do is mostly waiting. Those that order faults of the whole bed (an AWS error, a
// controller that is down) have a second one, on which each is alone.
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

// TestWholeBed is the tests that order faults of the whole bed, one after the other.
func TestWholeBed(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.ROSAHCP})
	for _, one := range []struct {
		name string
		play func(*testing.T, *testbed.Bed)
	}{
		{"AWS refuses to look", testAWSRefusesToLook},
		{"AWS refuses to change", testAWSRefusesToChange},
		{"AWS denies", testAWSDenies},
		{"AWS throttles", testAWSThrottles},
		{"bucket hidden", testBucketHidden},
		{"provider unreadable", testProviderUnreadable},
		{"controller refused", testControllerRefused},
		{"controller tries again", testControllerTriesAgain},
		{"controller down", testControllerDown},
		{"controller loses status", testControllerLosesStatus},
		{"timeout", testTimeout},
		{"project name taken", testProjectNameTaken},
		{"server away", testServerAway},
	} {
		t.Run(one.name, func(t *testing.T) { one.play(t, bed) })
	}
}
