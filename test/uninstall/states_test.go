package uninstall

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testRemovedByHand: bucket and role are gone already.
func testRemovedByHand(t *testing.T, bed *testbed.Bed) {
	const namespace = "half-gone"
	admin := installed(t, bed, namespace)
	deleteRole(t, bed, roleName(bed, namespace))
	_, err := bed.S3().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: aws.String(namespace + "-bucket")})
	orders(t, err)
	uninstall(t, admin, 0, namespace).WantNoTalk(t, "role "+roleName(bed, namespace))
	wantLeft(t, bed, namespace, pvc)
}

func deleteRole(t *testing.T, bed *testbed.Bed, name string) {
	t.Helper()
	_, err := bed.IAM().DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("ostoy-s3")})
	orders(t, err)
	_, err = bed.IAM().DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &name})
	orders(t, err)
}

// testTerminating: the project hangs, because its Bucket would be deleted and is
// not empty. It is released, and the data stays.
func testTerminating(t *testing.T, bed *testbed.Bed) {
	const namespace = "hanging"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	patch(t, bed, ack.Resource(), namespace, namespace+"-bucket", `{"metadata":{"annotations":{"services.k8s.aws/deletion-policy":"delete"}}}`)
	remove(t, bed, namespaces(), "", namespace)
	eventually(t, "the Bucket complains", func(ctx context.Context) error {
		object, err := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace).Get(ctx, namespace+"-bucket", metav1.GetOptions{})
		if err == nil && object.GetDeletionTimestamp() == nil {
			err = errors.New("it is not being deleted")
		}
		return err
	})
	uninstall(t, admin, 0, namespace).WantTalk(t, "hanging-bucket", "1 object", "--delete-data")
	eventually(t, "the project is gone", func(ctx context.Context) error { return projectGone(ctx, bed, namespace) })
	wantLeft(t, bed, namespace, full(namespace, 1))
	uninstall(t, admin, 0, namespace, "--delete-data", "--adopt=bucket", "-y")
	wantLeft(t, bed, namespace)
}

func projectGone(ctx context.Context, bed *testbed.Bed, name string) error {
	_, err := bed.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return errors.New("it is there")
}

// testPolicyChanged: somebody set the policy to delete, and put the object into
// another region than its bucket. The data stays all the same.
func testPolicyChanged(t *testing.T, bed *testbed.Bed) {
	const namespace = "policy-changed"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	patch(t, bed, ack.Resource(), namespace, namespace+"-bucket",
		`{"metadata":{"annotations":{"services.k8s.aws/deletion-policy":"delete","services.k8s.aws/region":"eu-west-1"}}}`)
	uninstall(t, admin, 0, namespace).WantTalk(t, "1 object")
	wantLeft(t, bed, namespace, pvc, full(namespace, 1))
}

// testForeignPolicies: what others put on the role is named; without leave
// nothing at all is touched.
func testForeignPolicies(t *testing.T, bed *testbed.Bed) {
	const namespace = "shared-role"
	admin := installed(t, bed, namespace)
	policy := makePolicy(t, bed, "policy-on-shared-role")
	name := roleName(bed, namespace)
	_, err := bed.IAM().AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: &policy})
	orders(t, err)
	before := left(t, bed, namespace)
	uninstall(t, admin, 4, namespace).WantTalk(t, policy, "--adopt=role")
	wantLeft(t, bed, namespace, before...)
	uninstall(t, admin, 0, namespace, "--adopt=role")
	wantLeft(t, bed, namespace, pvc)
	_, err = bed.IAM().GetPolicy(t.Context(), &iam.GetPolicyInput{PolicyArn: &policy})
	orders(t, err) // the policy itself is somebody's
}

func makePolicy(t *testing.T, bed *testbed.Bed, name string) string {
	t.Helper()
	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	made, err := bed.IAM().CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(document)})
	orders(t, err)
	return *made.Policy.Arn
}

// testRoleOptions: no flag of install is needed again.
func testRoleOptions(t *testing.T, bed *testbed.Bed) {
	const namespace = "odd-role"
	policy := makePolicy(t, bed, "policy-of-odd-role")
	admin := installed(t, bed, namespace, "--role-name", "an-odd-role", "--role-path", "/team/a/", "--policy-arn", policy)
	uninstall(t, admin, 0, namespace).WantTalk(t, "role an-odd-role")
	wantLeft(t, bed, namespace, pvc)
	// Without an inventory, the service account names the role.
	admin.Run(t, "install", "-n", namespace, "--role-name", "an-odd-role", "--role-path", "/team/a/", "--policy-arn", policy).WantCode(t, 0)
	remove(t, bed, configMaps(), namespace, "ostoy-s3")
	uninstall(t, admin, 0, namespace).WantTalk(t, "role an-odd-role")
	if names := roles(t, bed, namespace); len(names) > 0 {
		t.Errorf("there is %v", names)
	}
}

// testRoleOnly: the cluster does not answer, and only the role is to go. That it
// is this cluster's cannot be known: somebody has to say so.
func testRoleOnly(t *testing.T, bed *testbed.Bed) {
	const namespace = "role-alone"
	user := installed(t, bed, namespace)
	before := left(t, bed, namespace)
	user.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	orders(t, os.WriteFile(user.Kubeconfig, []byte(`apiVersion: v1
kind: Config
clusters: [{name: away, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: me, user: {token: abc}}]
contexts: [{name: away, context: {cluster: away, user: me}}]
current-context: away
`), 0o600))
	uninstall(t, user, 2, namespace, "--role-only").WantTalk(t, roleName(bed, namespace), bed.Issuer, "--yes")
	uninstall(t, user, 1, namespace).WantTalk(t, "127.0.0.1:1")
	wantLeft(t, bed, namespace, before...)
	uninstall(t, user, 0, namespace, "--role-only", "--yes").WantTalk(t, "role "+roleName(bed, namespace))
	if names := roles(t, bed, namespace); len(names) > 0 {
		t.Errorf("there is %v", names)
	}
	if now := left(t, bed, namespace); len(now) != len(before)-1 {
		t.Errorf("there is %v, and there was %v", now, before)
	}
	// With the issuer it is known, and nobody is asked; no kubeconfig is needed.
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0)
	user.Kubeconfig = filepath.Join(t.TempDir(), "none")
	uninstall(t, user, 0, namespace, "--role-only", "--oidc-issuer", bed.Issuer).WantTalk(t, "role "+roleName(bed, namespace))
	uninstall(t, user, 0, namespace, "--role-only", "--oidc-issuer", bed.Issuer).WantTalk(t, "nothing to remove")
}

// testProjectGone: the project was deleted by hand; role and bucket are still
// there. Who cannot see whether it is there has to say so.
func testProjectGone(t *testing.T, bed *testbed.Bed) {
	const namespace = "project-gone"
	learner := run.ProjectAdmin(t, bed, "admin-of-"+namespace)
	learner.Run(t, "install", "--new-project="+namespace).WantCode(t, 0)
	remove(t, bed, namespaces(), "", namespace)
	eventually(t, "the project is gone", func(ctx context.Context) error { return projectGone(ctx, bed, namespace) })
	wantLeft(t, bed, namespace, full(namespace, 0), "role/"+roleName(bed, namespace))
	uninstall(t, learner, 2, namespace, "--oidc-issuer", bed.Issuer).WantTalk(t, "does not exist, or you have no access to it", "--yes")
	uninstall(t, learner, 0, namespace, "--oidc-issuer", bed.Issuer, "--yes").WantTalk(t, "nothing says any more whether install made it", "uninstall -n "+namespace+" --adopt=bucket")
	wantLeft(t, bed, namespace, full(namespace, 0))
	uninstall(t, run.Admin(bed), 0, namespace, "--delete-data", "--adopt=bucket", "-y")
	wantLeft(t, bed, namespace)
}

func testNothingThere(t *testing.T, bed *testbed.Bed) {
	uninstall(t, run.Admin(bed), 2, "never-installed").WantStdout(t, "").WantTalk(t, "project never-installed does not exist").WantNoTalk(t, "nothing to remove", "--new-project")
	world.NewNamespace(t, bed, "never-installed")
	uninstall(t, run.Admin(bed), 0, "never-installed").WantStdout(t, "").WantTalk(t, "nothing to remove")
}

func testOtherRegion(t *testing.T, bed *testbed.Bed) {
	const namespace = "elsewhere"
	admin := installed(t, bed, namespace, "--region", "us-west-2")
	uninstall(t, admin, 0, namespace).WantTalk(t, "bucket elsewhere-bucket")
	wantLeft(t, bed, namespace, pvc)
}
