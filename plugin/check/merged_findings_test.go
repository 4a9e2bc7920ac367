package check

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// sceneOf is the good scene with what another one changes.
func sceneOf(t *testing.T, text string) scene {
	t.Helper()
	s := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	maps.Copy(s.documents, documentsOf(t, text))
	return s
}

// TestMergedFindings: what was a check of its own is in the finding of the one it is part
// of now.
func TestMergedFindings(t *testing.T) {
	good := sceneOf(t, "")
	played := newStage(t, good)
	findings := played.findings(t.Context(), good)
	wantFinding(t, findings[IDServiceAccount], Failed, "names another role than the install's")
	wantFinding(t, findings[IDPodIdentity], Failed, "pod ostoy-frontend-1 assumes")
	wantFinding(t, findings["bucket-settings"], Failed, "does not block public access", "takes requests without TLS", "has lost the tags")
	wantFinding(t, findings[IDBucketReach], Warned, "mallory/finance", "mallory/again as well")
	wantFinding(t, findings["drift"], Warned, "differs from what install makes")

	bad := sceneOf(t, badScene)
	findings = played.findings(t.Context(), bad)
	wantFinding(t, findings[IDServiceAccount], Failed, "that nothing reads", `audience "openshift"`, "opt-in")
	if said := findings[IDServiceAccount]; strings.Contains(said.What+said.Why, "another account") {
		t.Errorf("what your account is, aws-account judges: %+v", said)
	}
	wantFinding(t, findings[IDPodIdentity], Failed, "runs as service account other", "has AWS credentials that win over the role", "asks the global STS endpoint")
	wantFinding(t, findings[IDBucketObject], Failed, "is for the bucket", "is being deleted", "is read-only")
	if said := findings[IDBucketObject]; strings.Contains(said.What+said.Why, "us-west-2") || strings.Contains(said.What+said.Why, "outlive") {
		t.Errorf("that is of no interest any more: %+v", said)
	}
	wantFinding(t, findings[IDAppAvailable], Failed, "AccessDenied from GetObject")
	wantFinding(t, findings["app-strategy"], Warned, "RollingUpdate")
	wantFinding(t, bucketLook{played.world(bad)}.synced(t.Context(), demoBucket(t, `{metadata: {deletionTimestamp: "2026-01-01T00:00:00Z"}}`)), Skipped)
	wantFinding(t, bucketLook{played.world(bad)}.once(nil), Passed)

	narrow := goodPod()
	mode := int32(0o400)
	narrow.Spec.Volumes[0].Projected.DefaultMode = &mode
	wantFinding(t, podToken(t.Context(), identityLook{World: played.world(good)}, narrow), Failed, "assumes", "may not read its token")
}

// TestPlannedAtOnce: what differs and what is left over are told together.
func TestPlannedAtOnce(t *testing.T) {
	good := sceneOf(t, "")
	w := newStage(t, good).world(good)
	w.Planner = func(context.Context) (*apply.Plan, error) {
		plan := planSaying(good.said)
		plan.Left = []*apply.Item{{Ref: apply.Ref{Version: "v1", Kind: "Service", Name: "old"}, Action: apply.Delete}}
		return plan, nil
	}
	wantFinding(t, ownLook{w}.planned(t.Context()), Warned, "differs from what install makes", "left over from an earlier install")
}

// TestObjectsOfAWrongBucket: a Bucket that install could not change is reported by the
// check of the Bucket, if that one runs.
func TestObjectsOfAWrongBucket(t *testing.T) {
	bad := sceneOf(t, badScene)
	w := newStage(t, bad).world(bad)
	all := All(w, Sources{}, Target{Facts: w.Facts, Conn: w.Conn, Plan: func(context.Context) error { return errors.New("refused") }})
	for _, c := range []struct {
		ids  []string
		want Status
	}{{[]string{IDObjects, IDBucketObject}, Skipped}, {[]string{IDObjects}, Failed}} {
		for _, o := range Run(t.Context(), Only(all, c.ids...), nil) {
			if o.ID == IDObjects && o.Status != c.want {
				t.Errorf("%v: %+v, want %s", c.ids, o.Finding, c.want)
			}
		}
	}
}
