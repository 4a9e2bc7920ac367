package trouble_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testControllerRefused: AWS or S3 tells the controller no, each in a way that
// never heals by waiting.
func testControllerRefused(t *testing.T, bed *testbed.Bed) {
	for _, c := range []struct {
		namespace string
		fault     testbed.Fault
		why, next string
	}{
		{"ack-taken", testbed.Fault{Action: "s3:CreateBucket", Code: "BucketAlreadyExists", Status: 409, Message: "The requested bucket name is not available."}, "the name belongs to another AWS account: BucketAlreadyExists", "oc ostoy-s3 install --new-project"},
		{"ack-name", testbed.Fault{Action: "s3:CreateBucket", Code: "InvalidBucketName", Status: 400, Message: "The specified bucket is not valid."}, "S3 does not accept the name: InvalidBucketName", "choose another project"},
		{"ack-denied", testbed.Fault{Action: "s3:CreateBucket", Code: "AccessDenied", Status: 403, Message: "Access Denied"}, "the ACK controller may not make s3:CreateBucket: AccessDenied", "give the role of the controller the permission"},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			world.NewNamespace(t, bed, c.namespace)
			c.fault.Principal = "controller"
			orderFault(t, bed, c.fault)
			wantHopeless(t, run.Admin(bed), c.namespace, "Bucket "+c.namespace+"-bucket", message{"Bucket " + c.namespace + "-bucket will not become ready", c.why, c.next})
		})
	}
}

// TestControllerGivesUp: a Bucket the controller calls Terminal, because it was
// made without leave to adopt. It looks at annotations at a change of the spec
// only, and there is none.
func TestControllerGivesUp(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "ack-terminal"
	world.NewNamespace(t, bed, namespace)
	makeBucket(t, bed.S3(), namespace, testbed.Region, ourTags(bed, namespace))
	admin := run.Admin(bed)
	object := bucketOf(t, admin.Run(t, "render", "-n", namespace).WantCode(t, done).Stdout)
	object.SetAnnotations(nil)
	buckets := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace)
	if _, err := buckets.Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	run.Eventually(t, "status", func(ctx context.Context) error {
		live, err := buckets.Get(ctx, object.GetName(), metav1.GetOptions{})
		if err == nil && !strings.Contains(world.InJSON(live.Object), "ACK.Terminal") {
			err = fmt.Errorf("not looked at yet")
		}
		return err
	})
	wantHopeless(t, admin, namespace, "Bucket "+namespace+"-bucket", message{
		"Bucket ack-terminal-bucket will not become ready", "the ACK controller has given up: Resource already exists",
		"oc delete buckets.s3.services.k8s.aws ack-terminal-bucket -n ack-terminal",
	}, "--force-conflicts")
}

// bucketOf picks the Bucket out of rendered manifests.
func bucketOf(t *testing.T, manifests string) *unstructured.Unstructured {
	t.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifests), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); err != nil {
			t.Fatalf("no Bucket: %v\n%s", err, manifests)
		}
		if object.GetKind() == "Bucket" {
			return object
		}
	}
}

// testControllerDown: nobody looks at the Bucket. The run says so and who to
// look for, and goes on when the controller is back.
func testControllerDown(t *testing.T, bed *testbed.Bed) {
	const namespace = "ack-down"
	world.NewNamespace(t, bed, namespace)
	bed.ACK.Pause()
	defer bed.ACK.Resume()
	running := run.Begin(t, run.Admin(bed), "install", "-n", namespace, "--timeout", forEver)
	running.Says(t, "the ACK S3 controller is not running")
	bucket, err := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace).Get(t.Context(), namespace+"-bucket", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if status, found, _ := unstructured.NestedMap(bucket.Object, "status"); found {
		t.Errorf("there is a status: %v", status)
	}
	bed.ACK.Resume()
	running.Ends(t).WantCode(t, done).WantTalk(t, "oc ostoy-s3 controller status")
}

// testControllerLosesStatus: S3 has everything, and the controller never writes
// so. The run says so without waiting for its timeout, and what it advises helps.
func testControllerLosesStatus(t *testing.T, bed *testbed.Bed) {
	const namespace = "ack-unfinished"
	world.NewNamespace(t, bed, namespace)
	bed.ACK.LoseStatus(namespace)
	admin := run.Admin(bed)
	result := admin.Run(t, "install", "-n", namespace, "--timeout", forEver)
	wantMessages(t, result, notReady, message{
		"Bucket ack-unfinished-bucket will not become ready", "S3 has the bucket with the settings of the Bucket resource",
		"oc rollout restart deployment/",
	})
	result.WantNoTalk(t, "oc describe")
	for _, command := range []string{"check", "status"} {
		answer := admin.Run(t, command, "-n", namespace)
		if all := answer.Stdout + answer.Stderr; !strings.Contains(all, "S3 has the bucket") || !strings.Contains(all, "oc rollout restart deployment/") {
			t.Errorf("%s: %s", command, answer)
		}
	}
	_, restart, _ := strings.Cut(result.Stderr, "oc rollout restart ")
	restart, _, _ = strings.Cut(restart, ";")
	admin.Kubectl(t, append([]string{"rollout", "restart"}, strings.Fields(restart)...)...).WantCode(t, done)
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	wantHealthy(t, bed, namespace)
}

// testTimeout: not ready in time is exit 3 like never ready, one document, and
// the way on.
func testTimeout(t *testing.T, bed *testbed.Bed) {
	const namespace = "ack-late"
	world.NewNamespace(t, bed, namespace)
	bed.ACK.Pause()
	defer bed.ACK.Resume()
	admin := run.Admin(bed)
	result := admin.Run(t, "install", "-n", namespace, "--timeout", "10s", "-o", "json")
	wantMessages(t, result, notReady, message{"Bucket ack-late-bucket is not ready after", "waiting for the ACK controller", "run the same command again"})
	var document struct {
		Ready  bool
		States []json.RawMessage
	}
	if result.JSON(t, &document); document.Ready || len(document.States) == 0 {
		t.Errorf("%+v\n%s", document, result)
	}
	bed.ACK.Resume()
	admin.Run(t, "install", "-n", namespace).WantCode(t, done)
	wantHealthy(t, bed, namespace)
}
