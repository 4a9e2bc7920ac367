package reach

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// finance is the S3 bucket of another team that mallory is after.
const finance = "finance-reports-bucket"

// TestF1 is mallory's session: edit or admin in one project, and no AWS
// credentials. First without the policy, on S3 buckets of their own, to show that
// the tries work; then with it, when they change nothing.
func TestF1(t *testing.T) {
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.Kubernetes})
	for _, project := range []string{"mallory", "mal", "mallory--x", "before"} {
		if err := bed.NewNamespace(t.Context(), project); err != nil {
			t.Fatal(err)
		}
	}
	victim(t, bed, finance)
	was := look(t, bed, finance)
	old := sessionOf(t, bed, "mallory", "before", "admin")
	t.Run("without the policy", func(t *testing.T) { testWithout(t, old) })
	makeOld(t, old)

	admin := sessionOf(t, bed, "mallory-admin", "mallory", "admin")
	editor := sessionOf(t, bed, "mallory-editor", "mallory", "edit")
	enforce(t, admin)
	if err := bed.AWS.ResetLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin.create(t, bucket("allowed", fields{"name": "mallory-bucket"}))
	admin.condition(t, "allowed", "Ready", "True")
	for _, s := range []session{admin, editor} {
		t.Run(s.user.Name, func(t *testing.T) { testTries(t, s) })
	}
	t.Run("names", func(t *testing.T) { testNames(t, admin) })
	t.Run("kubectl", func(t *testing.T) { testKubectl(t, editor) })
	t.Run("status", func(t *testing.T) { testStatus(t, admin) })
	t.Run("not by another service account", func(t *testing.T) { testPretender(t, editor) })
	t.Run("from before the policy", func(t *testing.T) { testOld(t, old) })
	t.Run("the controller", func(t *testing.T) { testController(t, admin) })
	t.Run("exempt", func(t *testing.T) { testExempt(t, admin) })

	wantSame(t, bed, finance, was)
	requests, err := bed.AWS.Log(t.Context(), "controller")
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range requests {
		if strings.Contains(request.Resource, finance) {
			t.Errorf("the controller asked for %s of %s", request.Operation, finance)
		}
	}
}

// testWithout shows on three S3 buckets what a Bucket can do without the policy.
func testWithout(t *testing.T, s session) {
	for name, try := range map[string]func(t *testing.T, name string){
		"foreign name": func(t *testing.T, name string) {
			s.create(t, bucket("foreign", fields{"name": name, "lifecycle": fields{"rules": []any{fields{
				"id": "gone", "status": "Enabled", "filter": fields{"prefix": ""}, "expiration": fields{"days": 1},
			}}}}, "adoption-policy", "adopt-or-create"))
			s.condition(t, "foreign", "Ready", "True")
		},
		"adoption-fields": func(t *testing.T, name string) {
			s.create(t, bucket("fields", nil, "adoption-policy", "adopt", "adoption-fields", `{"name":"`+name+`"}`))
			s.condition(t, "fields", "Ready", "True")
			s.patch(t, "fields", `{"spec":{"policy":null,"publicAccessBlock":null}}`)
			s.gone(t, name, "policy")
		},
		"finalizer": func(t *testing.T, name string) {
			s.create(t, bucket("terminal", fields{"name": name}))
			s.condition(t, "terminal", "ACK.Terminal", "True")
			s.patch(t, "terminal", `{"metadata":{"finalizers":["`+finalizer+`"]}}`)
			s.ACK.Pause()
			s.ACK.Resume()
			s.gone(t, name, "policy")
		},
	} {
		t.Run(name, func(t *testing.T) {
			target := strings.ReplaceAll(name, " ", "-") + "-control-bucket"
			victim(t, s.Bed, target)
			before := look(t, s.Bed, target)
			try(t, target)
			lost := changed(before, look(t, s.Bed, target))
			t.Log("changed:", lost)
			if len(lost) < 2 {
				t.Errorf("only %v changed: the same try with the policy proves nothing", lost)
			}
		})
	}
}

// gone waits until an S3 bucket lacks something.
func (s session) gone(t *testing.T, name, what string) {
	t.Helper()
	run.Eventually(t, what+" of "+name+" is gone", func(context.Context) error {
		if has := look(t, s.Bed, name)[what]; !strings.HasPrefix(has, "api error") {
			return fmt.Errorf("it is %s", has)
		}
		return nil
	})
}

func (s session) patch(t *testing.T, name, patch string) {
	t.Helper()
	if _, err := s.buckets.Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// ways are the requests by which a Bucket can come to be as it is wanted.
func (s session) ways(want *unstructured.Unstructured) map[string]func(ctx context.Context) error {
	here := want.DeepCopy()
	here.SetName("allowed")
	patch, err := here.MarshalJSON()
	if err != nil {
		panic(err)
	}
	return map[string]func(ctx context.Context) error{
		"create": func(ctx context.Context) error {
			_, err := s.buckets.Create(ctx, want, metav1.CreateOptions{})
			return err
		},
		"create, dry run": func(ctx context.Context) error {
			_, err := s.buckets.Create(ctx, want, metav1.CreateOptions{DryRun: []string{"All"}})
			return err
		},
		"generateName": func(ctx context.Context) error {
			object := want.DeepCopy()
			object.SetName("")
			object.SetGenerateName("try-")
			_, err := s.buckets.Create(ctx, object, metav1.CreateOptions{})
			return err
		},
		"apply": func(ctx context.Context) error {
			_, err := s.buckets.Apply(ctx, want.GetName(), want, metav1.ApplyOptions{FieldManager: "mallory", Force: true})
			return err
		},
		"update": func(ctx context.Context) error { return s.update(ctx, here) },
		"merge patch": func(ctx context.Context) error {
			_, err := s.buckets.Patch(ctx, "allowed", types.MergePatchType, patch, metav1.PatchOptions{})
			return err
		},
		"apply over": func(ctx context.Context) error {
			_, err := s.buckets.Apply(ctx, "allowed", here, metav1.ApplyOptions{FieldManager: "mallory", Force: true})
			return err
		},
		"JSON patch": func(ctx context.Context) error {
			return s.jsonPatch(ctx, here)
		},
	}
}

// update replaces spec and annotations of the allowed Bucket.
func (s session) update(ctx context.Context, want *unstructured.Unstructured) error {
	object, err := s.buckets.Get(ctx, "allowed", metav1.GetOptions{})
	if err != nil {
		return err
	}
	object.Object["spec"] = want.Object["spec"]
	if object.Object["spec"] == nil {
		delete(object.Object, "spec")
	}
	object.SetAnnotations(want.GetAnnotations())
	_, err = s.buckets.Update(ctx, object, metav1.UpdateOptions{})
	return err
}

func (s session) jsonPatch(ctx context.Context, want *unstructured.Unstructured) error {
	text, err := json.Marshal([]any{
		fields{"op": "add", "path": "/spec", "value": orEmpty(want.Object["spec"])},
		fields{"op": "add", "path": "/metadata/annotations", "value": orEmpty(want.Object["metadata"].(fields)["annotations"])},
	})
	if err != nil {
		return err
	}
	_, err = s.buckets.Patch(ctx, "allowed", types.JSONPatchType, text, metav1.PatchOptions{})
	return err
}

// testTries sends every forbidden Bucket in every way. An update may also be
// refused by the kind itself, whose name cannot be changed or left out.
func testTries(t *testing.T, s session) {
	before, err := s.buckets.Get(t.Context(), "allowed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range forbidden(t, s.Bed) {
		t.Run(name, func(t *testing.T) {
			for way, try := range s.ways(want) {
				updates := way == "update" || strings.Contains(way, "patch") || way == "apply over"
				err := try(t.Context())
				// A policy's refusal has the same reason as one of the kind's schema.
				if updates && apierrors.IsInvalid(err) && !strings.Contains(err.Error(), "ValidatingAdmissionPolicy") {
					continue
				}
				if err := wantDenied(err); err != nil {
					t.Errorf("%s: %v", way, err)
				}
			}
		})
	}
	after, err := s.buckets.Get(t.Context(), "allowed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("the allowed Bucket was changed: %v", after.Object)
	}
}

// testNames: which S3 buckets a project has.
func testNames(t *testing.T, s session) {
	of := map[string]session{"mallory": s}
	for _, project := range []string{"mal", "mallory--x"} {
		of[project] = sessionOf(t, s.Bed, "names-in-"+project, project, "admin")
	}
	for _, try := range []struct {
		project, name string
		admitted      bool
	}{
		{"mallory", "mallory-bucket", true},
		{"mallory", "mallory--web-bucket", true},
		{"mallory", "mallory--a--b-bucket", true},
		{"mallory", "mallory--bucket", false},
		{"mallory", "mallory---bucket", false},
		{"mallory", "mallory---x-bucket", false},
		{"mallory", "mallory--x", false},
		{"mallory", "mallory--x-bucket2", false},
		{"mallory", "mallory-bucket-an", false},
		{"mallory", "mallory-x-bucket", false},
		{"mallory", "mallory2-bucket", false},
		{"mallory", "mallory", false},
		{"mallory", "mal-bucket", false},
		{"mallory", "mal--lory-bucket", false},
		{"mallory", "finance--web-bucket", false},
		{"mallory", "MALLORY-bucket", false},
		{"mallory", "mallory-bucket\n", false},
		{"mallory", " mallory-bucket", false},
		{"mallory", "mallory--a.b-bucket", false},
		{"mallory", "", false},
		{"mal", "mal-bucket", true},
		{"mal", "mal--lory-bucket", true},
		{"mal", "mallory-bucket", false},
		{"mal", "mallory--web-bucket", false},
		{"mallory--x", "mallory--x-bucket", false},
		{"mallory--x", "mallory--x--y-bucket", false},
		{"mallory--x", "mallory-bucket", false},
	} {
		_, err := of[try.project].buckets.Create(t.Context(), bucket("named", fields{"name": try.name}), metav1.CreateOptions{DryRun: []string{"All"}})
		if try.admitted {
			if err != nil {
				t.Errorf("%q in %s: %v", try.name, try.project, err)
			}
		} else if err := wantDenied(err); err != nil {
			t.Errorf("%q in %s: %v", try.name, try.project, err)
		}
	}
}

// testKubectl: the same by the command that people use, which shows them why.
func testKubectl(t *testing.T, s session) {
	text := "apiVersion: s3.services.k8s.aws/v1alpha1\nkind: Bucket\nmetadata: {name: typed, annotations: {services.k8s.aws/adoption-policy: adopt-or-create}}\nspec: {name: " + finance + "}\n"
	own := "apiVersion: s3.services.k8s.aws/v1alpha1\nkind: Bucket\nmetadata: {name: allowed}\nspec: {name: mallory-bucket, acl: public-read}\n"
	for _, try := range []struct {
		stdin string
		args  []string
		says  string
	}{
		{text, []string{"create", "-f", "-"}, "spec.name must be mallory-bucket or mallory--NAME-bucket"},
		{text, []string{"apply", "-f", "-"}, "spec.name must be"},
		{text, []string{"apply", "--server-side", "-f", "-"}, "spec.name must be"},
		{own, []string{"replace", "-f", "-"}, "spec may have only these fields"},
		{"", []string{"patch", "buckets.s3.services.k8s.aws", "allowed", "--type=merge", "-p", `{"spec":{"acl":"public-read"}}`}, "spec may have only these fields"},
		{"", []string{"annotate", "buckets.s3.services.k8s.aws", "allowed", `services.k8s.aws/adoption-fields={"name":"` + finance + `"}`}, "adoption-fields must be"},
	} {
		out := s.user.Typing(try.stdin).Kubectl(t, append([]string{"-n", s.project}, try.args...)...)
		if out.Code == 0 || !strings.Contains(out.Stderr, run.PolicyName) || !strings.Contains(out.Stderr, try.says) {
			t.Errorf("wants %q: %s", try.says, out)
		}
	}
}

// testStatus: the status is the controller's own to write.
func testStatus(t *testing.T, s session) {
	patch := []byte(`{"status":{"ackResourceMetadata":{"arn":"arn:aws:s3:::` + finance + `","ownerAccountID":"123456789012","region":"us-east-2"}}}`)
	_, err := s.buckets.Patch(t.Context(), "allowed", types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if !apierrors.IsForbidden(err) {
		t.Errorf("the status itself: %v", err)
	}
	before, err := s.buckets.Get(t.Context(), "allowed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.buckets.Patch(t.Context(), "allowed", types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil || after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("the status with the rest: %v, %v", err, after)
	}
}

// testPretender: a Deployment that looks like the controller, and its service
// account, are nothing to the policy.
func testPretender(t *testing.T, s session) {
	out := s.user.Typing(strings.ReplaceAll(pretender, "PROJECT", s.project)).Kubectl(t, "apply", "-f", "-")
	if out.Code != 0 {
		t.Fatal(out)
	}
	out = s.user.Kubectl(t, "create", "token", "ack-s3-controller", "-n", s.project)
	if out.Code != 0 {
		t.Fatal(out)
	}
	binding := &rbacv1.RoleBinding{ // what an admin of the project gives it
		ObjectMeta: metav1.ObjectMeta{Name: "pretender"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "ack-s3-controller", Namespace: s.project}},
	}
	if _, err := s.Client.RbacV1().RoleBindings(s.project).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	client := bucketsAs(t, s.user.Kubeconfig, strings.TrimSpace(out.Stdout), s.project)
	foreign := bucket("pretended", fields{"name": finance}, "adoption-policy", "adopt-or-create")
	run.Eventually(t, "the service account is refused by the policy", func(ctx context.Context) error {
		_, err := client.Create(ctx, foreign, metav1.CreateOptions{})
		return wantDenied(err)
	})
}

const pretender = `apiVersion: v1
kind: ServiceAccount
metadata: {name: ack-s3-controller, namespace: PROJECT}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ack-s3-controller, namespace: PROJECT, labels: {app.kubernetes.io/name: ack-s3-controller, app.kubernetes.io/part-of: ack-system}}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: ack-s3-controller}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ack-s3-controller}}
    spec:
      serviceAccountName: ack-s3-controller
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: controller
        image: example.com/mallory/s3-controller:1.10.0
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

// testExempt: a cluster admin, and a service account with cluster-admin, as a
// GitOps engine may have.
func testExempt(t *testing.T, s session) {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "gitops"}}
	if _, err := s.Client.CoreV1().ServiceAccounts("default").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	token, err := s.Client.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), "gitops", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "gitops"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: "gitops", Namespace: "default"}},
	}
	if _, err := s.Client.RbacV1().ClusterRoleBindings().Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for who, client := range map[string]dynamic.ResourceInterface{
		"a cluster admin":   bucketsAs(t, s.Kubeconfig, "", s.project),
		"a service account": bucketsAs(t, s.Kubeconfig, token.Status.Token, s.project),
	} {
		run.Eventually(t, who+" is exempt", func(ctx context.Context) error {
			_, err := client.Create(ctx, bucket("exempt", fields{"name": finance, "acl": "private"}), metav1.CreateOptions{DryRun: []string{"All"}})
			return err
		})
	}
}
