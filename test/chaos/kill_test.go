package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
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
	bed := run.TheBed(t)
	const undisturbed = "kill-nothing"
	world.NewNamespace(t, bed, undisturbed)
	run.Admin(bed).Run(t, "install", "-n", undisturbed).WantCode(t, 0)
	want := world.Look(t, bed, undisturbed).Comparable(bed, undisturbed)
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
			world.NewNamespace(t, bed, namespace)
			kill(t, bed, at, "install", "-n", namespace)
			run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, 0)
			want.WantSame(t, world.Look(t, bed, namespace).Comparable(bed, namespace))
		})
	}
}

// TestKilledWithProject: the project is made and nothing is in it yet. The next
// run goes on in it, and knows that it is ours.
func TestKilledWithProject(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "kill-project"
	kill(t, bed, killAt{n: 1, after: true}, "install", "--new-project="+namespace)
	run.Eventually(t, "project", func(ctx context.Context) error {
		_, err := bed.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		return err
	})
	run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, 0)
	record, err := bed.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if origin := record.Data["namespaceOrigin"]; origin != "created" {
		t.Errorf("the inventory does not say that the project is ours, but %q", origin)
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
	running := run.Prepare(t, user, args...)
	running.Start(t, func() { victim.Store(running.Cmd.Process) })
	if result := running.Ends(t); result.Code != -1 {
		t.Fatalf("was not killed after %d requests\n%s", count.Load(), result)
	}
}

// formAction is the action of a request to IAM or STS, empty for S3. The body
// stays readable.
func formAction(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get("Action")
}
