package testbed_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestClassic goes through all that a ROSA classic bed promises. One bed: it
// takes seconds and much memory.
func TestClassic(t *testing.T) {
	bed := start(t, testbed.Options{})
	for name, test := range map[string]func(*testing.T, *testbed.Bed){
		"app":             testApp,
		"project admin":   testProjectAdmin,
		"bucket":          testBucket,
		"bucket refusals": testBucketRefusals,
		"webhook":         testWebhook,
		"failing pods":    testFailingPods,
		"counts":          testCounts,
		"proxies":         testProxies,
		"installed":       testInstalled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, bed)
		})
	}
}

const bucketManifest = `apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: {name: NS-bucket, namespace: NS}
spec:
  name: NS-bucket
  publicAccessBlock: {blockPublicACLs: true, blockPublicPolicy: true, ignorePublicACLs: true, restrictPublicBuckets: true}
  encryption: {rules: [{applyServerSideEncryptionByDefault: {sseAlgorithm: AES256}, bucketKeyEnabled: false}]}
  ownershipControls: {rules: [{objectOwnership: BucketOwnerEnforced}]}
  tagging: {tagSet: [{key: app.kubernetes.io/managed-by, value: ostoy-s3}]}
`

const appManifest = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: ostoy-sa
  namespace: NS
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/NS"}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ostoy-pvc, namespace: NS}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ostoy-frontend, namespace: NS}
spec:
  selector: {matchLabels: {app: ostoy-frontend}}
  template:
    metadata: {labels: {app: ostoy-frontend}}
    spec:
      serviceAccountName: ostoy-sa
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      volumes: [{name: data, persistentVolumeClaim: {claimName: ostoy-pvc}}]
      initContainers: [&container {name: wait-for-bucket, image: ostoy, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]
      containers:
      - <<: *container
        name: ostoy-frontend
        ports: [{containerPort: 8080}]
        volumeMounts: [{name: data, mountPath: /var/demo_files}]
`

const routeManifest = `apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: ostoy-route, namespace: NS}
spec: {to: {kind: Service, name: ostoy-frontend-svc}}
`

// makeRole gives the app of a namespace its role, as the plugin would.
func makeRole(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	host := strings.TrimPrefix(bed.Issuer, "https://")
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::%s:oidc-provider/%s"},
"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"%[2]s:sub":"system:serviceaccount:%[3]s:ostoy-sa","%[2]s:aud":"sts.amazonaws.com"}}}]}`,
		testbed.Account, host, namespace)
	policy := strings.ReplaceAll(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::NS-bucket"},
{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::NS-bucket/*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}]}`, "NS", namespace)
	if _, err := bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &namespace, AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	_, err := bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &namespace, PolicyName: aws.String("bucket"), PolicyDocument: &policy})
	if err != nil {
		t.Fatal(err)
	}
}

// testApp: role, bucket, pod, volume, route, logs, and an upload through a
// port-forward with the pod's own identity.
func testApp(t *testing.T, bed *testbed.Bed) {
	const namespace = "app"
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	makeRole(t, bed, namespace)
	apply(t, bed, namespace, bucketManifest)
	eventually(t, "bucket", bucketCondition(bed, namespace, "Ready", "True"))
	apply(t, bed, namespace, appManifest+"---\n"+routeManifest)
	eventually(t, "deployment", func(ctx context.Context) error {
		deployment, err := bed.Client.AppsV1().Deployments(namespace).Get(ctx, "ostoy-frontend", metav1.GetOptions{})
		if err == nil && deployment.Status.AvailableReplicas != 1 {
			err = fmt.Errorf("status %+v", deployment.Status)
		}
		return err
	})
	eventually(t, "claim", func(ctx context.Context) error {
		claim, err := bed.Client.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, "ostoy-pvc", metav1.GetOptions{})
		if err == nil && claim.Status.Phase != corev1.ClaimBound {
			err = fmt.Errorf("phase %s", claim.Status.Phase)
		}
		return err
	})
	eventually(t, "route", func(ctx context.Context) error {
		route, err := bed.Dynamic.Resource(schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"}).
			Namespace(namespace).Get(ctx, "ostoy-route", metav1.GetOptions{})
		if err == nil && !strings.Contains(fmt.Sprint(route.Object["status"]), "Admitted") {
			err = fmt.Errorf("status %v", route.Object["status"])
		}
		return err
	})
	eventually(t, "log", func(ctx context.Context) error {
		text, err := kubectl(ctx, bed, bed.Kubeconfig, "logs", "-n", namespace, "deploy/ostoy-frontend")
		if err == nil && !strings.Contains(text, "Bucket accessible, enabling ACK feature.") {
			err = errors.New(text)
		}
		return err
	})
	testUpload(t, bed, namespace)
}

// testUpload writes and reads an object in OSToy's pages.
func testUpload(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	base := portForward(t, bed, namespace)
	if page := get(t, base+"/home"); !strings.Contains(page, `href="/ack"`) {
		t.Errorf("no link to the S3 page in %s", page)
	}
	form := url.Values{"filename": {"hello.txt"}, "content": {"hello from the pod"}}
	response, err := http.PostForm(base+"/s3upload", form)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if page := get(t, base+"/getFile?filename=hello.txt"); !strings.Contains(page, "hello from the pod") {
		t.Errorf("the upload did not arrive: %s", page)
	}
	object, err := bed.S3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(namespace + "-bucket"), Key: aws.String("hello.txt")})
	if err != nil {
		t.Fatal(err)
	}
	_ = object.Body.Close()
}

// portForward runs kubectl until the test ends and returns the base URL.
func portForward(t *testing.T, bed *testbed.Bed, namespace string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), bed.BinDir+"/kubectl", "port-forward", "-n", namespace, "deploy/ostoy-frontend", ":8080")
	cmd.Env = append(os.Environ(), bed.Env()...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line := make([]byte, 256)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	port := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindStringSubmatch(string(line[:n]))
	if port == nil {
		t.Fatalf("port-forward says %q", line[:n])
	}
	return "http://127.0.0.1:" + port[1]
}

func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// kubectl runs the bed's kubectl and returns its output.
func kubectl(ctx context.Context, bed *testbed.Bed, kubeconfig string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, bed.BinDir+"/kubectl", args...)
	cmd.Env = append(append(os.Environ(), bed.Env()...), "KUBECONFIG="+kubeconfig)
	text, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("kubectl %v: %w\n%s", args, err, text)
	}
	return string(text), err
}

// testBucket: life and end of a Bucket.
func testBucket(t *testing.T, bed *testbed.Bed) {
	const namespace = "bucket-life"
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	apply(t, bed, namespace, bucketManifest)
	eventually(t, "ready", bucketCondition(bed, namespace, "Ready", "True"))
	name := aws.String(namespace + "-bucket")
	tags, err := bed.S3().GetBucketTagging(t.Context(), &s3.GetBucketTaggingInput{Bucket: name})
	if err != nil || len(tags.TagSet) != 3 {
		t.Errorf("tags %v, %v", tags, err)
	}
	if _, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: name, Key: aws.String("k"), Body: strings.NewReader("v")}); err != nil {
		t.Fatal(err)
	}
	buckets := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace)
	if err := buckets.Delete(t.Context(), *name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "not empty", bucketCondition(bed, namespace, "ACK.Recoverable", "True"))
	eventually(t, "still ready", bucketCondition(bed, namespace, "Ready", "True"))
	if _, err := bed.S3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: name, Key: aws.String("k")}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "gone", func(ctx context.Context) error {
		_, err := buckets.Get(ctx, *name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("still there: %w", err)
	})
}
