package reach

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// mallory edits a project.
type mallory struct {
	bed     *testbed.Bed
	project string
	client  dynamic.Interface // as the editor
	record  map[string]string // data of the inventory, as install wrote it
}

func newMallory(t *testing.T, bed *testbed.Bed, project string) *mallory {
	t.Helper()
	s := sessionOf(t, bed, "mallory", project, "edit")
	config, err := clientcmd.BuildConfigFromFlags("", s.user.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	record, err := bed.Client.CoreV1().ConfigMaps(project).Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &mallory{bed, project, client, record.Data}
}

// resource is one kind by group, version and plural.
func resource(group, version, plural string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: group, Version: version, Resource: plural}
}

// write is what an editor writes by themselves.
func (m *mallory) write(t *testing.T, p poison) {
	t.Helper()
	data := fields{}
	for key, value := range m.record {
		if key != "objects" || p.rotation == 2 { // else nothing of the rest counts
			data[key] = p.text(key, value)
		}
	}
	data["policyARN"], data["region"], data["roleARN"] = p.text("policyARN", "arn:aws:iam::aws:policy/"), p.text("region", "us-east-2"), p.text("roleARN", "arn:aws:iam::123456789012:role/")
	m.patch(t, m.client, resource("", "v1", "configmaps"), "ostoy-s3", fields{"data": data})
	for _, kind := range []schema.GroupVersionResource{
		resource("", "v1", "configmaps"), resource("", "v1", "serviceaccounts"), resource("", "v1", "services"), resource("", "v1", "persistentvolumeclaims"),
		resource("", "v1", "secrets"), resource("", "v1", "pods"), resource("apps", "v1", "deployments"), resource("route.openshift.io", "v1", "routes"),
		resource("s3.services.k8s.aws", "v1alpha1", "buckets"),
	} {
		list, err := m.client.Resource(kind).Namespace(m.project).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(kind.Resource, err)
		}
		for _, object := range list.Items {
			notes := fields{"mallory.example.com/note": p.text(kind.Resource, "")}
			for key, value := range object.GetAnnotations() {
				if !strings.Contains(key, "kubernetes.io/") && !strings.HasPrefix(key, "testbed/") && !strings.HasPrefix(key, "services.k8s.aws/") {
					notes[key] = p.text(key, value)
				}
			}
			if kind.Resource == "serviceaccounts" && object.GetName() == "ostoy-sa" {
				notes["eks.amazonaws.com/role-arn"] = p.text("role-arn", "arn:aws:iam::123456789012:role/x")
				notes["eks.amazonaws.com/audience"] = p.text("audience", "sts.amazonaws.com")
			}
			m.patch(t, m.client, kind, object.GetName(), fields{"metadata": fields{"annotations": notes}})
		}
	}
	m.deployments(t, p)
	m.events(t, p)
}

// deployments get an environment of mallory's; their pods are made anew.
func (m *mallory) deployments(t *testing.T, p poison) {
	t.Helper()
	var env []any
	for _, name := range []string{"AWS_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_DEFAULT_REGION", "AWS_S3_BUCKET"} {
		env = append(env, fields{"name": name, "value": p.text(name, "x")})
	}
	m.patchAs(t, types.StrategicMergePatchType, m.client, resource("apps", "v1", "deployments"), "ostoy-frontend", fields{"spec": fields{"template": fields{
		"metadata": fields{"annotations": fields{"mallory.example.com/note": p.text("template", "x")}},
		"spec":     fields{"containers": []any{fields{"name": "ostoy-frontend", "env": env, "workingDir": "/tmp", "args": []any{p.text("args", "x")}}}},
	}}})
}

// events are what a cluster notes of an object, with a source and a reason of mallory's.
func (m *mallory) events(t *testing.T, p poison) {
	t.Helper()
	pods, err := m.bed.Client.CoreV1().Pods(m.project).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	about := []corev1.ObjectReference{
		{Kind: "Bucket", APIVersion: "s3.services.k8s.aws/v1alpha1", Name: m.project + "-bucket", Namespace: m.project},
		{Kind: "PersistentVolumeClaim", APIVersion: "v1", Name: "ostoy-pvc", Namespace: m.project},
		{Kind: "Deployment", APIVersion: "apps/v1", Name: "ostoy-frontend", Namespace: m.project},
	}
	for _, pod := range pods.Items {
		about = append(about, corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Name: pod.Name, Namespace: m.project, UID: pod.UID})
	}
	for _, object := range about {
		for _, reason := range []string{"FailedScheduling", "FailedCreate", "ProvisioningFailed", "Failed", "FailedMount", p.text("reason", "")} {
			_, err := m.bed.Client.CoreV1().Events(m.project).Create(t.Context(), &corev1.Event{
				ObjectMeta: metav1.ObjectMeta{GenerateName: "mallory-", Namespace: m.project}, InvolvedObject: object, Type: "Warning",
				Reason: reason, Message: p.text(reason, "no"), Source: corev1.EventSource{Component: p.text("component", "kubelet")},
				FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Count: 3,
			}, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// fixture is what others write for mallory: the kubelet, controllers, a project admin.
func (m *mallory) fixture(t *testing.T, p poison) {
	t.Helper()
	t.Cleanup(m.bed.ACK.Resume)
	m.bed.ACK.Pause()
	message := func(kind string) fields {
		return fields{"type": kind, "status": "False", "reason": p.text("reason "+kind, "No"), "message": p.text("message "+kind, "no"), "lastTransitionTime": "2026-01-01T00:00:00Z"}
	}
	m.status(t, resource("s3.services.k8s.aws", "v1alpha1", "buckets"), m.project+"-bucket", fields{
		"location": p.text("location", "http://x"), "ackResourceMetadata": fields{
			"arn": p.text("arn", "arn:aws:s3:::"), "ownerAccountID": p.text("owner", "123456789012"), "region": p.text("region", "us-east-2"),
		},
		"conditions": []any{message("ACK.ResourceSynced"), message("Ready"), with(message("ACK.Terminal"), "status", "True"), with(message("ACK.Recoverable"), "status", "True")},
	})
	m.status(t, resource("route.openshift.io", "v1", "routes"), "ostoy-route", fields{"ingress": []any{fields{
		"host": p.text("host", "x.example.com"), "routerName": p.text("router", "default"), "conditions": []any{message("Admitted")},
	}}})
	if err := m.bed.FailPods(t.Context(), m.project, testbed.FailInit, p.text("terminated", "HeadBucket: ")); err != nil {
		t.Fatal(err)
	}
	if err := m.bed.Client.CoreV1().Pods(m.project).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	m.awaitMessage(t)
	m.bindings(t, p)
	m.olm(t, p)
	m.aws(t, p)
	line, err := json.Marshal(fields{
		"level": "error", "ts": "2026-11-23T10:00:00.000Z", "logger": "ackrt", "msg": p.text("msg", "Reconciler error"), "controller": "bucket",
		"namespace": p.text("namespace", m.project), "name": p.text("name", "x"), "error": p.text("error", "AccessDenied"),
	})
	if err != nil {
		t.Fatal(err)
	}
	m.bed.ControllerLog(string(line), "E1123 not JSON: "+strings.ReplaceAll(p.text("klog", ""), "\n", " "), "\xff31m \x9b2J")
}

// with is fields with one of them different.
func with(f fields, key, value string) fields {
	f[key] = value
	return f
}

// awaitMessage waits until a container of mallory's has ended with a message.
func (m *mallory) awaitMessage(t *testing.T) {
	t.Helper()
	run.Eventually(t, "a termination message", func(ctx context.Context) error {
		pods, err := m.bed.Client.CoreV1().Pods(m.project).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, pod := range pods.Items {
			for _, one := range pod.Status.InitContainerStatuses {
				if last := one.LastTerminationState.Terminated; last != nil && last.Message != "" {
					return nil
				}
			}
		}
		return fmt.Errorf("none of %d pods has one", len(pods.Items))
	})
}

// bindings: RBAC allows nearly any name.
func (m *mallory) bindings(t *testing.T, p poison) {
	t.Helper()
	for _, namespace := range []string{m.project, testbed.ControllerNamespace} {
		name := strings.NewReplacer("/", "", "%", "").Replace(p.text("binding", "x"))
		binding := &unstructured.Unstructured{Object: fields{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": fields{"name": name},
			"roleRef":  fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
			"subjects": []any{fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": p.text("subject", "u")}, fields{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": p.text("group", "g")}},
		}}
		if _, err := m.bed.Dynamic.Resource(resource("rbac.authorization.k8s.io", "v1", "rolebindings")).Namespace(namespace).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// olm: messages and conditions of what OLM keeps for the controller.
func (m *mallory) olm(t *testing.T, p poison) {
	t.Helper()
	for _, plural := range []string{"subscriptions", "clusterserviceversions", "installplans", "operatorgroups", "catalogsources"} {
		version := "v1alpha1"
		if plural == "operatorgroups" {
			version = "v1"
		}
		kind := resource("operators.coreos.com", version, plural)
		list, err := m.bed.Dynamic.Resource(kind).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(plural, err)
		}
		for _, object := range list.Items {
			status := fields{
				"message": p.text("message", ""), "reason": p.text("reason", ""),
				"conditions": []any{fields{"type": "CatalogSourcesUnhealthy", "status": "True", "reason": p.text("condition", "Un"), "message": p.text("unhealthy", "no")}},
			}
			text, err := json.Marshal(fields{"status": status, "metadata": fields{"annotations": fields{"mallory.example.com/note": p.text(plural, "")}}})
			if err != nil {
				t.Fatal(err)
			}
			at := m.bed.Dynamic.Resource(kind).Namespace(object.GetNamespace())
			_, main := at.Patch(t.Context(), object.GetName(), types.MergePatchType, text, metav1.PatchOptions{})
			_, sub := at.Patch(t.Context(), object.GetName(), types.MergePatchType, text, metav1.PatchOptions{}, "status")
			if main != nil && sub != nil {
				t.Fatal(plural, main, sub)
			}
		}
	}
}

// aws: tags and policies of role and bucket.
func (m *mallory) aws(t *testing.T, p poison) {
	t.Helper()
	role, bucket := world.RoleName(m.bed.Issuer, m.project), m.project+"-bucket"
	clean := func(text string) *string { return aws.String(strings.ReplaceAll(text, "\x1b", "\u009b")) } // XML has no ESC
	_, err := m.bed.IAM().TagRole(t.Context(), &iam.TagRoleInput{RoleName: &role, Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: clean(p.text("tag", "x"))}}})
	if err != nil {
		t.Log("IAM takes no such tag:", err)
	}
	_, err = m.bed.S3().PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: &bucket, Tagging: &s3types.Tagging{TagSet: []s3types.Tag{
		{Key: aws.String("team"), Value: clean(p.text("tag", "x"))}, {Key: aws.String("ostoy-s3/namespace"), Value: clean(p.text("namespace", "x"))},
	}}})
	if err != nil {
		t.Log("S3 takes no such tag:", err)
	}
	for _, name := range []string{"x$(touch MARKER)", "x';touch MARKER;'"} {
		_, err := m.bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: &role, PolicyName: &name, PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::x/$(touch MARKER)"}]}`)})
		if err != nil {
			t.Log("IAM takes no such name of a policy:", err)
		}
	}
}

func (m *mallory) status(t *testing.T, kind schema.GroupVersionResource, name string, status fields) {
	t.Helper()
	m.patchAs(t, types.MergePatchType, m.bed.Dynamic, kind, name, fields{"status": status}, "status")
}

func (m *mallory) patch(t *testing.T, client dynamic.Interface, kind schema.GroupVersionResource, name string, patch fields) {
	t.Helper()
	m.patchAs(t, types.MergePatchType, client, kind, name, patch)
}

func (m *mallory) patchAs(t *testing.T, how types.PatchType, client dynamic.Interface, kind schema.GroupVersionResource, name string, patch fields, sub ...string) {
	t.Helper()
	text, err := json.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Resource(kind).Namespace(m.project).Patch(t.Context(), name, how, text, metav1.PatchOptions{}, sub...); err != nil {
		t.Fatal(kind.Resource, name, err)
	}
}
