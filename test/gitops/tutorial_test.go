package gitops_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// fullAccess is what the tutorial attaches to its role.
const fullAccess = "arn:aws:iam::aws:policy/AmazonS3FullAccess"

// learner is the admin of the projects that byTutorial makes, and of nothing else.
const learner = "learner"

// byTutorial makes a project as the ROSA tutorial has a learner make it, by kubectl's
// client-side apply, and puts an object into the bucket. The role is the tutorial's but
// for its name, which is used once in an account, and whom else it lets in.
func byTutorial(t *testing.T, namespace, role string, others ...string) run.User {
	t.Helper()
	bed := run.TheBed(t)
	admin := run.Admin(bed)
	world.NewNamespace(t, bed, namespace, learner)
	arn := tutorialRole(t, bed, namespace, role, others...)
	apply := func(path string) { admin.Kubectl(t, "apply", "-n", namespace, "-f", path).WantCode(t, 0) }
	apply(absolute(t, "testdata/tutorial/frontend.yaml"))
	text, err := os.ReadFile("testdata/tutorial/bucket.yaml")
	must(t, err)
	filled := filepath.Join(t.TempDir(), "bucket.yaml")
	must(t, os.WriteFile(filled, []byte(strings.NewReplacer("NAMESPACE", namespace, "ROLE", arn).Replace(string(text))), 0o600))
	apply(filled)
	admin.Kubectl(t, "patch", "deploy", "ostoy-frontend", "-n", namespace, "--type=merge",
		"--patch", `{"spec": {"template": {"spec":{"serviceAccount":"ostoy-sa"}}}}`).WantCode(t, 0)
	apply(absolute(t, "testdata/tutorial/microservice.yaml"))
	bucket := namespace + "-bucket"
	run.Eventually(t, "bucket", func(ctx context.Context) error {
		_, err := bed.S3().PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("OSToy.txt"), Body: strings.NewReader("by hand")})
		return err
	})
	for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
		admin.Kubectl(t, "rollout", "status", "deployment/"+name, "-n", namespace).WantCode(t, 0)
	}
	admin.Kubectl(t, "wait", "--for=condition=ACK.ResourceSynced", "bucket.s3.services.k8s.aws/"+bucket, "-n", namespace).WantCode(t, 0)
	return admin
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	must(t, err)
	return path
}

// tutorialRole makes the tutorial's role: its trust has a subject and no audience.
func tutorialRole(t *testing.T, bed *testbed.Bed, namespace, name string, others ...string) string {
	t.Helper()
	subjects := `"system:serviceaccount:` + namespace + `:ostoy-sa"`
	if len(others) > 0 {
		subjects = "[" + subjects + `, "` + strings.Join(others, `", "`) + `"]`
	}
	host := strings.TrimPrefix(bed.Issuer, "https://")
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::%s:oidc-provider/%s"},`+
		`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"%s:sub":%s}}}]}`, testbed.Account, host, host, subjects)
	made, err := bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	must(t, err)
	_, err = bed.IAM().AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String(fullAccess)})
	must(t, err)
	return *made.Role.Arn
}

// roleText is a role with everything on it that matters, as one text.
func roleText(t *testing.T, bed *testbed.Bed, name string) string {
	t.Helper()
	role, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name})
	must(t, err)
	attached, err := bed.IAM().ListAttachedRolePolicies(t.Context(), &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	must(t, err)
	inline, err := bed.IAM().ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &name})
	must(t, err)
	text := []string{*role.Role.Arn, *role.Role.AssumeRolePolicyDocument}
	for _, p := range attached.AttachedPolicies {
		text = append(text, "attached "+*p.PolicyArn)
	}
	for _, p := range inline.PolicyNames {
		text = append(text, "inline "+p)
	}
	for _, tag := range role.Role.Tags {
		text = append(text, "tag "+*tag.Key+"="+*tag.Value)
	}
	return strings.Join(text, "\n")
}

// wantObject wants what the learner put into the bucket.
func wantObject(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	if _, err := bed.S3().HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(namespace + "-bucket"), Key: aws.String("OSToy.txt")}); err != nil {
		t.Error(errors.Join(errors.New("the learner's object is gone"), err))
	}
}
