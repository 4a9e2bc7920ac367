package ack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/smithy-go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// condition is one entry of status.conditions.
type condition struct{ kind, status, reason, message string }

const (
	typeReady       = "Ready"
	typeSynced      = "ACK.ResourceSynced"
	typeTerminal    = "ACK.Terminal"
	typeRecoverable = "ACK.Recoverable"
	typeLate        = "ACK.LateInitialized"
)

func synced() []condition {
	const late, done = "Late initialization successful", "Resource synced successfully"
	return []condition{
		{typeLate, "True", late, late},
		{typeSynced, "True", "", done},
		{typeReady, "True", "", done},
	}
}

// created is the second between CreateBucket and the bucket's settings.
func created() []condition {
	const text = "bucket created, requeue for updates"
	return []condition{
		{typeSynced, "False", "", text},
		{typeRecoverable, "True", "", text},
		{typeReady, "False", typeRecoverable, text},
	}
}

// reconciling is what stays if the API server goes away while the bucket's last
// settings are made: they are, but the status that says so is never written.
func reconciling() []condition {
	const text = "Reconciling to sync additional fields"
	return []condition{
		{typeSynced, "False", "", text},
		{typeRecoverable, "True", "", text},
		{typeReady, "False", typeRecoverable, text},
	}
}

func recoverable(err error) []condition {
	only := recoverableOnly(err)
	const text = "Unable to determine if desired resource state matches latest observed state"
	return []condition{
		only,
		{typeSynced, "Unknown", err.Error(), text},
		{typeReady, "False", typeRecoverable, only.message},
	}
}

// recoverableOnly carries AWS's own words: "Code: text" for errors the SDK
// has a type for, "api error Code: text" for the others.
func recoverableOnly(err error) condition {
	message := err.Error()
	if api := smithy.APIError(nil); errors.As(err, &api) {
		message = api.Error()
	}
	return condition{typeRecoverable, "True", "", message}
}

// terminalError is what the controller never tries again.
type terminalError struct {
	reason, message string
	// alone: neither Ready nor ResourceSynced are written.
	alone bool
}

func (t *terminalError) Error() string { return t.message }

func (t *terminalError) conditions() []condition {
	terminal := condition{typeTerminal, "True", t.reason, t.message}
	if t.alone {
		return []condition{terminal}
	}
	return []condition{
		terminal,
		{typeSynced, "False", "", "Resource not synced"},
		{typeReady, "False", typeTerminal, t.message},
	}
}

// finally makes an error terminal whose code the controller never tries again (exceptions.
// terminal_codes in its generator.yaml).
func finally(err error) error {
	if api := smithy.APIError(nil); errors.As(err, &api) && slices.Contains([]string{
		"PermanentRedirect", "InvalidLocationConstraint", "MalformedXML", "IllegalLocationConstraintException", "InvalidNamespaceHeader", "MissingNamespaceHeader",
	}, api.ErrorCode()) {
		return &terminalError{message: api.Error()}
	}
	return err
}

func alreadyExists() error {
	return &terminalError{
		message: "Resource already exists",
		reason: "This resource already exists but is not managed by ACK. To bring the resource under ACK management," +
			" you should explicitly adopt the resource by enabling the ResourceAdoption feature gate and populating the" +
			" `services.k8s.aws/adoption-policy` and `services.k8s.aws/adoption-fields` annotations.",
	}
}

func unrecognized(policy string) error {
	return &terminalError{alone: true, message: fmt.Sprintf(
		`unrecognized adoption policy %s. Supported policies are "adopt" and "adopt-or-create"`, policy)}
}

func hasCode(err error, code string) bool {
	api := smithy.APIError(nil)
	return errors.As(err, &api) && api.ErrorCode() == code
}

// status writes the conditions. Each reconcile starts from none, except for a
// Recoverable added during deletion, which leaves the others standing.
func (b *bucket) status(ctx context.Context, conditions ...condition) error {
	old, _, _ := unstructured.NestedSlice(b.object.Object, "status", "conditions")
	var list []any
	if b.object.GetDeletionTimestamp() != nil {
		list = slices.DeleteFunc(slices.Clone(old), func(entry any) bool {
			fields, ok := entry.(map[string]any)
			return ok && fields["type"] == typeRecoverable
		})
	}
	for _, c := range conditions {
		list = append(list, c.entry(old))
	}
	b.metadata("ownerAccountID", b.config.Account)
	b.metadata("region", b.region)
	b.metadata("partition", "aws")
	if err := unstructured.SetNestedSlice(b.object.Object, list, "status", "conditions"); err != nil {
		return err
	}
	updated, err := b.client.UpdateStatus(ctx, b.object, metav1.UpdateOptions{FieldManager: "controller"})
	if err == nil {
		b.object = updated
	}
	return err
}

// entry keeps the time of the last transition when the status did not change.
func (c condition) entry(old []any) map[string]any {
	entry := map[string]any{
		"type": c.kind, "status": c.status, "message": c.message,
		"lastTransitionTime": time.Now().UTC().Format(time.RFC3339),
	}
	if c.reason != "" {
		entry["reason"] = c.reason
	}
	for _, before := range old {
		if fields, ok := before.(map[string]any); ok && fields["type"] == c.kind && fields["status"] == c.status {
			entry["lastTransitionTime"] = fields["lastTransitionTime"]
		}
	}
	return entry
}

// metadata sets a field of status.ackResourceMetadata. It cannot fail on an
// object the API server accepted.
func (b *bucket) metadata(field, value string) {
	_ = unstructured.SetNestedField(b.object.Object, value, "status", "ackResourceMetadata", field)
}

// located records what is known of a bucket that exists. The partition of the
// ARN is fixed in the real one, too.
func (b *bucket) located() {
	b.metadata("arn", "arn:aws:s3:::"+b.name)
	_ = unstructured.SetNestedField(b.object.Object, "/"+b.name, "status", "location")
}
