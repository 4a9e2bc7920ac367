package trouble_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestInterruptedWait: the first signal ends the wait with exit code 130, says
// what is done, and that a second run goes on; that run ends well.
func TestInterruptedWait(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for namespace, signal := range map[string]os.Signal{"signal-int": os.Interrupt, "signal-term": syscall.SIGTERM} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, namespace)
			// An image is given 10 s before it is called hopeless: time to interrupt.
			if err := bed.FailPods(t.Context(), namespace, testbed.FailImage, ""); err != nil {
				t.Fatal(err)
			}
			admin := run.Admin(bed)
			running := run.Begin(t, admin, "install", "-n", namespace, "--timeout", forEver)
			running.Says(t, "ostoy-pvc")
			running.Send(t, signal)
			result := running.Ends(t)
			wantMessages(t, result, interrupted, message{"interrupted", "role", "run the same command again: it continues where this one stopped"})
			result.WantStdout(t, "")

			if err := bed.HealPods(t.Context(), namespace); err != nil {
				t.Fatal(err)
			}
			admin.Kubectl(t, "delete", "pods", "--all", "-n", namespace).WantCode(t, 0)
			admin.Run(t, "install", "-n", namespace).WantCode(t, done)
			wantHealthy(t, bed, namespace)
		})
	}
}

// TestInterruptedTwice: the second signal does not wait for anything. The
// first makes the run take back the project it has just made, and that request
// is never answered.
func TestInterruptedTwice(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "signal-twice"
	learner := run.ProjectAdmin(t, bed, "impatient")
	held := hold(t, bed, learner.Kubeconfig, "POST", "/"+namespace+"/serviceaccounts/default/token", "DELETE", "/projects/"+namespace)
	held.after = "/projectrequests"
	running := run.Begin(t, held.user, "install", "--new-project="+namespace)
	held.reached(t, 0)
	running.Send(t, os.Interrupt)
	held.reached(t, 1)
	running.Send(t, os.Interrupt)
	running.Ends(t).WantCode(t, interrupted)
	held.letGo()
	learner.Run(t, "install", "-n", namespace).WantCode(t, done)
	wantHealthyTo(t, learner, namespace)
}

// TestInterruptedEarly: nothing is done yet, and so it says; a project made a
// moment ago goes again.
func TestInterruptedEarly(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "signal-early"
	world.NewNamespace(t, bed, namespace)
	before := world.Look(t, bed, namespace)
	held := hold(t, bed, bed.Kubeconfig, "GET", "/"+namespace+"/secrets/ostoy-secret")
	running := run.Begin(t, held.user, "install", "-n", namespace)
	held.reached(t, 0)
	running.Send(t, os.Interrupt)
	result := running.Ends(t)
	wantMessages(t, result, interrupted, message{"interrupted", "nothing", "run the same command again"})
	held.letGo()
	before.WantSame(t, world.Look(t, bed, namespace))
}
