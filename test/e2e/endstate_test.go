package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// wantEndState looks at everything that must be there after an install from
// nothing; made says that the tool has made the namespace, too.
func wantEndState(t *testing.T, bed *testbed.Bed, namespace string, made bool) {
	t.Helper()
	role := roleARN(bed, namespace)
	account := liveObject(t, bed, serviceAccounts, namespace, "ostoy-sa")
	if have := account.GetAnnotations()["eks.amazonaws.com/role-arn"]; have != role {
		t.Errorf("ostoy-sa names the role %s, want %s", have, role)
	}
	clusterID := liveObject(t, bed, configMaps, namespace, "ostoy-s3").Object["data"].(map[string]any)["clusterID"]
	wantRole(t, bed, namespace, clusterID)
	wantBucket(t, bed, namespace, clusterID)
	wantFrontend(t, bed, namespace)
	wantMark(t, bed, namespace, made)
	wantInventory(t, bed, namespace, made)
}

// shortHash is the first 8 hexadecimal digits of the SHA-256 of a text.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

func roleName(bed *testbed.Bed, namespace string) string {
	return world.RoleName(bed.Issuer, namespace)
}

func roleARN(bed *testbed.Bed, namespace string) string {
	return "arn:aws:iam::" + testbed.Account + ":role/ostoy-s3/" + roleName(bed, namespace)
}

// ownership are the tags by which role and bucket are recognised.
func ownership(bed *testbed.Bed, namespace string, clusterID any) map[string]string {
	tags := map[string]string{
		"app.kubernetes.io/managed-by": "ostoy-s3",
		"ostoy-s3/issuer":              bed.Issuer,
		"ostoy-s3/namespace":           namespace,
	}
	if id, known := clusterID.(string); known {
		tags["ostoy-s3/cluster-id"] = id
	}
	return tags
}

// wantFrontend: the pod was born with service account and identity, as the
// first and only one of its Deployment.
func wantFrontend(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	pod := frontendPod(t, bed, namespace)
	if pod.Spec.ServiceAccountName != "ostoy-sa" {
		t.Errorf("the frontend runs as %s", pod.Spec.ServiceAccountName)
	}
	if pod.Status.Phase != corev1.PodRunning {
		t.Errorf("the frontend is %s", pod.Status.Phase)
	}
	env := envOf(pod.Spec.Containers[0])
	for name, want := range map[string]string{
		"AWS_ROLE_ARN": roleARN(bed, namespace), "AWS_REGION": testbed.Region, "AWS_STS_REGIONAL_ENDPOINTS": "regional",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
	} {
		if env[name] != want {
			t.Errorf("%s=%q in the frontend, want %q", name, env[name], want)
		}
	}
	if audience := tokenAudience(pod); audience != "sts.amazonaws.com" {
		t.Errorf("the frontend's token is for %q", audience)
	}
	if revision := liveObject(t, bed, deployments, namespace, "ostoy-frontend").GetAnnotations()["deployment.kubernetes.io/revision"]; revision != "1" {
		t.Errorf("the frontend was born without something: it is at revision %s", revision)
	}
}

// tokenAudience is the audience of the token for AWS that the pod carries.
func tokenAudience(pod corev1.Pod) string {
	for _, volume := range pod.Spec.Volumes {
		if volume.Name == "aws-iam-token" && volume.Projected != nil {
			return volume.Projected.Sources[0].ServiceAccountToken.Audience
		}
	}
	return ""
}

// wantMark: a namespace of ours says so in the one way its kind keeps, and one
// that was given says nothing.
func wantMark(t *testing.T, bed *testbed.Bed, namespace string, made bool) {
	t.Helper()
	object, err := bed.Client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	description, label := "", ""
	switch {
	case made && bed.Platform.OpenShift():
		description = "made by oc ostoy-s3 (" + shortHash(namespace) + ")"
	case made:
		label = "ostoy-s3"
	}
	if have := object.Annotations["openshift.io/description"]; have != description {
		t.Errorf("the project's description is %q, want %q", have, description)
	}
	if have := object.Labels["app.kubernetes.io/managed-by"]; have != label {
		t.Errorf("the namespace's managed-by label is %q, want %q", have, label)
	}
}

// wantInventory: the record names every object and where all came from.
func wantInventory(t *testing.T, bed *testbed.Bed, namespace string, made bool) {
	t.Helper()
	inventory, err := bed.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"account": testbed.Account, "partition": "aws", "region": testbed.Region, "issuer": bed.Issuer,
		"bucket": namespace + "-bucket", "bucketOrigin": "created", "namespaceOrigin": "existing",
		"roleARN": roleARN(bed, namespace),
	}
	if made {
		want["namespaceOrigin"] = "created"
	}
	for key, value := range want {
		if have := inventory.Data[key]; have != value {
			t.Errorf("inventory: %s is %q, want %q", key, have, value)
		}
	}
	objects := []string{
		"apps/v1 Deployment ostoy-frontend", "apps/v1 Deployment ostoy-microservice",
		"s3.services.k8s.aws/v1alpha1 Bucket " + namespace + "-bucket",
		"v1 ConfigMap ostoy-configmap-files", "v1 PersistentVolumeClaim ostoy-pvc", "v1 Secret ostoy-secret",
		"v1 Secret ostoy-secret-env", "v1 Service ostoy-frontend-svc", "v1 Service ostoy-microservice-svc", "v1 ServiceAccount ostoy-sa",
	}
	if bed.Platform.OpenShift() {
		objects = append(objects, "route.openshift.io/v1 Route ostoy-route",
			"networking.k8s.io/v1 NetworkPolicy ostoy-frontend", "networking.k8s.io/v1 NetworkPolicy ostoy-microservice")
	}
	have := slices.Sorted(slices.Values(strings.Split(strings.TrimSpace(inventory.Data["objects"]), "\n")))
	slices.Sort(objects)
	if !slices.Equal(have, objects) {
		t.Errorf("inventory lists %q, want %q", have, objects)
	}
	if extra := slices.DeleteFunc(slices.Sorted(maps.Keys(inventory.Data)), func(key string) bool {
		return want[key] != "" || slices.Contains([]string{"objects", "version", "clusterID", "values"}, key)
	}); len(extra) > 0 {
		t.Errorf("inventory has more: %v", extra)
	}
}
