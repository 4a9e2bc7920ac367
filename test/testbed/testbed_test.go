package testbed_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// start starts a bed that ends with the test.
func start(t *testing.T, options testbed.Options) *testbed.Bed {
	t.Helper()
	options.Progress = t.Output()
	begin := time.Now()
	bed, err := testbed.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, bed) })
	t.Logf("started in %s", time.Since(begin))
	return bed
}

func stop(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	if err := bed.Stop(); err != nil {
		t.Error(err)
	}
}

// eventually waits for something that has to happen, with a limit for slow
// machines.
func eventually(t *testing.T, what string, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := testbed.Poll(ctx, 100*time.Millisecond, try); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// apply applies YAML in which NS stands for the namespace.
func apply(t *testing.T, bed *testbed.Bed, namespace, text string) {
	t.Helper()
	if err := bed.Apply(t.Context(), strings.ReplaceAll(text, "NS", namespace)); err != nil {
		t.Fatal(err)
	}
}

// condition wants a condition of a custom resource to have a status.
func condition(bed *testbed.Bed, resource schema.GroupVersionResource, namespace, name, kind, want string) func(context.Context) error {
	return func(ctx context.Context) error {
		object, err := bed.Dynamic.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		list, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
		if err != nil {
			return err
		}
		for _, entry := range list {
			if fields, ok := entry.(map[string]any); ok && fields["type"] == kind && fields["status"] == want {
				return nil
			}
		}
		return fmt.Errorf("%s %s: conditions %v", resource.Resource, name, list)
	}
}

func bucketCondition(bed *testbed.Bed, namespace, kind, want string) func(context.Context) error {
	return condition(bed, ack.Resource(), namespace, namespace+"-bucket", kind, want)
}

// TestStop looks for what a bed must not leave behind: files and listeners.
func TestStop(t *testing.T) {
	bed := start(t, testbed.Options{Platform: testbed.Kubernetes, NoACK: true})
	endpoints := []string{bed.AWSEndpoint, bed.Config.Host}
	stop(t, bed)
	if _, err := os.Stat(bed.Dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", bed.Dir, err)
	}
	for _, endpoint := range endpoints {
		address, err := url.Parse(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if connection, err := net.DialTimeout("tcp", address.Host, time.Second); err == nil {
			_ = connection.Close()
			t.Errorf("something still listens at %s", endpoint)
		}
	}
	if left := processesIn(t, bed.Dir); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

// processesIn lists processes that have the folder in their arguments, where
// the system shows processes as files.
func processesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		// Processes come and go while we look.
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), dir) {
			found = append(found, file)
		}
	}
	return found
}

func TestOptions(t *testing.T) {
	for _, options := range []testbed.Options{{Platform: "vax"}, {Issuer: "http://plain.example.com"}} {
		if bed, err := testbed.Start(t.Context(), options); err == nil {
			stop(t, bed)
			t.Errorf("%+v was accepted", options)
		}
	}
}

// TestInterrupt stops a start half-way.
func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	logs := t.TempDir()
	time.AfterFunc(2*time.Second, cancel)
	bed, err := testbed.Start(ctx, testbed.Options{LogDir: logs})
	if err == nil {
		stop(t, bed)
		t.Fatal("a start whose context ended succeeded")
	}
	if left := processesIn(t, logs); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}
