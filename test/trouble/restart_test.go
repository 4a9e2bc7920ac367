package trouble_test

import (
	"fmt"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestServerLoadsItsRoles: an API server that restarts under a run answers 403
// for a while. The run goes on, whether it was reading, reviewing rights or
// writing, and so does the one that removes it all.
func TestServerLoadsItsRoles(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, at := range []int{3, 12, 30} {
		t.Run(fmt.Sprint("request ", at), func(t *testing.T) {
			t.Parallel()
			namespace := fmt.Sprintf("loading-at-%02d", at)
			world.NewNamespace(t, bed, namespace)
			for _, command := range []string{"install", "uninstall"} {
				restart := &relay.Restart{N: at, Refusals: 10}
				r, err := relay.Open(t.Context(), bed, bed.Kubeconfig, restart.Play)
				if err != nil {
					t.Fatal(err)
				}
				r.User(run.Admin(bed)).Run(t, command, "-n", namespace).WantCode(t, done)
				if refused := restart.Refused(); len(refused) < restart.Refusals {
					t.Errorf("%s: only %q were refused", command, refused)
				}
			}
			wantGone(t, bed, namespace)
		})
	}
}
