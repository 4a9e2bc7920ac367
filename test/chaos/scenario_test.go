package chaos_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
)

// scenario is a command and what there is before it.
type scenario struct {
	name    string // part of namespaces, a few letters
	title   string
	prepare func(*testing.T, place)
	args    func(namespace string) []string
	learner bool // by an ordinary user, not by a cluster admin
}

// scenarios are all that runs are cut off in.
func scenarios() []scenario {
	return []scenario{
		{name: "first", title: "install", prepare: justANamespace, args: install},
		{name: "project", title: "install --new-project", prepare: nothing, args: inNewProject},
		{name: "learner", title: "the same as project admin", prepare: nothing, args: inNewProject, learner: true},
		{name: "repair", title: "install, to put right", prepare: damaged, args: install},
		{name: "empty", title: "uninstall", prepare: installed, args: uninstall},
		{name: "kept", title: "uninstall, data stays", prepare: withData, args: uninstall},
		{name: "data", title: "uninstall --delete-data", prepare: withData, args: func(n string) []string { return append(uninstall(n), "--delete-data", "--yes") }},
		{name: "whole", title: "uninstall --delete-namespace", prepare: installedInProject, args: allGone},
	}
}

func install(namespace string) []string { return []string{"install", "-n", namespace} }
func inNewProject(namespace string) []string {
	return []string{"install", "--new-project=" + namespace}
}
func uninstall(namespace string) []string { return []string{"uninstall", "-n", namespace} }
func allGone(namespace string) []string {
	return append(uninstall(namespace), "--delete-data", "--delete-namespace", "--yes")
}

func nothing(*testing.T, place) {}

func justANamespace(t *testing.T, p place) {
	t.Helper()
	world.NewNamespace(t, p.bed, p.namespace)
}

func installed(t *testing.T, p place) {
	t.Helper()
	justANamespace(t, p)
	p.must(t, install(p.namespace)...)
}

func installedInProject(t *testing.T, p place) {
	t.Helper()
	p.must(t, inNewProject(p.namespace)...)
}

// damaged is an install in which somebody has been at work, everywhere.
func damaged(t *testing.T, p place) {
	t.Helper()
	installed(t, p)
	ctx := t.Context()
	orders(t, p.bed.Client.CoreV1().Services(p.namespace).Delete(ctx, "ostoy-microservice-svc", metav1.DeleteOptions{}))
	_, err := p.bed.Client.CoreV1().ConfigMaps(p.namespace).Patch(ctx, "ostoy-configmap-files", types.MergePatchType,
		[]byte(`{"data":{"configmap.file":"edited"}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	orders(t, err)
	_, err = p.bed.Dynamic.Resource(ack.Resource()).Namespace(p.namespace).Patch(ctx, p.namespace+"-bucket", types.MergePatchType,
		[]byte(`{"spec":{"publicAccessBlock":{"blockPublicPolicy":false}}}`), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	orders(t, err)
	role := world.RoleName(p.bed.Issuer, p.namespace)
	policies, err := p.bed.IAM().ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &role})
	orders(t, err)
	_, err = p.bed.IAM().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: &policies.PolicyNames[0]})
	orders(t, err)
	_, err = p.bed.IAM().UntagRole(ctx, &iam.UntagRoleInput{RoleName: &role, TagKeys: []string{"ostoy-s3/cluster-id"}})
	orders(t, err)
}

// withData is an install whose bucket holds objects, older versions and a
// delete marker.
func withData(t *testing.T, p place) {
	t.Helper()
	installed(t, p)
	bucket := aws.String(p.namespace + "-bucket")
	_, err := p.bed.S3().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	orders(t, err)
	for _, key := range []string{"a.txt", "a.txt", "b/c.txt", "gone.txt", "ostoy-s3-verify/1"} {
		_, err := p.bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader("a line of " + key + "\n")})
		orders(t, err)
	}
	_, err = p.bed.S3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("gone.txt")})
	orders(t, err)
}

func orders(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must runs the tool undisturbed, to a good end.
func (p place) must(t *testing.T, args ...string) run.Result {
	t.Helper()
	return p.user.Run(t, args...).WantCode(t, 0)
}
