package trouble_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// killAt is the place of a SIGKILL: right before or right after the n-th
// request that changes something in the cluster or in AWS.
type killAt struct {
	aws   bool
	n     int64
	after bool
}

func (k killAt) String() string {
	where, when := "kube", "before"
	if k.aws {
		where = "aws"
	}
	if k.after {
		when = "after"
	}
	return fmt.Sprintf("kill-%s-%s-%02d", where, when, k.n)
}

// changes reports whether a request would change something.
func changes(aws bool, r *http.Request) bool {
	if aws {
		action := formAction(r)
		return action != "" && !strings.HasPrefix(action, "Get") && !strings.HasPrefix(action, "List")
	}
	if r.URL.Query().Has("dryRun") || strings.Contains(r.URL.Path, "/authorization.k8s.io/") {
		return false
	}
	return r.Method != http.MethodGet
}

// TestKilled: whenever a run is killed, the next one ends as if nothing had
// been, and leaves nothing over.
func TestKilled(t *testing.T) {
	t.Parallel()
	bed := theBed(t)
	const undisturbed = "kill-nothing"
	newNamespace(t, bed, undisturbed)
	run.Admin(bed).Run(t, "install", "-n", undisturbed).WantCode(t, done)
	want := wantHealthy(t, bed, undisturbed).comparable(bed, undisturbed)
	for _, at := range []killAt{
		{n: 1},
		{n: 1, after: true},
		{n: 4, after: true},
		{n: 8},
		{n: 11, after: true},
		{n: 12, after: true},
		{aws: true, n: 1},
		{aws: true, n: 1, after: true},
		{aws: true, n: 2},
		{aws: true, n: 2, after: true},
	} {
		t.Run(at.String(), func(t *testing.T) {
			t.Parallel()
			namespace := at.String()
			newNamespace(t, bed, namespace)
			kill(t, bed, at, "install", "-n", namespace)
			run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, done)
			want.wantSame(t, wantHealthy(t, bed, namespace).comparable(bed, namespace))
		})
	}
}

// TestKilledWithProject: the project is made and nothing is in it yet. The next
// run goes on in it, and knows that it is ours.
func TestKilledWithProject(t *testing.T) {
	t.Parallel()
	bed := theBed(t)
	const namespace = "kill-project"
	kill(t, bed, killAt{n: 1, after: true}, "install", "--new-project="+namespace)
	eventually(t, "project", func(ctx context.Context) error {
		_, err := bed.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return err
	})
	run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, done)
	wantHealthy(t, bed, namespace)
	if record := inventory(t, bed, namespace); !holds(record, "namespaceOrigin:created") {
		t.Errorf("the inventory does not say that the project is ours: %s", record)
	}
}

// kill runs an install and kills it there.
func kill(t *testing.T, bed *testbed.Bed, at killAt, args ...string) {
	t.Helper()
	var count atomic.Int64
	var victim atomic.Pointer[os.Process]
	hook := func(aws bool) func(r *http.Request) error {
		return func(r *http.Request) error {
			if aws != at.aws || !changes(aws, r) || count.Add(1) != at.n {
				return nil
			}
			if err := victim.Load().Kill(); err != nil {
				return err
			}
			if at.after { // passed on though nobody waits for the answer any more
				alive, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
				context.AfterFunc(t.Context(), cancel)
				*r = *r.WithContext(alive)
				return nil
			}
			return errors.New("cut")
		}
	}
	kube, aws := hook(false), hook(true)
	through, err := bed.KubeProxy(t.Context(), bed.Kubeconfig, func(_ int64, r *http.Request) error { return kube(r) })
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := bed.AWSProxy(t.Context(), func(_ int64, r *http.Request) error { return aws(r) })
	if err != nil {
		t.Fatal(err)
	}
	user := run.User{Bed: bed, Name: "killed", Kubeconfig: through}.With("AWS_ENDPOINT_URL=" + endpoint)
	running := prepare(t, user, args...)
	running.start(t, func() { victim.Store(running.cmd.Process) })
	if result := running.ends(t); result.Code != -1 {
		t.Fatalf("was not killed after %d requests\n%s", count.Load(), result)
	}
}

// comparable is the world of a namespace in words that hold for every
// namespace: names, ids and times that must differ are left out.
func (w world) comparable(bed *testbed.Bed, namespace string) world {
	all := world{}
	for key, text := range w {
		kind, _, _ := strings.Cut(key, "/")
		// Pods and what counts their rollouts differ by time, not by install.
		if kind == "pods" || kind == "replicasets" || kind == "namespace" {
			continue
		}
		all[neutral(bed, namespace, key)] = neutral(bed, namespace, text)
	}
	return all
}
