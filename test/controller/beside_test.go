package controller_test

import "testing"

// TestInstallBesideAnotherOperator: every Subscription of a namespace owns every
// InstallPlan there, which makes ours not somebody else's.
func TestInstallBesideAnotherOperator(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.NewNamespace(t.Context(), namespace))
	must(t, s.Apply(t.Context(), `apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-iam-controller, namespace: ack-system}
spec: {channel: alpha, name: ack-iam-controller, source: community-operators, sourceNamespace: openshift-marketplace}
`))
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "approved: it names ack-s3-controller.v1.13.0")
	owners := s.objects(t, olm("installplans"))[0].GetOwnerReferences()
	if len(owners) != 2 {
		t.Errorf("the plan is owned by %v", owners)
	}
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "nothing to change")
}

// TestInstallNotWaitedFor: the next run finishes it, and says so before and after.
func TestInstallNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--wait=false").WantCode(t, done)
	const plan = "1.13.0 by OLM, which an earlier run asked for"
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--dry-run=server").WantCode(t, done).WantTalk(t, plan).WantNoTalk(t, "nothing to change")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, plan, "approved").WantNoTalk(t, "nothing to change")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "nothing to change")
}
