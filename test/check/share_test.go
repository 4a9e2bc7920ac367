package check_test

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// everything plays each fault (make test-chaos). Otherwise, of each check, one fault for
// each status that it ends in is played: that shows that the check is asked, sees what
// the servers say, and leaves the others as they are. What else it says of the same
// objects is shown by the unit tests beside it.
var everything = flag.Bool("everything", false, "every fault, not one of each check and status")

// played are the faults of this run.
func played(all []fault) []fault {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(f fault) bool {
		outcome := f.check + " " + f.status
		again := seen[outcome]
		seen[outcome] = true
		return again && !*everything
	})
}

// sharing lets faults share an install: those that leave the project as it is, and take
// back what they did to the bed. Without the kind no Bucket is left, and what is advised
// where no webhook is found installs the project in another way.
func sharing(faults []fault) []fault {
	for n := range faults {
		faults[n].shares = !faults[n].bare && !slices.Contains([]string{"ack-crd", "webhook"}, faults[n].check)
	}
	return faults
}

// installs are the projects that faults of one bed share.
type installs struct {
	bed  *testbed.Bed
	lock sync.Mutex
	made map[string]*install
}

type install struct {
	once sync.Once
	name string
}

// project is the one for a fault: made by the same kind of user, with the same flags.
func (i *installs) project(t *testing.T, f fault) *scene {
	t.Helper()
	i.lock.Lock()
	key := fmt.Sprint(f.admin, f.with)
	if i.made == nil {
		i.made = map[string]*install{}
	}
	if i.made[key] == nil {
		i.made[key] = &install{name: fmt.Sprintf("shared-%d", len(i.made))}
	}
	one := i.made[key]
	i.lock.Unlock()
	s := f.scene(t, i.bed, one.name)
	one.once.Do(func() { f.install(t, s) })
	return s
}

// scene is a namespace, seen by whom the fault says.
func (f fault) scene(t *testing.T, bed *testbed.Bed, namespace string) *scene {
	t.Helper()
	s := &scene{Bed: bed, Namespace: namespace, User: run.Admin(bed)}
	if f.admin {
		s.User = run.ProjectAdmin(t, bed, namespace+"-maker")
	}
	return s
}

func (f fault) install(t *testing.T, s *scene) {
	t.Helper()
	// That the app works is for check to say.
	s.User.Run(t, append([]string{"install", "--verify=false", "--new-project=" + s.Namespace}, f.with...)...).WantCode(t, 0)
}
