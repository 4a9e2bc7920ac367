package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// MainSharing is Main for tests that share one bed, which starts with the first
// test that asks for it by TheBed and ends after the last. atOnce is how many
// parallel tests run at the same time, unless -parallel says otherwise: most of
// what such tests do is waiting.
func MainSharing(m *testing.M, options testbed.Options, atOnce int) int {
	shared := &sharedBed{options: options}
	everybodys = shared.get
	return mainWith(m, atOnce, shared.stop)
}

// MainAtOnce is Main for tests that start beds of their own. atOnce is how many parallel
// tests run at the same time, unless -parallel says otherwise.
func MainAtOnce(m *testing.M, atOnce int) int {
	return mainWith(m, atOnce, func() error { return nil })
}

// MainLending is Main for tests that each need a whole bed: there are count of
// them, each starts with the first test that borrows it and ends after the last.
// As many parallel tests run at the same time, unless -parallel says otherwise.
func MainLending(m *testing.M, options testbed.Options, count int) int {
	beds := make(chan *sharedBed, count)
	for range count {
		beds <- &sharedBed{options: options}
	}
	idle = beds
	return mainWith(m, count, func() (err error) {
		for range count {
			err = errors.Join(err, (<-beds).stop())
		}
		return err
	})
}

// idle are the beds of MainLending that nobody has.
var idle chan *sharedBed

// BorrowedBed is a bed that no other test has until this one ends.
func BorrowedBed(t *testing.T) *testbed.Bed {
	t.Helper()
	one := <-idle
	t.Cleanup(func() { idle <- one })
	bed, err := one.get()
	if err != nil {
		t.Fatal(err)
	}
	return bed
}

// mainWith is Main with so many tests at once and an end.
func mainWith(m *testing.M, atOnce int, end func() error) (code int) {
	flag.Parse()
	if err := parallel(atOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return Main(m)
}

func parallel(atOnce int) error {
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if chosen {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(atOnce))
}

// everybodys gives the bed that MainSharing keeps.
var everybodys func() (*testbed.Bed, error)

// sharedBed starts with the first test that asks for it.
type sharedBed struct {
	options testbed.Options
	once    sync.Once
	bed     *testbed.Bed
	err     error
}

func (s *sharedBed) get() (*testbed.Bed, error) {
	s.once.Do(func() {
		if s.options.Progress == nil {
			s.options.Progress = os.Stderr
		}
		s.bed, s.err = testbed.Start(context.Background(), s.options)
	})
	return s.bed, s.err
}

func (s *sharedBed) stop() error {
	if s.bed == nil {
		return nil
	}
	return s.bed.Stop()
}

// TheBed is the bed that the package's tests share.
func TheBed(t *testing.T) *testbed.Bed {
	t.Helper()
	bed, err := everybodys()
	if err != nil {
		t.Fatal(err)
	}
	return bed
}

// BedOfItsOwn is a bed that ends with the test, for what a shared one must not
// have.
func BedOfItsOwn(t *testing.T, options testbed.Options) *testbed.Bed {
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
