package check

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// fromYAML is an object of project demo.
func fromYAML(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &object.Object); err != nil { // whole numbers stay whole
		t.Fatal(err)
	}
	object.SetNamespace("demo")
	return object
}

// wantSaid wants a status, and a part of what is said.
func wantSaid(t *testing.T, name string, f Finding, status Status, says string) {
	t.Helper()
	if f.Status != status || !strings.Contains(f.What+"\n"+f.Why+"\n"+f.Next, says) {
		t.Errorf("%s: %+v, want %s, saying %q", name, f, status, says)
	}
	if (f.Status == Failed || f.Status == Warned) && (f.What == "" || f.Why == "" || f.Next == "") {
		t.Errorf("%s: a part is missing: %+v", name, f)
	}
}

func demoBucket(t *testing.T, more string) *unstructured.Unstructured {
	object := fromYAML(t, more)
	object.SetAPIVersion(BucketAPI)
	object.SetKind("Bucket")
	object.SetName("demo-bucket")
	return object
}

func demoLook() bucketLook {
	return bucketLook{&live.World{Namespace: "demo", Facts: render.Facts{Namespace: render.Fact{Value: "demo"}}}}
}

func TestBucketPlace(t *testing.T) {
	for name, c := range map[string]struct {
		status, wanted, account, inS3 string
		want                          Status
		says                          string
	}{
		"where it is to be":     {`{region: us-east-2, ownerAccountID: "111111111111"}`, "us-east-2", "111111111111", "us-east-2", Passed, ""},
		"not made yet":          {`{}`, "us-east-2", "111111111111", "", Passed, ""},
		"nobody says where":     {`{region: us-east-2}`, "", "", "", Passed, ""},
		"another region":        {`{region: us-east-2, ownerAccountID: "111111111111"}`, "eu-west-1", "111111111111", "us-west-2", Failed, "--region us-west-2"},
		"nobody may ask S3":     {`{region: us-east-2}`, "eu-west-1", "", "", Failed, "--region REGION"},
		"another account":       {`{region: us-east-2, ownerAccountID: "222222222222"}`, "us-east-2", "111111111111", "us-east-2", Failed, "account 222222222222"},
		"our account not known": {`{region: us-east-2, ownerAccountID: "222222222222"}`, "us-east-2", "", "us-east-2", Passed, ""},
	} {
		object := demoBucket(t, "{status: {ackResourceMetadata: "+c.status+"}}")
		wantSaid(t, name, judgePlace(object, c.wanted, "it", c.account, installWhere(&live.World{Namespace: "demo"}, c.inS3)), c.want, c.says)
	}
}

// TestPlaceByHands: an app that ostoy-s3 does not manage gets no advice that is refused.
func TestPlaceByHands(t *testing.T) {
	object := demoBucket(t, "{status: {ackResourceMetadata: {region: us-east-2}}}")
	for says, hands := range map[string]live.Hands{
		"--region us-west-2 --adopt":       {Tutorial: true},
		"--region us-west-2 --force-owner": {Engine: "Argo CD"},
	} {
		w := &live.World{Namespace: "demo", Hands: hands}
		wantSaid(t, says, judgePlace(object, "eu-west-1", "it", "", installWhere(w, "us-west-2")), Failed, says)
	}
}

func TestBucketNotes(t *testing.T) {
	b := demoLook()
	note := func(text string) *unstructured.Unstructured {
		return demoBucket(t, "{metadata: {annotations: {"+text+"}}}")
	}
	wantSaid(t, "retain", b.retained(note("services.k8s.aws/deletion-policy: retain")), Passed, "")
	wantSaid(t, "delete", b.retained(note("services.k8s.aws/deletion-policy: delete")), Warned, "is delete")
	wantSaid(t, "nothing", b.retained(note("")), Warned, "no deletion policy")
	wantSaid(t, "misspelt", b.retained(note("services.k8s.aws/deletion-policy: Retain")), Warned, "does not know")
	wantSaid(t, "writable", writable(note(`services.k8s.aws/read-only: "false"`)), Passed, "")
	wantSaid(t, "read-only", writable(note(`services.k8s.aws/read-only: "true"`)), Warned, "read-only-")
	all := b.object(t.Context(), note(`services.k8s.aws/read-only: "true"`))
	for _, says := range []string{"is for the bucket", "is read-only", "no deletion policy", "read-only-"} {
		wantSaid(t, "everything", all, Failed, says)
	}
	wantSaid(t, "right name", b.named(t.Context(), demoBucket(t, "{spec: {name: demo-bucket}}")), Passed, "")
	wantSaid(t, "wrong name", b.named(t.Context(), demoBucket(t, "{spec: {name: other}}")), Failed, "no other")
}

func TestBucketUnstated(t *testing.T) {
	for text, want := range map[string]int{
		"{spec: {}}": 4,
		"{spec: {publicAccessBlock: {blockPublicACLs: true, blockPublicPolicy: true, ignorePublicACLs: true, restrictPublicBuckets: true}}}":  0,
		"{spec: {publicAccessBlock: {blockPublicACLs: true, blockPublicPolicy: false, ignorePublicACLs: true, restrictPublicBuckets: true}}}": 1,
		"{spec: {publicAccessBlock: {blockPublicACLs: true}}}":                                                                                3,
	} {
		if got := unstated(demoBucket(t, text)); len(got) != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestBucketSettings(t *testing.T) {
	sse := bucket.Encryption{Algorithm: "AES256"}
	wantSaid(t, "as made", judgeSettings("b", "x", sse, "BucketOwnerEnforced"), Passed, "")
	wantSaid(t, "not encrypted", judgeSettings("b", "x", bucket.Encryption{}, "BucketOwnerEnforced"), Warned, "no default encryption")
	wantSaid(t, "KMS", judgeSettings("b", "x", bucket.Encryption{Algorithm: "aws:kms"}, "BucketOwnerEnforced"), Warned, "kms:Decrypt")
	wantSaid(t, "ACLs", judgeSettings("b", "x", sse, "ObjectWriter"), Warned, "ObjectWriter")
	wantSaid(t, "no rule", judgeSettings("b", "x", sse, ""), Warned, "not set")
}

// TestNotReady: what is young is told as it is, what is old as what it then is.
func TestNotReady(t *testing.T) {
	state := health.State{Text: "now", After: time.Minute, Late: &health.State{Text: "too late", Hint: "mend it"}}
	object := demoBucket(t, "{}")
	object.SetCreationTimestamp(metav1.Now())
	wantSaid(t, "young", notReady("it", object, state), Failed, "now")
	wantSaid(t, "young", notReady("it", object, state), Failed, "check --wait")
	object.SetCreationTimestamp(metav1.NewTime(time.Now().Add(-time.Hour)))
	wantSaid(t, "old", notReady("it", object, state), Failed, "mend it")
	wantSaid(t, "ready", notReady("it", object, health.State{Ready: true}), Passed, "")
}
