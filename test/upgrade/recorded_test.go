package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// The names in testdata, which an older version recorded.
const (
	project  = "upgraded"
	bucket   = project + "-bucket"
	roleName = project + "-ostoy-sa-e21ec6f2"
	roleARN  = "arn:aws:iam::" + testbed.Account + ":role/ostoy-s3/" + roleName
	manager  = "ostoy-s3" // the field manager of all versions
)

// The kinds that are looked at.
var (
	serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	configMaps      = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	claims          = schema.GroupVersionResource{Version: "v1", Resource: "persistentvolumeclaims"}
	pods            = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	replicaSets     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}
	policies        = schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}
	buckets         = schema.GroupVersionResource{Group: "s3.services.k8s.aws", Version: "v1alpha1", Resource: "buckets"}
)

// recorded installs what the older version left: the role, the objects with its
// field manager, and the inventory. It ends when the app runs. An object in the S3
// bucket shows later whether the bucket is still the same.
func recorded(t *testing.T, bed *testbed.Bed, admin string) {
	t.Helper()
	world.NewNamespace(t, bed, project, admin)
	createRole(t, bed.IAM())
	for _, object := range objects(t) {
		client := bed.Dynamic.Resource(resourceOf(object)).Namespace(project)
		if _, err := client.Apply(t.Context(), object.GetName(), object, metav1.ApplyOptions{FieldManager: manager, Force: true}); err != nil {
			t.Fatalf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
	settled(t, bed, 1)
	body := strings.NewReader("kept")
	if _, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: awssdk.String(bucket), Key: awssdk.String("kept.txt"), Body: body}); err != nil {
		t.Fatal(err)
	}
}

// settled waits until both Deployments have their one pod, of the newest of so many
// templates, and the Bucket is synced.
func settled(t *testing.T, bed *testbed.Bed, templates int) {
	t.Helper()
	run.Eventually(t, "the app", func(ctx context.Context) error {
		for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
			deployment, err := bed.Client.AppsV1().Deployments(project).Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			status := deployment.Status
			if status.ObservedGeneration != deployment.Generation || status.UpdatedReplicas != 1 || status.AvailableReplicas != 1 || status.Replicas != 1 {
				return fmt.Errorf("%s: %+v", name, status)
			}
			of := metav1.ListOptions{LabelSelector: "app=" + name}
			for kind, want := range map[schema.GroupVersionResource]int{pods: 1, replicaSets: templates} {
				list, err := bed.Dynamic.Resource(kind).Namespace(project).List(ctx, of)
				if err != nil || len(list.Items) != want {
					return fmt.Errorf("%s: %d %s, want %d: %w", name, len(list.Items), kind.Resource, want, err)
				}
			}
		}
		object, err := bed.Dynamic.Resource(buckets).Namespace(project).Get(ctx, bucket, metav1.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
		for _, condition := range conditions {
			if c, _ := condition.(map[string]any); c["type"] == "ACK.ResourceSynced" && c["status"] == "True" {
				return nil
			}
		}
		return errors.New("the Bucket is not synced")
	})
}

// objects are those of testdata, in the order in which they were applied.
func objects(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "objects.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(file, 4096)
	var all []*unstructured.Unstructured
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(object); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

func resourceOf(object *unstructured.Unstructured) schema.GroupVersionResource {
	kind := object.GroupVersionKind()
	return kind.GroupVersion().WithResource(strings.ToLower(kind.Kind) + "s")
}

// createRole creates the role as the older version did.
func createRole(t *testing.T, client *iam.Client) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "role.json"))
	if err != nil {
		t.Fatal(err)
	}
	var role struct {
		Name, Path string
		Tags       map[string]string
		Trust      json.RawMessage
		Policies   map[string]json.RawMessage
	}
	if err := json.Unmarshal(data, &role); err != nil {
		t.Fatal(err)
	}
	if role.Name != roleName {
		t.Fatalf("the role in testdata is %s, want %s", role.Name, roleName)
	}
	input := &iam.CreateRoleInput{RoleName: &role.Name, Path: &role.Path, AssumeRolePolicyDocument: awssdk.String(string(role.Trust))}
	for key, value := range role.Tags {
		input.Tags = append(input.Tags, types.Tag{Key: &key, Value: &value})
	}
	if _, err := client.CreateRole(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	for name, policy := range role.Policies {
		_, err := client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role.Name, PolicyName: &name, PolicyDocument: awssdk.String(string(policy))})
		if err != nil {
			t.Fatal(err)
		}
	}
}
