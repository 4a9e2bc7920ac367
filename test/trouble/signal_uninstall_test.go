package trouble_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// reached waits until the place was met.
func (s *spoilt) reached(t *testing.T) {
	t.Helper()
	run.Eventually(t, "the request to "+string(s.place), func(context.Context) error {
		if s.times() == 0 {
			return errors.New("it did not come")
		}
		return nil
	})
}

// holdPod keeps one pod of the frontend, whose name it gives, from ending until
// it is let go.
func holdPod(t *testing.T, bed *testbed.Bed, namespace string) (name string, letGo func()) {
	t.Helper()
	pods := bed.Client.CoreV1().Pods(namespace)
	list, err := pods.List(t.Context(), metav1.ListOptions{LabelSelector: "app=ostoy-frontend"})
	if err != nil || len(list.Items) == 0 {
		t.Fatalf("%v, %v", list, err)
	}
	name = list.Items[0].Name
	finalizers := func(text string) {
		t.Helper()
		patch := []byte(`{"metadata":{"finalizers":` + text + `}}`)
		if _, err := pods.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	finalizers(`["example.com/held"]`)
	return name, func() { t.Helper(); finalizers("null") }
}

// TestInterruptedUninstall: Ctrl-C while it waits for pods, while it empties
// the bucket, and while the role goes. Each time it says what is gone already
// and that another run continues; the last one ends well.
func TestInterruptedUninstall(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "signal-uninstall"
	world.NewNamespace(t, bed, namespace)
	run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, done)
	fill(t, bed, namespace, 1200)
	_, letGo := holdPod(t, bed, namespace)
	user := spoil(t, run.Admin(bed))
	begin := func() *run.Running {
		t.Helper()
		return run.Begin(t, user.User, "uninstall", "-n", namespace, "--delete-data", "--yes", "--timeout", forEver)
	}
	const again = "run the same command again: it continues where this one stopped"

	running := begin()
	running.Says(t, "waiting for 1 pod to end")
	running.Send(t, os.Interrupt)
	wantMessages(t, running.Ends(t), interrupted, message{"interrupted", "removed so far: 2 Deployments", again})
	letGo()

	user.atSecond("s3:POST /signal-uninstall-bucket delete", never)
	running = begin()
	user.reached(t)
	running.Says(t, "emptying: 1000 deleted")
	running.Send(t, syscall.SIGTERM)
	wantMessages(t, running.Ends(t), interrupted, message{"interrupted", "removed so far: … 1000 versions in bucket signal-uninstall-bucket", again})

	user.at("iam:DeleteRole", never)
	running = begin()
	user.reached(t)
	running.Send(t, os.Interrupt)
	wantMessages(t, running.Ends(t), interrupted, message{"interrupted", "removed so far: … bucket signal-uninstall-bucket", again})

	user.at("", nil)
	begin().Ends(t).WantCode(t, done)
	for key := range world.Look(t, bed, namespace) {
		if strings.HasPrefix(key, "role/") || strings.HasPrefix(key, "bucket/") || strings.HasPrefix(key, "persistentvolumeclaims/") || strings.HasPrefix(key, "configmaps/ostoy") {
			t.Errorf("%s is left", key)
		}
	}
}

// fill puts objects into the bucket of a namespace.
func fill(t *testing.T, bed *testbed.Bed, namespace string, objects int) {
	t.Helper()
	for n := range objects {
		_, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{
			Bucket: aws.String(namespace + "-bucket"), Key: aws.String(fmt.Sprintf("%04d.txt", n)), Body: strings.NewReader("data"),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestInterruptedInPlugin: a credential plugin of the kubeconfig that hangs and
// does not heed signals holds up the run itself: Ctrl-C and --timeout end it all
// the same, and a second Ctrl-C in any case.
func TestInterruptedInPlugin(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, command := range []string{"install", "uninstall"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			user := run.User{Bed: bed, Name: "plugged", Kubeconfig: hangingPlugin(t)}
			running := run.Begin(t, user, command, "-n", "signal-plugin", "--timeout", forEver)
			began(t, user.Kubeconfig)
			running.Send(t, os.Interrupt)
			running.Send(t, os.Interrupt)
			running.Ends(t).WantCode(t, interrupted)

			running = run.Begin(t, user, command, "-n", "signal-plugin", "--timeout", forEver)
			began(t, user.Kubeconfig)
			running.Send(t, os.Interrupt)
			wantMessages(t, running.Ends(t), interrupted, message{"interrupted", "nothing was", "run the same command again"})

			result := user.Run(t, command, "-n", "signal-plugin", "--timeout", "3s")
			// several requests wait for the plugin: any of them may be the one that is told
			wantMessages(t, result, failed, message{"not done within --timeout 3s", "nothing was", "run the same command again"})
			if told := result.Stderr; !strings.Contains(told, "no answer in time to GET") && !strings.Contains(told, "it was waiting for") {
				t.Errorf("what it waited for is not told\n%s", result)
			}
		})
	}
}

// hangingPlugin writes a kubeconfig whose credential plugin does not end before
// the test does.
func hangingPlugin(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script, stop := dir+"/plugin", dir+"/stop"
	text := fmt.Sprintf("#!/bin/sh\ntrap '' INT TERM\necho > %s/began\nexec >&- 2>&- <&-\nwhile [ ! -e %s ] && [ -d %s ]; do sleep 0.2; done\n", dir, stop, dir)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.WriteFile(stop, nil, 0o600) })
	kubeconfig := dir + "/kubeconfig"
	text = fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: away, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: me, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: %s, interactiveMode: Never}}}]
contexts: [{name: away, context: {cluster: away, user: me}}]
current-context: away
`, script)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig
}

// began waits until the plugin of a kubeconfig runs.
func began(t *testing.T, kubeconfig string) {
	t.Helper()
	mark := strings.TrimSuffix(kubeconfig, "kubeconfig") + "began"
	run.Eventually(t, "the plugin", func(context.Context) error { return os.Remove(mark) })
}
