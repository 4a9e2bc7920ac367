package uninstall

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func namespaces() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
}

func configMaps() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
}

// kinds are those that the chart has, and pods.
func kinds(bed *testbed.Bed) []schema.GroupVersionResource {
	all := []schema.GroupVersionResource{ack.Resource(), {Group: "apps", Version: "v1", Resource: "deployments"}}
	for _, name := range []string{"configmaps", "secrets", "services", "serviceaccounts", "persistentvolumeclaims", "pods"} {
		all = append(all, schema.GroupVersionResource{Version: "v1", Resource: name})
	}
	if bed.Platform.OpenShift() {
		all = append(all, schema.GroupVersionResource{Group: "route.openshift.io", Version: "v1", Resource: "routes"},
			schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"})
	}
	return all
}

// left is everything there is for a namespace, in the cluster and in AWS:
// "services/ostoy-frontend-svc", "role/NAME", "bucket/NAME with 2 objects".
func left(t *testing.T, bed *testbed.Bed, namespace string) []string {
	t.Helper()
	all := []string{}
	for _, kind := range kinds(bed) {
		list, err := bed.Dynamic.Resource(kind).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range list.Items {
			if name := item.GetName(); name != "kube-root-ca.crt" && name != "default" {
				all = append(all, kind.Resource+"/"+name)
			}
		}
	}
	for _, name := range roles(t, bed, namespace) {
		all = append(all, "role/"+name)
	}
	if n := objectsIn(t, bed, namespace); n >= 0 {
		all = append(all, fmt.Sprintf("bucket/%s-bucket with %d objects", namespace, n))
	}
	slices.Sort(all)
	return all
}

// wantLeft wants exactly that to be there.
func wantLeft(t *testing.T, bed *testbed.Bed, namespace string, want ...string) {
	t.Helper()
	have := left(t, bed, namespace)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("there is\n  %s\nwant\n  %s", strings.Join(have, "\n  "), strings.Join(want, "\n  "))
	}
}

func roleName(bed *testbed.Bed, namespace string) string {
	return world.RoleName(bed.Issuer, namespace)
}

// roles are those that are tagged with the namespace, or named for it.
func roles(t *testing.T, bed *testbed.Bed, namespace string) []string {
	t.Helper()
	var names []string
	pages := iam.NewListRolesPaginator(bed.IAM(), &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, role := range page.Roles {
			tags, err := bed.IAM().ListRoleTags(t.Context(), &iam.ListRoleTagsInput{RoleName: role.RoleName})
			if gone := (*iamtypes.NoSuchEntityException)(nil); errors.As(err, &gone) {
				continue // another test's
			}
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(tags.Tags, func(tag iamtypes.Tag) bool {
				return *tag.Key == "ostoy-s3/namespace" && *tag.Value == namespace
			}) {
				names = append(names, *role.RoleName)
			}
		}
	}
	return names
}

// objectsIn counts what is in the bucket, older versions included; -1 without a
// bucket.
func objectsIn(t *testing.T, bed *testbed.Bed, namespace string) int {
	t.Helper()
	name := namespace + "-bucket"
	list, err := bed.S3().ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range list.Buckets {
		if *found.Name != name {
			continue
		}
		objects, err := bed.S3().ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{Bucket: &name})
		if err != nil {
			t.Fatal(err)
		}
		return len(objects.Versions) + len(objects.DeleteMarkers)
	}
	return -1
}

// put writes an object into the bucket of a namespace.
func put(t *testing.T, bed *testbed.Bed, namespace, key string) {
	t.Helper()
	_, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(namespace + "-bucket"), Key: &key, Body: strings.NewReader("a line of data\n"),
	})
	orders(t, err)
}

// patch changes an object as somebody with kubectl would.
func patch(t *testing.T, bed *testbed.Bed, kind schema.GroupVersionResource, namespace, name, merge string) {
	t.Helper()
	_, err := bed.Dynamic.Resource(kind).Namespace(namespace).Patch(t.Context(), name, types.MergePatchType, []byte(merge), metav1.PatchOptions{FieldManager: "kubectl-edit"})
	if err != nil {
		t.Fatal(err)
	}
}

// remove deletes an object behind the tool's back.
func remove(t *testing.T, bed *testbed.Bed, kind schema.GroupVersionResource, namespace, name string) {
	t.Helper()
	var err error
	if namespace == "" {
		err = bed.Dynamic.Resource(kind).Delete(t.Context(), name, metav1.DeleteOptions{})
	} else {
		err = bed.Dynamic.Resource(kind).Namespace(namespace).Delete(t.Context(), name, metav1.DeleteOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

const pvc = "persistentvolumeclaims/ostoy-pvc"

// full is a bucket as wantLeft names it.
func full(namespace string, objects int) string {
	return fmt.Sprintf("bucket/%s-bucket with %d objects", namespace, objects)
}
