// Package status_test looks with `oc ostoy-s3 status` at installs that are as they
// should be and at some that are not, as a cluster admin and as a project admin,
// and at all of a cluster at once. One bed serves all; what concerns the whole bed
// (refusals of AWS, counting) comes after the scenes, one by one.
package status_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) { os.Exit(run.MainAtOnce(m, 4)) }

// report is the part of the document that the tests read.
type report struct {
	Namespace, State string
	Installed        struct {
		By, Version, Inventory string
		Since                  time.Time
	}
	Bucket struct {
		State, Text, Region, Uncounted string
		Contents                       *struct{ Objects, Bytes int64 }
		Protection                     map[string]struct {
			Text, From string
			Good       bool
		}
	}
	Role struct {
		State, Text, ARN string
		Exists           bool
		Trust, Policy    part
		LastUsed         time.Time
	}
	ServiceAccount part
	Pods           []struct {
		Name, Deployment, State, Identity, Missing string
		Ready, NeedsIdentity                       bool
	}
	Route struct{ State, URL string }
	Drift struct {
		State   string
		Cluster []struct {
			Object, Action, Why string
			Changes             []struct{ Path, Manager string }
		}
		IAM    []struct{ What, Reason string }
		Unseen []string
	}
	Audit *struct {
		Assumed, Changed []event
		S3DataEvents     struct {
			State  string
			Trails []string
		}
	}
}

type part struct{ State, Text string }

type event struct{ Name, Who, From, Region, Error string }

// scene is a namespace with an install, and who looks at it.
type scene struct {
	*testbed.Bed
	Namespace string
	User      run.User
}

// installed makes a project with an install.
func installed(t *testing.T, bed *testbed.Bed, namespace string, user run.User, flags ...string) *scene {
	t.Helper()
	user.Run(t, append([]string{"install", "--new-project=" + namespace}, flags...)...).WantCode(t, 0)
	return &scene{bed, namespace, user}
}

// look is the document of one look.
func (s *scene) look(t *testing.T, flags ...string) (r report) {
	t.Helper()
	s.User.Run(t, append([]string{"status", "-n", s.Namespace, "-o", "json"}, flags...)...).WantCode(t, 0).JSON(t, &r)
	return r
}

// until looks until a complaint is gone: much of what is looked at gets there
// through controllers. Only the last look counts.
func (s *scene) until(t *testing.T, complaint func(report) string) report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		r := s.look(t)
		why := complaint(r)
		if why == "" {
			return r
		}
		if ctx.Err() != nil {
			text, _ := json.MarshalIndent(r, "", "  ")
			t.Fatalf("%s\n%s", why, text)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// kubectl is the bed's admin at work.
func (s *scene) kubectl(t *testing.T, args ...string) {
	t.Helper()
	run.Admin(s.Bed).Kubectl(t, append([]string{"-n", s.Namespace}, args...)...).WantCode(t, 0)
}

// roleName is the name of the scene's role.
func (s *scene) roleName(t *testing.T) string {
	t.Helper()
	arn := s.look(t).Role.ARN
	return arn[strings.LastIndex(arn, "/")+1:]
}

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
	return bed
}

// must ends the test where the test itself could not do something.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestStatus(t *testing.T) {
	bed := start(t, testbed.Options{Platform: testbed.ROSAHCP})
	t.Run("scenes", func(t *testing.T) {
		for name, play := range map[string]func(*testing.T, *testbed.Bed){
			"good":                good,
			"good, project admin": goodAsProjectAdmin,
			"good, seen by admin": goodOfProjectAdmin,
			"deployment drifted":  deploymentDrifted,
			"bucket drifted":      bucketDrifted,
			"trust drifted":       trustDrifted,
			"policy drifted":      policyDrifted,
			"role gone":           roleGone,
			"no identity":         noIdentity,
			"object gone":         objectGone,
			"nothing there":       nothingThere,
			"kept":                keptAfterUninstall,
			"half made":           halfMade,
			"flags as recorded":   flagsAsRecorded,
			"forged record":       forgedRecord,
			"all, in part":        allInPart,
			"audit":               auditTells,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				play(t, bed)
			})
		}
	})
	for _, one := range []struct {
		name string
		play func(*testing.T, *testbed.Bed)
	}{
		{"AWS refuses", refused},
		{"AWS is away", away},
		{"trails", trails},
		{"all", all},
		{"all, counted", counted},
	} {
		t.Run(one.name, func(t *testing.T) { one.play(t, bed) })
	}
}
