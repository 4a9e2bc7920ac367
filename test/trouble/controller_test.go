package trouble_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
// never heals by waiting. Install ends, and check says the same.
func testControllerRefused(t *testing.T, bed *testbed.Bed) {
	takeBack(t, bed)
	const organization, administrator = "may not make … AccessDenied: a policy of the AWS organization forbids it: an explicit deny", "ask who administers the AWS organization to lift the deny of "
	for _, c := range []struct {
		namespace string
		fault     testbed.Fault
		why, next string
	}{
		{"ack-taken", testbed.Fault{Action: "s3:CreateBucket", Code: "BucketAlreadyExists", Status: 409, Message: "The requested bucket name is not available."}, "the name belongs to another AWS account: BucketAlreadyExists", "oc ostoy-s3 install --new-project"},
		{"ack-name", testbed.Fault{Action: "s3:CreateBucket", Code: "InvalidBucketName", Status: 400, Message: "The specified bucket is not valid."}, "S3 does not accept the name: InvalidBucketName", "choose another project"},
		{"ack-denied", testbed.Fault{Action: "s3:CreateBucket", Code: "AccessDenied", Status: 403, Message: "Access Denied"}, "the ACK controller may not make s3:CreateBucket: AccessDenied", "give the role of the controller the permission"},
		{"ack-tag", testbed.Fault{Action: "s3:PutBucketTagging", Code: "InvalidTag", Status: 400, Message: "The TagValue you have provided is invalid"}, "S3 does not accept a tag: InvalidTag: The TagValue you have provided is invalid", "correct the tags with --tags"},
		{
			"ack-state",
			testbed.Fault{Action: "s3:PutBucketPolicy", Code: "InvalidBucketState", Status: 409, Message: "The request is not valid for the current state of the bucket."},
			"the bucket has a state that does not allow this setting: InvalidBucketState", "change it in S3, or choose another project",
		},
		{"ack-policy", testbed.Fault{Action: "s3:PutBucketPolicy", Code: "MalformedPolicy", Status: 400, Message: "Policy has invalid resource"}, "S3 does not accept the policy of the bucket: MalformedPolicy", "correct the Bucket"},
		{"ack-quota", testbed.Fault{Action: "s3:CreateBucket", Code: "TooManyBuckets", Status: 400, Message: "You have attempted to create more buckets than allowed"}, "as many buckets as its quota allows: TooManyBuckets", "request a higher quota"},
		{"ack-field", testbed.Fault{Action: "s3:PutBucketPolicy", Code: "MalformedXML", Status: 400, Message: "The XML you provided was not well-formed"}, "the ACK controller has given up: api error MalformedXML", "correct the Bucket"},
		{"ack-scp-create", denied("controller", "s3:CreateBucket", "a service control policy"), organization, administrator + "s3:CreateBucket"},
		{"ack-scp-block", denied("controller", "s3:PutBucketPublicAccessBlock", "a service control policy"), organization, administrator + "s3:PutBucketPublicAccessBlock"},
		{"ack-boundary", denied("controller", "s3:PutBucketTagging", "a permissions boundary"), "the controller's permissions boundary forbids it", "the AWS administrator who owns the permissions boundary of the controller to lift the deny of s3:PutBucketTagging"},
		{"ack-resource", denied("controller", "s3:PutBucketPolicy", "a resource-based policy"), "the policy on the resource itself forbids it", "the owner of the resource to lift the deny of s3:PutBucketPolicy"},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, c.namespace)
			failController(t, bed, c.namespace, c.fault)
			admin, name := run.Admin(bed), "Bucket "+c.namespace+"-bucket"
			wantHopeless(t, admin, c.namespace, name, message{name + " will not become ready", c.why, c.next})
			wantFinding(t, admin.Run(t, "check", "-n", c.namespace, "-o", "json"), message{name + " is not ready", c.why, c.next})
		})
	}
}

// failController orders a fault for the controller's requests about the bucket of one
// namespace, until takeBack.
func failController(t *testing.T, bed *testbed.Bed, namespace string, fault testbed.Fault) {
	t.Helper()
	fault.Principal, fault.Resource = "controller", "arn:aws:s3:::"+namespace+"-bucket"
	if err := bed.AWS.Fail(t.Context(), fault); err != nil {
		t.Fatal(err)
	}
}

// denied is a refusal in the words in which AWS names the policy that denies a call.
func denied(caller, action, policy string) testbed.Fault {
	who := "arn:aws:sts::123456789012:assumed-role/" + caller + "/x"
	return testbed.Fault{
		Action: action, Code: "AccessDenied", Status: http.StatusForbidden,
		Message: "User: " + who + " is not authorized to perform: " + action + " on resource: \"arn:aws:s3:::x\" with an explicit deny in " + policy,
	}
}

// testControllerTriesAgain: what S3 answers for a while is shown and waited for.
func testControllerTriesAgain(t *testing.T, bed *testbed.Bed) {
	takeBack(t, bed)
	var waiting, ending []func()
	for _, c := range []struct {
		namespace string
		fault     testbed.Fault
		says      string
	}{
		{"ack-slow", testbed.Fault{Action: "s3:PutBucketTagging", Code: "SlowDown", Status: 503, Message: "Please reduce your request rate."}, "the ACK controller tries again: S3 limits the number of requests: api error SlowDown"},
		{"ack-aborted", testbed.Fault{Action: "s3:CreateBucket", Code: "OperationAborted", Status: 409, Message: "A conflicting conditional operation is currently in progress against this resource. Please try again."}, "the ACK controller tries again: another change of the bucket is under way"},
		{"ack-tomorrow", testbed.Fault{Action: "s3:PutBucketPolicy", Code: "CodeOfTomorrow", Status: 400, Message: "nobody knows"}, "the ACK controller tries again: api error CodeOfTomorrow: nobody knows"},
	} {
		world.NewNamespace(t, bed, c.namespace)
		failController(t, bed, c.namespace, c.fault)
		running := run.Begin(t, run.Admin(bed), "install", "-n", c.namespace, "--timeout", forEver)
		waiting = append(waiting, func() { running.Says(t, c.says) })
		ending = append(ending, func() { running.Ends(t).WantCode(t, done) })
	}
	for _, wait := range waiting {
		wait()
	}
	if err := bed.AWS.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, end := range ending {
		end()
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
