package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) { os.Exit(run.MainAtOnce(m, 6)) }

// scene is one test on a bed that others use at the same time.
type scene struct {
	name string
	play func(*testing.T, *testbed.Bed)
}

// TestPlatforms plays what must work on every kind of cluster, one cluster
// after the other: two at once would starve each other.
func TestPlatforms(t *testing.T) {
	for _, platform := range testbed.Platforms() {
		t.Run(string(platform), func(t *testing.T) {
			bed := start(t, testbed.Options{Platform: platform})
			t.Run("cluster admin", func(t *testing.T) { testFirstAndSecond(t, run.Admin(bed), "by-cluster-admin") })
			t.Run("project admin", func(t *testing.T) { testFirstAndSecond(t, projectAdmin(t, bed, "by-learner"), "by-learner") })
			t.Run("together", func(t *testing.T) { playTogether(t, bed, everywhere(platform)) })
			// From here on rights are taken from everybody: nobody else is left.
			if platform == testbed.ROSAClassic {
				t.Run("iam skipped unseen", func(t *testing.T) { testSkipUnseen(t, bed) })
			}
			t.Run("no bucket rights", func(t *testing.T) { testNoBucketRights(t, bed) })
			if platform == testbed.ROSAHCP {
				t.Run("project taken back", func(t *testing.T) { testProjectTakenBack(t, bed) })
			}
		})
	}
}

// everywhere are the scenes of a platform. What does not depend on the kind of
// cluster is played on one.
func everywhere(platform testbed.Platform) []scene {
	scenes := []scene{
		{"facts as cluster admin", testFactsAsClusterAdmin},
		{"facts as project admin", testFactsAsProjectAdmin},
		{"render is what install applies", testRenderEqualsInstall},
	}
	if !platform.OpenShift() {
		scenes = append(scenes, scene{"ingress", testIngress}, scene{"no right to namespaces", testMayNotMakeNamespaces})
		if platform == testbed.Kubernetes {
			scenes = append(scenes, scene{"by hand", testManual})
		}
		return scenes
	}
	if platform != testbed.ROSAClassic {
		return scenes
	}
	return append(scenes,
		scene{"edits are put back", testEditsPutBack},
		scene{"edits that contradict are put back", testContradictionsPutBack},
		scene{"route is pruned", testRoutePruned},
		scene{"prune knows ours from theirs", testPruneOursOnly},
		scene{"data is kept", testDataKept},
		scene{"dry run of a new project", testDryRunNewProject},
		scene{"dry run of a change", testDryRunChange},
		scene{"json", testJSON},
		scene{"render alone", testRenderAlone},
		scene{"install over kubectl", testInstallOverKubectl},
		scene{"free name", testFreeName},
		scene{"existing project", testExistingProject},
		scene{"use", testUse},
		scene{"pod security", testPodSecurity},
		scene{"role options", testRoleOptions},
		scene{"managed policy", testManagedPolicy},
		scene{"iam as a script", testPrintedScript},
		scene{"iam as code, oddly named", testPrintedOddities},
		scene{"iam as a template", testPrintedTemplate},
		scene{"iam plan", testIAMPlanOfNothing},
		scene{"iam skipped", testSkipIAM},
		scene{"by hand", testManual},
		scene{"by a project admin's hand", testManualProjectAdmin},
		scene{"by hand, in part", testManualInPart},
		scene{"by hand, refused", testManualRefused},
		scene{"webhook identity", testWebhookIdentity},
		scene{"other region", testOtherRegion},
		scene{"no wait", testNoWait},
		scene{"as kubectl's plugin", testAsPlugin},
	)
}

func playTogether(t *testing.T, bed *testbed.Bed, scenes []scene) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.play(t, bed)
		})
	}
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
	return bed
}

// projectAdmin is an ordinary user who can get to the namespace: on OpenShift
// by requesting the project, elsewhere because an admin has made it.
func projectAdmin(t *testing.T, bed *testbed.Bed, namespace string) run.User {
	t.Helper()
	user := run.ProjectAdmin(t, bed, "admin-of-"+namespace)
	if !bed.Platform.OpenShift() {
		if err := bed.NewNamespace(t.Context(), namespace, user.Name); err != nil {
			t.Fatal(err)
		}
	}
	return user
}

// whereTo are the arguments by which a user gets into a namespace that the
// tool is to make where that is possible.
func whereTo(user run.User, namespace string) []string {
	if user.Name == "admin" || user.Bed.Platform.OpenShift() {
		return []string{"--new-project=" + namespace}
	}
	return []string{"-n", namespace}
}

// installed is a namespace in which the cluster admin has installed.
func installed(t *testing.T, bed *testbed.Bed, namespace string, args ...string) run.User {
	t.Helper()
	admin := run.Admin(bed)
	install(t, admin, append([]string{"--new-project=" + namespace}, args...)...)
	return admin
}

// install runs an install that must end well.
func install(t *testing.T, user run.User, args ...string) run.Result {
	t.Helper()
	return user.Run(t, append([]string{"install"}, args...)...).WantCode(t, 0)
}

// eventually waits for what has to happen, with a limit for slow machines.
func eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := testbed.Poll(ctx, 100*time.Millisecond, try); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
