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
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// atOnce is how many parallel tests wait at the same time, unless -parallel
// says otherwise.
const atOnce = "8"

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) (code int) {
	flag.Parse()
	if err := waitTogether(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	shared := &sharedBed{}
	everybodys = shared.get
	defer func() {
		if err := shared.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return run.Main(m)
}

func waitTogether() error {
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return nil
	}
	return flag.Set("test.parallel", atOnce)
}

// everybodys gives the bed that most tests share.
var everybodys func() (*testbed.Bed, error)

// sharedBed starts with the first test that asks for it.
type sharedBed struct {
	once sync.Once
	bed  *testbed.Bed
	err  error
}

func (s *sharedBed) get() (*testbed.Bed, error) {
	s.once.Do(func() {
		s.bed, s.err = testbed.Start(context.Background(), testbed.Options{Platform: testbed.ROSAHCP, Progress: os.Stderr})
	})
	return s.bed, s.err
}

func (s *sharedBed) stop() error {
	if s.bed == nil {
		return nil
	}
	return s.bed.Stop()
}

// theBed is the bed that most tests share: ROSA HCP, all in working order.
func theBed(t *testing.T) *testbed.Bed {
	t.Helper()
	bed, err := everybodys()
	if err != nil {
		t.Fatal(err)
	}
	return bed
}

// bedWith is a bed of the test's own, for what the shared one must not have.
func bedWith(t *testing.T, options testbed.Options) *testbed.Bed {
	t.Helper()
	bed, err := testbed.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Stop(); err != nil {
			t.Error(err)
		}
	})
	return bed
}
