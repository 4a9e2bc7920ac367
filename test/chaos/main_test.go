// Package chaos_test cuts runs off at every request and gives them bad servers,
// and wants the same end as if nothing had been: the same objects, the same
// role, the same bucket with the same data, and nothing else anywhere.
//
// A first run of each scenario, undisturbed, says how many requests there are
// and what the end is. Then each scene plays the scenario in a namespace of its
// own and disturbs it: killed before the k-th request reaches its server, killed
// when the server has done it and the answer is on its way, interrupted, or with
// servers that fail by chance. `go test ./chaos` plays a sample; `make
// test-chaos` (-everything) every k and a hundred runs with faults, and prints a
// table at the end.
package chaos_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

var (
	everything = flag.Bool("everything", false, "every request, not a sample")
	seed       = flag.Uint64("seed", 0, "of all chance; 0 takes the sample's own, and one from the clock for -everything")
)

func TestMain(m *testing.M) {
	os.Exit(run.MainSharing(m, testbed.Options{Platform: testbed.ROSAHCP}, atOnce))
}

// atOnce is how many scenes are played at the same time: most of what they do
// is waiting.
const atOnce = 8

// amount is how much is played.
type amount struct {
	kills      int           // of each scenario; 0 is one before and one after every request
	interrupts int           // of install and uninstall each
	faulty     int           // runs with faults
	spreading  int           // runs with an IAM that takes its time
	lasts      time.Duration // its time
	seed       uint64
}

// theAmount is the sample, which has the same faults each time, so that what
// fails is what a change broke; or everything, which goes out to find new ones.
func theAmount() amount {
	a := amount{kills: 3, interrupts: 2, faulty: 3, spreading: 1, lasts: 5 * time.Second, seed: 1}
	if *everything {
		a = amount{interrupts: 12, faulty: 100, spreading: 6, lasts: 30 * time.Second, seed: uint64(time.Now().UnixNano())}
	}
	if *seed != 0 {
		a.seed = *seed
	}
	return a
}
