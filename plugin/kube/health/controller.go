package health

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// MissingAction is the IAM action that the controller was refused, as far as its
// Bucket's conditions or its log tell: AWS may name it, else the SDK names the operation.
// "" if neither does.
func MissingAction(text string) string {
	if m := regexp.MustCompile(`(?i)not authorized to perform:?\s+((?:s3|sts|kms):[A-Za-z]{1,60})\b`).FindStringSubmatch(text); m != nil {
		return m[1]
	}
	// "operation error S3: CreateBucket, https response error ..."
	if m := regexp.MustCompile(`operation error S3: ([A-Za-z]+)(?:,|$)`).FindStringSubmatch(text); m != nil {
		return "s3:" + actionOf(m[1])
	}
	return ""
}

// actionOf is the action that allows an operation, where it is called otherwise
// (Service Authorization Reference, "Actions defined by Amazon S3"; the
// operations are those of hook.go in aws-controllers-k8s/s3-controller).
func actionOf(op string) string {
	switch op {
	case "ListBuckets":
		return "ListAllMyBuckets"
	case "HeadBucket":
		return "ListBucket"
	case "GetPublicAccessBlock":
		return "GetBucketPublicAccessBlock"
	case "PutPublicAccessBlock", "DeletePublicAccessBlock":
		return "PutBucketPublicAccessBlock"
	case "DeleteBucketOwnershipControls":
		return "PutBucketOwnershipControls"
	case "DeleteBucketTagging":
		return "PutBucketTagging"
	case "GetObjectLockConfiguration", "PutObjectLockConfiguration":
		return op[:3] + "BucketObjectLockConfiguration"
	case "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration":
		return op[:3] + "BucketNotification"
	}
	for _, of := range []string{"Accelerate", "Analytics", "Encryption", "IntelligentTiering", "Inventory", "Lifecycle", "Metrics", "Replication"} {
		if !strings.Contains(op, of) {
			continue
		}
		verb := "Get"
		if strings.HasPrefix(op, "Put") || strings.HasPrefix(op, "Delete") {
			verb = "Put"
		}
		return verb + of + "Configuration"
	}
	return op
}

// UnfinishedAfter is how long the controller's word that it is still at work on a
// Bucket is believed. It takes a few seconds, or writes an error. If it could not
// write its last status, because the API server restarted, the word stays until
// the controller's next resync, ten hours later (ACK runtime,
// pkg/config: reconcile-default-resync-seconds).
const UnfinishedAfter = 45 * time.Second

// Unfinished reports whether the controller's last word on a Bucket is that it is
// still at work.
func Unfinished(obj *unstructured.Unstructured) bool {
	if obj == nil || obj.GetDeletionTimestamp() != nil {
		return false
	}
	conds := Conditions(obj)
	terminal, _ := find(conds, "ACK.Terminal")
	recoverable, _ := find(conds, "ACK.Recoverable")
	synced, hasSynced := find(conds, "ACK.ResourceSynced")
	ready, hasReady := find(conds, "Ready")
	switch {
	case terminal.status == "True", len(conds) == 0:
		return false
	case recoverable.status == "True":
		return saysAtWork(recoverable.text())
	case hasReady && ready.status != "True" || !hasReady && hasSynced && synced.status != "True":
		return saysAtWork(ready.text()) || saysAtWork(synced.text())
	}
	return false
}

// saysAtWork knows the words by which the controller says that it will go on: it calls
// them recoverable, as it does errors (s3-controller, pkg/resource/bucket).
func saysAtWork(text string) bool {
	return strings.Contains(text, "Reconciling to sync additional fields") || strings.Contains(text, "requeue for updates")
}

// UnfinishedFor is for how long a Bucket's conditions have said so; 0 if that
// cannot be told.
func UnfinishedFor(obj *unstructured.Unstructured, now time.Time) time.Duration {
	var last time.Time
	for _, c := range Conditions(obj) {
		if at, err := time.Parse(time.RFC3339, c.changed); err == nil && at.After(last) {
			last = at
		}
	}
	if last.IsZero() {
		return 0
	}
	return now.Sub(last)
}

// stillAtWork is the State of an unfinished Bucket of which no more is known.
func stillAtWork(text string) State {
	late := State{
		Level: Warn, Text: "the ACK controller has not updated the Bucket's status for " + UnfinishedAfter.String() + ": " + text,
		Hint: "oc ostoy-s3 controller status names the controller; if the status does not change, restart it",
	}
	return State{Text: "being made by the ACK controller", Code: "unfinished: " + text, After: UnfinishedAfter, Late: &late}
}

// Stale is the State of an unfinished Bucket whose bucket S3 has, with all
// settings that the Bucket asks for. Restart is the command that restarts the
// controller, "" where it is not known.
func Stale(obj *unstructured.Unstructured, restart string) State {
	restart = cmp.Or(restart, "oc ostoy-s3 controller status names the ACK S3 controller: ask a cluster admin to restart its Deployment")
	recoverable, _ := find(Conditions(obj), "ACK.Recoverable")
	text := "S3 has the bucket with the settings of the Bucket resource, but the ACK controller never updated the Bucket's status"
	if recoverable.text() != "" {
		text += " (" + recoverable.text() + ")"
	}
	return Failing(State{
		Text: text + ": an update was lost, for example when the API server restarted",
		Hint: restart + "; then run the same command again",
		Lone: true,
	}).plainly()
}
