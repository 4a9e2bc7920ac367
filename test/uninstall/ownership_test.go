package uninstall

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testDeleteNamespace: a project of ours goes, if it is asked for and no data
// would go with it.
func testDeleteNamespace(t *testing.T, bed *testbed.Bed) {
	const namespace = "goes-whole"
	admin := installed(t, bed, namespace)
	uninstall(t, admin, 0, namespace, "--delete-namespace").WantTalk(t, "it holds volume ostoy-pvc, which is data", "--delete-data --delete-namespace")
	wantLeft(t, bed, namespace, pvc)
	uninstall(t, admin, 0, namespace, "--delete-data", "--delete-namespace", "-y").WantTalk(t, "project goes-whole")
	orders(t, projectGone(t.Context(), bed, namespace))
}

// testOthersInProject: one object of somebody else keeps the project.
func testOthersInProject(t *testing.T, bed *testbed.Bed) {
	const namespace = "shared-project"
	admin := installed(t, bed, namespace)
	secret(t, bed, namespace, "theirs")
	uninstall(t, admin, 0, namespace, "--delete-data", "--delete-namespace", "-y").
		WantTalk(t, "others have something in it: Secret theirs", "oc delete project shared-project")
	wantLeft(t, bed, namespace, "secrets/theirs")
	remove(t, bed, schema.GroupVersionResource{Version: "v1", Resource: "secrets"}, namespace, "theirs")
	uninstall(t, admin, 0, namespace, "--delete-namespace")
	orders(t, projectGone(t.Context(), bed, namespace))
}

func secret(t *testing.T, bed *testbed.Bed, namespace, name string) {
	t.Helper()
	_, err := bed.Client.CoreV1().Secrets(namespace).Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	orders(t, err)
}

// testProjectNotOurs: a project that was there before stays.
func testProjectNotOurs(t *testing.T, bed *testbed.Bed) {
	const namespace = "somebodys-project"
	orders(t, bed.NewNamespace(t.Context(), namespace))
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0)
	uninstall(t, admin, 0, namespace, "--delete-data", "--delete-namespace", "-y").WantTalk(t, "this tool did not make it")
	wantLeft(t, bed, namespace)
	if projectGone(t.Context(), bed, namespace) == nil {
		t.Error("the project is gone")
	}
}

// testGitOps: what Argo CD or Flux would bring back stops everything.
func testGitOps(t *testing.T, bed *testbed.Bed) {
	const namespace = "from-git"
	admin := installed(t, bed, namespace)
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	before := left(t, bed, namespace)
	for who, engine := range map[string]struct{ manager, mark string }{
		"Argo CD": {"argocd-controller", `"annotations":{"argocd.argoproj.io/tracking-id":"ostoy:apps/Deployment:x/ostoy-frontend"}`},
		"Flux":    {"kustomize-controller", `"labels":{"kustomize.toolkit.fluxcd.io/name":"ostoy"}`},
	} {
		patch(t, bed, deployments, namespace, "ostoy-frontend", `{"metadata":{"annotations":{"argocd.argoproj.io/tracking-id":null},"labels":{"kustomize.toolkit.fluxcd.io/name":null}}}`)
		_, err := bed.Dynamic.Resource(deployments).Namespace(namespace).Patch(t.Context(), "ostoy-frontend", types.ApplyPatchType,
			[]byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"ostoy-frontend",`+engine.mark+`}}`), metav1.PatchOptions{FieldManager: engine.manager})
		orders(t, err)
		uninstall(t, admin, 4, namespace).WantTalk(t, "Deployment ostoy-frontend", who, "oc ostoy-s3 render", "--force-owner")
		wantLeft(t, bed, namespace, before...)
	}
	uninstall(t, admin, 0, namespace, "--force-owner")
	wantLeft(t, bed, namespace, pvc)
}

// testNoInventory: field manager, role path and tags say what is ours.
func testNoInventory(t *testing.T, bed *testbed.Bed) {
	const namespace = "no-record"
	admin := installed(t, bed, namespace)
	remove(t, bed, configMaps(), namespace, "ostoy-s3")
	secret(t, bed, namespace, "theirs")
	uninstall(t, admin, 0, namespace)
	wantLeft(t, bed, namespace, pvc, "secrets/theirs")
}

// testCorruptInventory: whatever the record says, what is not ours is not
// touched, and what is ours goes.
func testCorruptInventory(t *testing.T, bed *testbed.Bed) {
	const namespace, other, role = "forged", "forged-beside", "an-admin-of-forged"
	admin := installed(t, bed, namespace)
	orders(t, bed.NewNamespace(t.Context(), other))
	secret(t, bed, namespace, "theirs")
	secret(t, bed, other, "theirs")
	_, err := bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(role), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
	orders(t, err)
	inventory := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{
		"roleARN": "arn:aws:iam::" + testbed.Account + ":role/" + role,
		"bucket":  other + "-bucket", "bucketOrigin": "created", "region": "mars-1", "issuer": "https://evil.example.com",
		"account": "somewhere", "clusterID": "x y", "policyARN": "arn:aws:iam::aws:policy/AdministratorAccess",
		"objects": strings.Join([]string{
			"v1 Secret theirs", "v1 Secret ../" + other + "/theirs", "v1 Secret " + other + "/theirs", "v1 Namespace " + other,
			"v1 Node worker-0", "rbac.authorization.k8s.io/v1 ClusterRole admin", "apps/v1 Deployment", "v1/v2/v3 x y",
		}, "\n"),
	}}}
	text, err := inventory.MarshalJSON()
	if err == nil || text == nil { // it has no kind, which MarshalJSON does not mind
		orders(t, err)
	}
	patch(t, bed, configMaps(), namespace, "ostoy-s3", string(text))
	uninstall(t, admin, 0, namespace, "--adopt=role").WantTalk(t, "Secret theirs", "it is not ours")
	wantLeft(t, bed, namespace, pvc, "secrets/theirs")
	if have := left(t, bed, other); !slices.Contains(have, "secrets/theirs") {
		t.Errorf("in another namespace there is %v", have)
	}
	_, err = bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(role)})
	orders(t, err)
	eventually(t, "nodes and ClusterRoles are there", func(ctx context.Context) error {
		_, err1 := bed.Client.CoreV1().Nodes().Get(ctx, "worker-0", metav1.GetOptions{})
		_, err2 := bed.Client.RbacV1().ClusterRoles().Get(ctx, "admin", metav1.GetOptions{})
		return errors.Join(err1, err2)
	})
}
