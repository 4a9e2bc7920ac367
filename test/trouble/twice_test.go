package trouble_test

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestUninstallTwiceAtOnce: two that remove the same things help each other.
func TestUninstallTwiceAtOnce(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, namespace := range []string{"thrice-one", "thrice-two"} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, namespace)
			admin := run.Admin(bed)
			admin.Run(t, "install", "-n", namespace).WantCode(t, done)
			fill(t, bed, namespace, 50)
			args := []string{"uninstall", "-n", namespace, "--delete-data", "--yes"}
			first, second := run.Begin(t, admin, args...), run.Begin(t, admin, args...)
			wantEnd(t, first.Ends(t))
			wantEnd(t, second.Ends(t))
			admin.Run(t, args...).WantCode(t, done)
			for key := range world.Look(t, bed, namespace) {
				switch key {
				case "namespace/" + namespace, "configmaps/kube-root-ca.crt", "serviceaccounts/default":
				default:
					t.Errorf("%s is left", key)
				}
			}
		})
	}
}

// TestInstallBesideUninstall: one makes what the other removes. Each ends well
// or says what is in its way, and one more run of either brings its own end.
func TestInstallBesideUninstall(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for namespace, installed := range map[string]bool{"against-new": false, "against-old": true} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, namespace)
			admin := run.Admin(bed)
			if installed {
				admin.Run(t, "install", "-n", namespace).WantCode(t, done)
			}
			making := run.Begin(t, admin, "install", "-n", namespace, "--timeout", "2m")
			removing := run.Begin(t, admin, "uninstall", "-n", namespace, "--timeout", "2m")
			wantEnd(t, removing.Ends(t))
			wantEnd(t, making.Ends(t))
			admin.Run(t, "install", "-n", namespace).WantCode(t, done)
			wantHealthy(t, bed, namespace)
			// The bucket can be older than the role by then, so a plain uninstall may keep it.
			admin.Run(t, "uninstall", "-n", namespace, "--adopt=bucket", "--yes").WantCode(t, done)
			wantGone(t, bed, namespace)
		})
	}
}

// wantEnd wants a good end, or one error at least that has all of its parts.
func wantEnd(t *testing.T, result run.Result) {
	t.Helper()
	switch result.Code {
	case done:
	case failed, notReady, refused:
		if !anyIs(errorsIn(result.Stderr), message{}) {
			t.Errorf("no error in three parts\n%s", result)
		}
	default:
		t.Errorf("exit code %d\n%s", result.Code, result)
	}
}
