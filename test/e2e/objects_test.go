package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// The kinds that tests look at.
var (
	configMaps      = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	secrets         = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	services        = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	claims          = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	networkPolicies = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}
	ingresses       = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"}
	roleBindings    = schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"}
	routes          = schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"}
	buckets         = ack.Resource()
)

// madeByTheCluster are names that appear by themselves some time after a
// namespace was made.
var madeByTheCluster = []string{"kube-root-ca.crt", "default"}

// liveObject is an object that must be there.
func liveObject(t *testing.T, bed *testbed.Bed, kind schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	object, err := bed.Dynamic.Resource(kind).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func wantGone(t *testing.T, bed *testbed.Bed, kind schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	if _, err := bed.Dynamic.Resource(kind).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("%s %s is there: %v", kind.Resource, name, err)
	}
}

// field is the text at a path of an object, as in "spec.name"; a missing one
// is "".
func field(t *testing.T, object *unstructured.Unstructured, path ...string) string {
	t.Helper()
	value, _, err := unstructured.NestedFieldNoCopy(object.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := value.(string); ok || value == nil {
		return text
	}
	return strings.TrimSpace(toYAML(t, value))
}

func toYAML(t *testing.T, value any) string {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// objectsIn is everything in a namespace that a user could have made.
func objectsIn(t *testing.T, bed *testbed.Bed, namespace string) []*unstructured.Unstructured {
	t.Helper()
	kinds := []schema.GroupVersionResource{
		configMaps, secrets, services, serviceAccounts, claims, deployments, ingresses, networkPolicies, roleBindings, buckets,
	}
	if bed.Platform.OpenShift() {
		kinds = append(kinds, routes)
	}
	var all []*unstructured.Unstructured
	for _, kind := range kinds {
		list, err := bed.Dynamic.Resource(kind).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			if !slices.Contains(madeByTheCluster, item.GetName()) {
				all = append(all, item.DeepCopy())
			}
		}
	}
	return all
}

// dump is objectsIn and the namespace itself, all of it but what controllers
// write, and when: status, and the owners of status.
func dump(t *testing.T, bed *testbed.Bed, namespace string) string {
	t.Helper()
	object, err := bed.Client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ""
	} else if err != nil {
		t.Fatal(err)
	}
	all := []any{object.Labels, object.Annotations}
	for _, object := range objectsIn(t, bed, namespace) {
		delete(object.Object, "status")
		object.SetResourceVersion("")
		object.SetManagedFields(slices.DeleteFunc(object.GetManagedFields(), func(owner metav1.ManagedFieldsEntry) bool {
			return owner.Subresource == "status" || owner.Manager == "kube-controller-manager"
		}))
		annotations := object.GetAnnotations()
		delete(annotations, "deployment.kubernetes.io/revision") // the controller manager counts, in its own time
		object.SetAnnotations(annotations)
		all = append(all, object.Object)
	}
	return toYAML(t, all)
}

// specs are the parts of the objects that manifests state, the inventory left
// out.
func specs(t *testing.T, bed *testbed.Bed, namespace string) string {
	t.Helper()
	var all []any
	for _, object := range objectsIn(t, bed, namespace) {
		if object.GetName() == "ostoy-s3" {
			continue
		}
		annotations := object.GetAnnotations()
		delete(annotations, "deployment.kubernetes.io/revision")
		for _, given := range []string{"clusterIP", "clusterIPs", "volumeName"} {
			unstructured.RemoveNestedField(object.Object, "spec", given)
		}
		all = append(all, object.GetKind(), object.GetName(), object.GetLabels(), annotations, object.Object["spec"], object.Object["data"])
	}
	return toYAML(t, all)
}

func wantSame(t *testing.T, before, after string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(before, "\n"), strings.Split(after, "\n")); diff != "" {
		t.Errorf("objects changed\n%s", diff)
	}
}

// frontendPod is the one pod of the frontend that is not on its way out.
func frontendPod(t *testing.T, bed *testbed.Bed, namespace string) corev1.Pod {
	t.Helper()
	list, err := bed.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=ostoy-frontend"})
	if err != nil {
		t.Fatal(err)
	}
	living := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	if len(living) != 1 {
		t.Fatalf("%d frontend pods", len(living))
	}
	return living[0]
}

// envOf is the environment that is written into a container.
func envOf(container corev1.Container) map[string]string {
	env := map[string]string{}
	for _, variable := range container.Env {
		env[variable.Name] = variable.Value
	}
	return env
}
