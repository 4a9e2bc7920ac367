package controller_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestIdentityIsOnRecord: variables that somebody removed from the Subscription are
// restored, and not read as the other mode.
func TestIdentityIsOnRecord(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	config := func() string {
		found, _, err := unstructured.NestedMap(s.object(t, olm("subscriptions"), "ack-s3-controller").Object, "spec", "config")
		must(t, err)
		data, err := (&unstructured.Unstructured{Object: map[string]any{"kind": "x", "apiVersion": "v1", "config": found}}).MarshalJSON()
		must(t, err)
		return string(data)
	}
	whole := config()
	edit := func(resource, patch string) {
		s.Admin.Kubectl(t, "-n", namespace, "patch", resource, "--type=json", "-p", patch).WantCode(t, 0)
	}
	restored := func() {
		t.Helper()
		s.install(t, "--dry-run=server").WantTalk(t, "Subscription ack-s3-controller", "spec.config")
		s.install(t).WantTalk(t, "~ object    Subscription ack-s3-controller", "spec.config", "1 of 1 available, as ostoy-s3-controller/ack-s3-controller-")
		if now := config(); now != whole {
			t.Errorf("spec.config is\n%s\nwas\n%s", now, whole)
		}
		s.wantIdentity(t)
		s.install(t).WantTalk(t, "nothing to change")
	}
	const subscription, inventory = "subscriptions.operators.coreos.com/ack-s3-controller", "configmap/ostoy-s3-controller"
	edit(subscription, `[{"op":"remove","path":"/spec/config/env/0"}]`)
	restored()
	edit(subscription, `[{"op":"remove","path":"/spec/config"}]`)
	restored()
	// An inventory of an earlier version does not have it.
	edit(inventory, `[{"op":"remove","path":"/data/identity"}]`)
	edit(subscription, `[{"op":"remove","path":"/spec/config/env"}]`)
	restored()

	// The other mode is chosen, and then stays as well.
	s.install(t, "--identity", "annotation").WantTalk(t, "1 of 1 available")
	record, err := s.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "ostoy-s3-controller", metav1.GetOptions{})
	must(t, err)
	if record.Data["identity"] != "annotation" || strings.Contains(config(), "AWS_ROLE_ARN") {
		t.Errorf("%v, %s", record.Data, config())
	}
	s.install(t).WantTalk(t, "nothing to change")
}
