// Package check_test makes, for every check, exactly the fault it is there for,
// on a good install, and wants `oc ostoy-s3 check` to find that fault and no
// other. A check without a fault here is a fault of its own (TestEveryCheck).
//
// Faults of one namespace run at the same time on one bed; those of the whole
// bed (the controller, the webhook, the cluster's configuration) one after the
// other, on a bed of their own.
package check_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) { os.Exit(run.MainAtOnce(m, 6)) }

// fault is something that is wrong, and what is to be seen of it.
type fault struct {
	check  string // the only one that fails, or, with status, ends so
	status string // "failed" unless it says something else: warning, not allowed
	says   string // what the finding must name
	// admin has a project admin look, who made the project; else a cluster
	// admin does.
	admin bool
	// bare leaves the namespace without an install.
	bare bool
	// shares has the fault play in a project that others use, too.
	shares bool
	// with are further flags of the install.
	with []string
	// flags are further flags of the check.
	flags []string
	// make is the fault. It may change the user who looks.
	make func(t *testing.T, s *scene)
}

// scene is a namespace and who looks at it.
type scene struct {
	*testbed.Bed
	Namespace string
	User      run.User
}

// local are the faults of one namespace.
func local() []fault {
	return slices.Concat(clusterFaults(), sharing(awsFaults()), controllerFaults(), identityFaults(), bucketFaults(), appFaults(), ownershipFaults())
}

// global are the faults of the whole bed. Each takes back what it did.
func global() []fault {
	return slices.Concat(clusterWideFaults(), sharing(bucketWideFaults()), sharing(identityWideFaults()), sharing(controllerWideFaults()), appWideFaults())
}

func TestFaultsOfANamespace(t *testing.T) {
	t.Parallel()
	bed := start(t, testbed.Options{Platform: testbed.ROSAHCP})
	shared := &installs{bed: bed}
	t.Run("no fault", func(t *testing.T) {
		t.Parallel()
		fault{}.play(t, shared, "good")
	})
	t.Run("no fault, seen by a project admin", func(t *testing.T) {
		t.Parallel()
		fault{admin: true}.play(t, shared, "good-admin")
	})
	for n, way := range waysToInstall() {
		t.Run("no fault, "+way, func(t *testing.T) {
			t.Parallel()
			fault{with: strings.Fields(way)}.play(t, shared, fmt.Sprintf("good-%d", n))
		})
	}
	t.Run("F10, what is advised names the images by digest", func(t *testing.T) {
		t.Parallel()
		testMutableImagesAdvice(t, bed)
	})
	for n, f := range played(local()) {
		t.Run(f.name(), func(t *testing.T) {
			t.Parallel()
			f.play(t, shared, fmt.Sprintf("local-%d", n))
		})
	}
}

func TestFaultsOfTheBed(t *testing.T) {
	t.Parallel()
	bed := start(t, testbed.Options{Platform: testbed.ROSAClassic})
	shared := &installs{bed: bed}
	for n, f := range played(global()) {
		t.Run(f.name(), func(t *testing.T) {
			addNothing(t, bed)
			f.play(t, shared, fmt.Sprintf("global-%d", n))
		})
	}
}

// TestEveryCheck: each check of the list has a fault that it finds.
func TestEveryCheck(t *testing.T) {
	var list struct{ Checks []outcome }
	run.User{}.Run(t, "check", "--list", "-o", "json").WantCode(t, 0).JSON(t, &list)
	all := slices.Concat(local(), global())
	for _, c := range list.Checks {
		if !slices.ContainsFunc(all, func(f fault) bool { return f.check == c.ID }) {
			t.Errorf("nothing here makes the fault that check %s is there for", c.ID)
		}
	}
}

// TestMergedID: the id of a check that is part of another one now is accepted, and the
// new one is named on stderr.
func TestMergedID(t *testing.T) {
	var list struct{ Checks []outcome }
	run.User{}.Run(t, "check", "--list", "--only", "pod-role,pod-identity", "-o", "json").WantCode(t, 0).
		WantTalk(t, "check pod-role is now part of pod-identity").JSON(t, &list)
	if !slices.ContainsFunc(list.Checks, func(o outcome) bool { return o.ID == "pod-identity" }) {
		t.Errorf("%+v", list.Checks)
	}
	run.User{}.Run(t, "check", "--list", "--only", "no-such-check").WantCode(t, 2)
}

func (f fault) name() string {
	name := f.check
	if f.says != "" {
		name += ": " + f.says
	}
	return strings.ReplaceAll(name, "/", "|")
}

// outcome is one check in the document.
type outcome struct {
	ID, Status, What, Why, Next, Severity, Page string
}

// play installs, unless there is an install that the fault can share, makes the fault,
// looks, and follows what is advised.
func (f fault) play(t *testing.T, shared *installs, namespace string) {
	t.Helper()
	var s *scene
	if f.shares || f.make == nil && !f.bare {
		s = shared.project(t, f)
	} else {
		s = f.scene(t, shared.bed, namespace)
		if !f.bare {
			f.install(t, s)
		}
	}
	if f.make != nil {
		f.make(t, s)
	}
	f.follow(t, s, f.wantFound(t, s))
}

// wantFound looks until the fault is seen: much of what is looked at reaches
// the API server through controllers. Only the last look counts.
func (f fault) wantFound(t *testing.T, s *scene) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	want := map[string]string{}
	if f.check != "" {
		want[f.check] = "failed"
		if f.status != "" {
			want[f.check] = f.status
		}
	}
	for {
		result := s.User.Run(t, append([]string{"check", "-n", s.Namespace, "-o", "json"}, f.flags...)...)
		found, own, complaint := f.compare(t, result, want)
		if complaint == "" {
			return own
		}
		if ctx.Err() != nil {
			t.Fatalf("%s\nfound %v, want %v\n%s", complaint, found, want, result)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// compare holds what was found against what is wanted. Of warnings and of what
// may not be looked at only those count that a fault is about: a good install has
// neither for a cluster admin, but a project admin may not see everything.
func (f fault) compare(t *testing.T, result run.Result, want map[string]string) (found map[string]string, own outcome, complaint string) {
	t.Helper()
	var document struct{ Checks []outcome }
	if err := json.Unmarshal([]byte(result.Stdout), &document); err != nil {
		return nil, own, "no document: " + err.Error()
	}
	found, code := map[string]string{}, 0
	for _, o := range document.Checks {
		if o.ID == f.check {
			own = o
		}
		switch {
		case o.Status == "passed", o.Status == "skipped":
		case o.Status == "not allowed" && f.admin && o.ID != f.check:
		case o.ID == "bucket-reach" && o.ID != f.check: // the Buckets of the other faults
		case o.ID == "app-image-mutable" && o.Status == "warning" && o.ID != f.check: // the chart's defaults have tags
		default:
			found[o.ID] = o.Status
		}
		if o.Status == "failed" {
			code = 4
		}
		if o.ID == f.check && !strings.Contains(o.What+"\n"+o.Why+"\n"+o.Next, f.says) {
			complaint = "it does not say " + f.says
		}
	}
	if len(found) != len(want) {
		complaint = "not exactly that"
	}
	for id, status := range want {
		if found[id] != status {
			complaint = "not that"
		}
	}
	if complaint == "" && result.Code != code {
		complaint = "the exit code is wrong"
	}
	return found, own, complaint
}

// start starts a bed that ends with the test.
func start(t *testing.T, options testbed.Options) *testbed.Bed {
	t.Helper()
	options.Progress = t.Output()
	bed, err := testbed.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Stop(); err != nil {
			t.Error(err)
		}
	})
	run.Enforce(t, bed)
	return bed
}

// must ends the test where the test itself could not do something.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
