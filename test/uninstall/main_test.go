package uninstall

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) { os.Exit(run.MainAtOnce(m, 6)) }

type scene struct {
	name string
	play func(*testing.T, *testbed.Bed)
}

// TestSharedBed plays what needs only a namespace of its own.
func TestSharedBed(t *testing.T) {
	t.Parallel()
	bed := start(t, testbed.Options{Platform: testbed.ROSAHCP})
	for _, s := range []scene{
		{"order", testOrder},
		{"as project admin", testAsProjectAdmin},
		{"data is kept and adopted again", testDataKeptAndAdopted},
		{"delete data in a script", testDeleteDataInScript},
		{"delete data at a terminal", testDeleteDataAtTerminal},
		{"delete thousands", testThousands},
		{"objects of verify are no data", testVerifyObjects},
		{"adopted bucket", testAdoptedBucket},
		{"keep flags", testKeepFlags},
		{"kept bucket is removed later", testKeptBucketRemoved},
		{"removed by hand", testRemovedByHand},
		{"terminating project", testTerminating},
		{"deletion policy changed by hand", testPolicyChanged},
		{"policies of others on the role", testForeignPolicies},
		{"options of the role", testRoleOptions},
		{"role only, without a cluster", testRoleOnly},
		{"project deleted by hand", testProjectGone},
		{"delete the project", testDeleteNamespace},
		{"others in the project", testOthersInProject},
		{"project of somebody else", testProjectNotOurs},
		{"GitOps", testGitOps},
		{"no inventory", testNoInventory},
		{"corrupt inventory", testCorruptInventory},
		{"dry run", testDryRun},
		{"nothing there", testNothingThere},
		{"other region", testOtherRegion},
		{"F7 forged", testF7Forged},
		{"F7 another cluster's", testF7AnotherClusters},
		{"F7 older", testF7Older},
		{"F3 record", testF3Record},
		{"F3 older", testF3Older},
		{"F3 names a role that does not exist", testF3Ghost},
		{"F3 keeps a role that does not exist", testF3GhostKept},
		{"F3 names a role of others", testF3Boss},
		{"F3 names an account", testF3Account},
		{"F7 says that the bucket was created", testF7CreatedForged},
		{"F7 installed twice", testF7ReinstalledEmpty},
		{"F7 role first", testF7RoleFirst},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.play(t, bed)
		})
	}
}

// TestOwnBed plays what changes the whole bed.
func TestOwnBed(t *testing.T) {
	t.Parallel()
	bed := start(t, testbed.Options{Platform: testbed.Kubernetes})
	for _, s := range []scene{
		{"no right to delete the bucket", testDeniedDeleteBucket},
		{"no right, and data in it", testDeniedAndFull},
		{"neither may delete", testNobodyMayDelete},
		{"no right to the role", testDeniedDeleteRole},
		{"F7 no right to read the role", testF7NoRightToTheRole},
		{"F7 no right to see the date", testF7NoDate},
		{"controller slow, then back", testControllerSlow},
		{"no controller", testNoController},
		{"kind no longer served", testKindGone},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Cleanup(func() { orders(t, bed.AWS.Reset(context.WithoutCancel(t.Context()))) })
			s.play(t, bed)
		})
	}
}

func orders(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
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

// installed is a namespace in which the cluster admin has installed.
func installed(t *testing.T, bed *testbed.Bed, namespace string, args ...string) run.User {
	t.Helper()
	admin := run.Admin(bed)
	// That the app works is not what is tested here.
	admin.Run(t, append([]string{"install", "--verify=false", "--new-project=" + namespace}, args...)...).WantCode(t, 0)
	return admin
}

// uninstall runs it and wants the exit code.
func uninstall(t *testing.T, user run.User, code int, namespace string, args ...string) run.Result {
	t.Helper()
	return user.Run(t, append([]string{"uninstall", "-n", namespace}, args...)...).WantCode(t, code)
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
