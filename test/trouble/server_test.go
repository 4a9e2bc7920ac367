package trouble_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// generous is the limit for what the tool promises within ten seconds: the
// machines of tests are noisy.
const generous = time.Minute

// kubeconfigFor writes a kubeconfig for a server that is none of the bed's.
func kubeconfigFor(t *testing.T, server string) string {
	t.Helper()
	config := api.NewConfig()
	config.Clusters["there"] = &api.Cluster{Server: server, InsecureSkipTLSVerify: true}
	config.Contexts["there"] = &api.Context{Cluster: "there", Namespace: "demo"}
	config.CurrentContext = "there"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// silent is a listener that takes connections and never says a word, as a
// firewall that drops packets.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = connection.Close() })
		}
	}()
	return listener.Addr().String()
}

func TestServerUnreachable(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for name, c := range map[string]struct{ address, why string }{
		"silent": {silent(t), "no answer"},
		"closed": {run.Refusing(t), "refuse"},
	} {
		for _, args := range [][]string{{"install", "-n", "demo"}, {"install", "--new-project"}, {"facts", "-n", "demo"}} {
			t.Run(name+" "+args[0]+args[1], func(t *testing.T) {
				t.Parallel()
				// Who asks for facts is told all that is missing, each with its cause.
				what := map[string]string{"install": "cannot reach the API server https://" + c.address, "facts": "facts are missing"}[args[0]]
				user := run.User{Bed: bed, Name: "lost", Kubeconfig: kubeconfigFor(t, "https://"+c.address)}
				result := user.Run(t, args...)
				wantMessages(t, result, failed, message{what, c.why, "check the network"})
				result.WantTalk(t, "cannot reach the API server https://"+c.address)
				if result.Took > generous {
					t.Errorf("took %s", result.Took)
				}
			})
		}
	}
}

func TestAWSUnreachable(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "server-aws"
	world.NewNamespace(t, bed, namespace)
	lost := run.Admin(bed).With("AWS_ENDPOINT_URL=http://" + run.Refusing(t))
	wantRefused(t, lost, namespace, failed, message{"sts:GetCallerIdentity", "nothing listens at the endpoint", "AWS_ENDPOINT_URL"})
}

// wire carries connections to an address until it is cut, and again when it is
// mended.
type wire struct {
	address string

	lock sync.Mutex
	cut  bool
	open []net.Conn
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	w := &wire{address: listener.Addr().String()}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil || !w.carries(near, far) {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
			go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		}
	}()
	return w
}

func (w *wire) carries(ends ...net.Conn) bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	if !w.cut {
		w.open = append(w.open, ends...)
	}
	return !w.cut
}

// set cuts the wire, with all that goes over it, or mends it.
func (w *wire) set(cut bool) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.cut = cut
	for _, one := range w.open {
		_ = one.Close()
	}
	w.open = nil
}

// testServerAway: the API server is gone in the middle of the wait, watches
// and all, and comes back when everything has happened. The wait says so, and
// sees it.
func testServerAway(t *testing.T, bed *testbed.Bed) {
	const namespace = "server-away"
	world.NewNamespace(t, bed, namespace)
	through, err := bed.KubeProxy(t.Context(), bed.Kubeconfig, func(int64, *http.Request) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(through)
	if err != nil {
		t.Fatal(err)
	}
	line := newWire(t, strings.TrimPrefix(config.Clusters[config.Contexts[config.CurrentContext].Cluster].Server, "http://"))
	bed.ACK.Pause() // nothing else keeps a wait going that cannot fail
	defer bed.ACK.Resume()
	user := run.User{Bed: bed, Name: "patient", Kubeconfig: kubeconfigFor(t, "http://"+line.address)}
	running := run.Begin(t, user, "install", "-n", namespace, "--timeout", forEver)
	running.Says(t, "waiting for the ACK controller")
	line.set(true)
	running.Says(t, "does not answer, trying again")
	bed.ACK.Resume()
	run.Eventually(t, "bucket", func(ctx context.Context) error {
		live, err := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace).Get(ctx, namespace+"-bucket", metav1.GetOptions{})
		if err == nil && !strings.Contains(world.InJSON(live.Object), "Resource synced successfully") {
			err = errors.New("not synced")
		}
		return err
	})
	line.set(false)
	running.Ends(t).WantCode(t, done).WantTalk(t, "synced")
	wantHealthy(t, bed, namespace)
}

// TestTwoAtOnce: two runs in one namespace help each other to one install.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, namespace := range []string{"twice-one", "twice-two"} {
		t.Run(namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, namespace)
			first := run.Begin(t, run.Admin(bed), "install", "-n", namespace)
			second := run.Begin(t, run.Admin(bed), "install", "-n", namespace)
			first.Ends(t).WantCode(t, done)
			second.Ends(t).WantCode(t, done)
			wantHealthy(t, bed, namespace)
		})
	}
}

// TestServerRestarts: the API server itself is stopped and started again while
// an install waits for the bucket, and while an uninstall waits for a pod. Both
// say so, and see what happens after it.
func TestServerRestarts(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.Kubernetes})
	const namespace = "server-restarts"
	world.NewNamespace(t, bed, namespace)
	admin := run.Admin(bed)
	restart := func(running *run.Running) {
		t.Helper()
		err := bed.RestartAPIServer(t.Context(), func() error {
			running.Says(t, "does not answer, trying again")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	bed.ACK.Pause()
	running := run.Begin(t, admin, "install", "-n", namespace, "--timeout", forEver)
	running.Says(t, "waiting for the ACK controller")
	restart(running)
	running.Says(t, "answers again")
	bed.ACK.Resume()
	running.Ends(t).WantCode(t, done).WantTalk(t, "synced")
	wantHealthy(t, bed, namespace)

	_, letGo := holdPod(t, bed, namespace)
	running = run.Begin(t, admin, "uninstall", "-n", namespace, "--timeout", forEver)
	running.Says(t, "waiting for 1 pod to end")
	restart(running)
	letGo()
	running.Ends(t).WantCode(t, done)
	wantGone(t, bed, namespace)
}
