package presence

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// anObject is "Kind name", applied by a manager; "" is nobody that says so.
func anObject(text, manager string) *unstructured.Unstructured {
	kind, name, _ := strings.Cut(text, " ")
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": name, "namespace": "demo"}}}
	if manager != "" {
		_ = unstructured.SetNestedSlice(object.Object, []any{map[string]any{
			"manager": manager, "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{},
		}}, "metadata", "managedFields")
	}
	return object
}

func tagged(namespace string) map[string]string {
	return map[string]string{render.TagManagedBy: render.ManagedBy, render.TagNamespace: namespace}
}

// TestSeen: what is an install, what is kept where there is none, and the command that
// removes it.
func TestSeen(t *testing.T) {
	one := bucket.Contents{Objects: 1, Bytes: 6}
	found := apply.Inventory{Found: true}
	volume, resource := anObject("PersistentVolumeClaim ostoy-pvc", apply.Manager), anObject("Bucket demo-bucket", apply.Manager)
	for name, c := range map[string]struct {
		seen      Seen
		installed bool
		kept      string
		remove    string
	}{
		"nothing":                    {Seen{}, false, "", ""},
		"a Deployment of anybody":    {Seen{Objects: []*unstructured.Unstructured{anObject("Deployment ostoy-frontend", "")}}, true, "", ""},
		"only the microservice":      {Seen{Objects: []*unstructured.Unstructured{anObject("Deployment ostoy-microservice", "")}}, true, "", ""},
		"a Deployment of others":     {Seen{Objects: []*unstructured.Unstructured{anObject("Deployment web", apply.Manager)}}, false, "", ""},
		"a Service of this tool":     {Seen{Objects: []*unstructured.Unstructured{anObject("Service ostoy-frontend-svc", apply.Manager)}}, true, "", ""},
		"one that Argo CD delivers":  {Seen{Objects: []*unstructured.Unstructured{anObject("Service ostoy-frontend-svc", "argocd-controller")}}, true, "", ""},
		"an account of somebody":     {Seen{Objects: []*unstructured.Unstructured{anObject("ServiceAccount ostoy-sa", "eksctl")}}, false, "; kept: ServiceAccount ostoy-sa (not managed by ostoy-s3)", ""},
		"an inventory":               {Seen{Inventory: found}, false, "; kept: inventory ostoy-s3", "oc ostoy-s3 uninstall -n demo"},
		"an inventory of others":     {Seen{Inventory: apply.Inventory{Found: true, Foreign: true}}, false, "", ""},
		"data and inventory":         {Seen{Inventory: found, Objects: []*unstructured.Unstructured{volume, resource}}, false, "; kept: inventory ostoy-s3, volume ostoy-pvc, Bucket resource demo-bucket", "oc ostoy-s3 uninstall -n demo --delete-data"},
		"a role":                     {Seen{Role: "r"}, false, "; kept: role r", "oc ostoy-s3 uninstall -n demo --role-only"},
		"a bucket with its role":     {Seen{Role: "r", S3: S3{State: bucket.State{Name: "b", Kind: bucket.Ours}, Contents: &one}}, false, "; kept: bucket b (1 object, 6 B), role r", "oc ostoy-s3 uninstall -n demo --delete-data"},
		"volume and bucket":          {Seen{Objects: []*unstructured.Unstructured{volume}, S3: S3{State: bucket.State{Name: "b", Kind: bucket.Ours}, Contents: &one, More: true}}, false, "; kept: volume ostoy-pvc, bucket b (more than 1 object, 6 B)", "oc ostoy-s3 uninstall -n demo --delete-data --adopt=bucket"},
		"a bucket that hides":        {Seen{S3: S3{State: bucket.State{Name: "b", Kind: bucket.TagsUnreadable}}}, false, "; kept: bucket b (what is in it could not be counted)", "oc ostoy-s3 uninstall -n demo --delete-data --adopt=bucket"},
		"a bucket of another region": {Seen{S3: S3{State: bucket.State{Name: "b", Kind: bucket.OtherRegion, Tags: tagged("demo")}, Contents: &one}}, false, "; kept: bucket b (1 object, 6 B)", "oc ostoy-s3 uninstall -n demo --delete-data --adopt=bucket"},
		"of another project":         {Seen{S3: S3{State: bucket.State{Name: "b", Kind: bucket.OtherRegion, Tags: tagged("other")}}}, false, "", ""},
		"a bucket of others":         {Seen{S3: S3{State: bucket.State{Name: "b", Kind: bucket.Foreign}}}, false, "", ""},
	} {
		c.seen.Namespace = "demo"
		if got := c.seen.Installed(); got != c.installed {
			t.Errorf("%s: installed is %t", name, got)
		}
		if c.installed {
			continue
		}
		told := c.seen.NotInstalled()
		next := []string{"oc ostoy-s3 install -n demo"}
		if c.remove != "" {
			next = append(next, "to remove what is kept: "+c.remove)
		}
		if told.Kind != problem.Refused || told.What != "OSToy is not installed in project demo"+c.kept || !slices.Equal(strings.Split(told.Next, "\n"), next) {
			t.Errorf("%s: %+v", name, told)
		}
		if document := c.seen.Document(); document.Words() != "not installed"+c.kept || document.Kept == nil {
			t.Errorf("%s: %+v", name, document)
		}
	}
	if told := (Seen{Unknown: errors.New("no\nanswer")}).NotInstalled(); !strings.Contains(told.Why, "what is kept in AWS is not known: no answer") {
		t.Errorf("%+v", told)
	}
}
