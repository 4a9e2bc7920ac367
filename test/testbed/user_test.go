package testbed_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testProjectAdmin: what an ordinary user may and may not do.
func testProjectAdmin(t *testing.T, bed *testbed.Bed) {
	kubeconfig, err := bed.ProjectAdminKubeconfig("alice")
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	alice, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	request := func(name string) error {
		body := fmt.Sprintf(`{"apiVersion":"project.openshift.io/v1","kind":"ProjectRequest","metadata":{"name":%q,"labels":{"a":"b"}},"description":"made by a test"}`, name)
		return alice.CoreV1().RESTClient().Post().AbsPath("/apis/project.openshift.io/v1/projectrequests").
			SetHeader("Content-Type", "application/json").Body([]byte(body)).Do(t.Context()).Error()
	}
	if err := request("alices"); err != nil {
		t.Fatal(err)
	}
	if err := request("openshift-alices"); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `cannot request a project starting with "openshift-"`) {
		t.Errorf("a reserved name: %v", err)
	}
	if err := request("alices"); !apierrors.IsAlreadyExists(err) {
		t.Errorf("the same name again: %v", err)
	}
	eventually(t, "create a Bucket in the own project", func(ctx context.Context) error {
		body := strings.ReplaceAll(bucketManifest, "NS", "alices")
		return alice.CoreV1().RESTClient().Post().AbsPath("/apis/s3.services.k8s.aws/v1alpha1/namespaces/alices/buckets").
			SetHeader("Content-Type", "application/yaml").Body([]byte(body)).Do(ctx).Error()
	})
	namespace, err := bed.Client.CoreV1().Namespaces().Get(t.Context(), "alices", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if namespace.Labels["a"] != "" || namespace.Annotations["openshift.io/description"] != "made by a test" {
		t.Errorf("labels %v, annotations %v", namespace.Labels, namespace.Annotations)
	}
	checkReads(t, alice)
}

// checkReads asks for what OpenShift shows everybody, and for what it does not.
func checkReads(t *testing.T, alice kubernetes.Interface) {
	t.Helper()
	for path, allowed := range map[string]bool{
		"/apis/project.openshift.io/v1/projects":                                              true,
		"/apis/project.openshift.io/v1/projects/alices":                                       true,
		"/apis/rbac.authorization.k8s.io/v1/clusterroles/admin":                               true,
		"/apis/storage.k8s.io/v1/storageclasses":                                              true,
		"/version":                                                                            true,
		"/apis/config.openshift.io/v1/authentications/cluster":                                false,
		"/apis/config.openshift.io/v1/infrastructures/cluster":                                false,
		"/apis/config.openshift.io/v1/clusterversions/version":                                false,
		"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations":                 false,
		"/.well-known/openid-configuration":                                                   false,
		"/api/v1/namespaces/kube-system/pods":                                                 false,
		"/apis/project.openshift.io/v1/projects/kube-system":                                  false,
		"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/buckets.s3.services.k8s.aws": false,
	} {
		eventually(t, path, func(ctx context.Context) error {
			err := alice.CoreV1().RESTClient().Get().AbsPath(path).Do(ctx).Error()
			switch {
			case allowed:
				return err
			case !apierrors.IsForbidden(err):
				return fmt.Errorf("not forbidden: %v", err)
			}
			return nil
		})
	}
}
