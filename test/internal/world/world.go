package world

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// World is all there is of a namespace, in the cluster and in AWS: what is it,
// and how it is.
type World map[string]string

// Look takes stock of a namespace: its objects, the roles that have its name
// in theirs, its bucket.
func Look(t testing.TB, bed *testbed.Bed, namespace string) World {
	t.Helper()
	w := World{}
	w.cluster(t, bed, namespace)
	w.Roles(t, bed, namespace)
	w.Bucket(t, bed.S3(), namespace+"-bucket")
	return w
}

// WantSame wants a namespace to be as it was.
func (w World) WantSame(t testing.TB, now World) {
	t.Helper()
	for _, key := range w.keys(now) {
		if w[key] != now[key] {
			t.Errorf("%s was touched\nbefore %s\nnow    %s", key, w[key], now[key])
		}
	}
}

func (w World) keys(now World) []string {
	return slices.Compact(slices.Sorted(maps.Keys(func() World {
		all := maps.Clone(w)
		maps.Copy(all, now)
		return all
	}())))
}

// cluster adds the namespace and every object in it, of any kind, but for what
// controllers write: status, events, and what belongs to a pod.
func (w World) cluster(t testing.TB, bed *testbed.Bed, namespace string) {
	t.Helper()
	ctx := t.Context()
	live, err := bed.Dynamic.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}).Get(ctx, namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	w.add("namespace", live)
	for _, resource := range kinds(t, bed) {
		list, err := bed.Dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsMethodNotSupported(err) {
			t.Fatalf("%s: %v", resource.Resource, err)
		}
		for i := range list.Items {
			w.add(resource.Resource, &list.Items[i])
		}
	}
}

// kinds are those that can be in a namespace, of each the preferred version.
func kinds(t testing.TB, bed *testbed.Bed) []schema.GroupVersionResource {
	t.Helper()
	lists, err := discovery.ServerPreferredNamespacedResources(bed.Client.Discovery())
	if err != nil && len(lists) == 0 {
		t.Fatal(err)
	}
	passing := []string{"events", "leases", "endpoints", "endpointslices", "controllerrevisions", "projects"}
	var all []schema.GroupVersionResource
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list.APIResources {
			if slices.Contains(one.Verbs, "list") && !slices.Contains(passing, one.Name) && version.Group != "kwok.x-k8s.io" {
				all = append(all, version.WithResource(one.Name))
			}
		}
	}
	return all
}

// add remembers an object without its status and the traces of controllers.
func (w World) add(kind string, object *unstructured.Unstructured) {
	object = object.DeepCopy()
	delete(object.Object, "status")
	object.SetResourceVersion("")
	object.SetManagedFields(slices.DeleteFunc(object.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
		return e.Subresource != "" || strings.HasPrefix(e.Manager, "kube-")
	}))
	w[kind+"/"+object.GetName()] = InJSON(object.Object)
}

// InJSON is a value as one line of text.
func InJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Roles adds the roles whose names speak of the namespace.
func (w World) Roles(t testing.TB, bed *testbed.Bed, namespace string) {
	t.Helper()
	pages := iam.NewListRolesPaginator(bed.IAM(), &iam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, role := range page.Roles {
			if strings.Contains(*role.RoleName, namespace) {
				w["role/"+*role.RoleName] = roleText(t, bed.IAM(), *role.RoleName)
			}
		}
	}
}

// roleText is a role with everything on it.
func roleText(t testing.TB, client *iam.Client, name string) string {
	t.Helper()
	ctx := t.Context()
	role, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		t.Fatal(err)
	}
	inline, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil {
		t.Fatal(err)
	}
	attached, err := client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: &name})
	if err != nil {
		t.Fatal(err)
	}
	policies := map[string]string{}
	for _, policy := range inline.PolicyNames {
		document, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &name, PolicyName: &policy})
		if err != nil {
			t.Fatal(err)
		}
		policies[policy] = aws.ToString(document.PolicyDocument)
	}
	tags := map[string]string{}
	for _, tag := range role.Role.Tags {
		tags[*tag.Key] = *tag.Value
	}
	return InJSON(map[string]any{
		"arn": role.Role.Arn, "id": role.Role.RoleId, "trust": role.Role.AssumeRolePolicyDocument, "boundary": role.Role.PermissionsBoundary,
		"tags": tags, "inline": policies, "attached": attached.AttachedPolicies,
	})
}
