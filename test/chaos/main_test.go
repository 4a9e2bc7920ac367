// Package chaos_test cuts runs off and gives them bad servers, in as many ways
// as there are requests, and wants the same end as if nothing had been.
package chaos_test

import (
	"os"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) {
	os.Exit(run.MainSharing(m, testbed.Options{Platform: testbed.ROSAHCP}, atOnce))
}

// atOnce is how many scenes are played at the same time.
const atOnce = 8
