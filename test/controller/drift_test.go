package controller_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// widen has somebody change the policy of the role to every bucket.
func (s *scene) widen(t *testing.T) {
	t.Helper()
	role := s.roles(t.Context(), t)[0]
	text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*"}]}`
	_, err := s.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("ostoy-s3"), PolicyDocument: &text})
	must(t, err)
}

// TestF1WidenedPolicy: a policy of the role that somebody widened is shown and is not
// what the next run without a flag wants.
func TestF1WidenedPolicy(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t, "--bucket-pattern", "ostoy-*-bucket")
	const drift = "the policy ostoy-s3 of the controller's role has the bucket pattern *; the recorded bucket pattern is ostoy-*-bucket"
	s.widen(t)
	s.again(t, "--dry-run=client").WantCode(t, done).WantTalk(t, drift+" and is restored", "narrower than before: the pattern was *")
	t.Log(s.again(t).WantCode(t, done).WantTalk(t, drift+" and is restored"))
	if text := s.policy(t); !strings.Contains(text, "ostoy-*-bucket") {
		t.Errorf("not restored: %s", text)
	}
	s.again(t).WantCode(t, done).WantTalk(t, "nothing to change").WantNoTalk(t, "bucket pattern")

	// What you give counts, and is recorded also where the policy has it already.
	s.widen(t)
	s.again(t, "--bucket-pattern", "*").WantCode(t, done).WantTalk(t, "as --bucket-pattern says, it becomes *")
	s.again(t).WantCode(t, done).WantTalk(t, "nothing to change", "reaches every bucket of account").WantNoTalk(t, "is restored")

	// An inventory of an earlier version has no pattern.
	_, err := s.Client.CoreV1().ConfigMaps(namespace).Patch(t.Context(), "ostoy-s3-controller", types.JSONPatchType,
		[]byte(`[{"op":"remove","path":"/data/bucketPattern"}]`), metav1.PatchOptions{})
	must(t, err)
	const note = "the bucket pattern * is read from the policy ostoy-s3 of the role, because none is recorded"
	s.again(t).WantCode(t, done).WantTalk(t, note, "this pattern is recorded now")
	s.again(t).WantCode(t, done).WantNoTalk(t, note)
}
