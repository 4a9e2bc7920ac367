package check_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const (
	acks       = testbed.ControllerNamespace
	controller = "ack-s3-controller"
	userConfig = "ack-s3-user-config"
)

func controllerFaults() []fault {
	return []fault{
		{check: "controller-found", status: "not allowed", says: "an admin would see whether the ACK S3 controller runs", admin: true},
		{check: "controller-olm", status: "not allowed", says: "list subscriptions", admin: true},
		{check: "bucket-policy", status: "not allowed", says: "get validatingadmissionpolicies", admin: true},
	}
}

func controllerWideFaults() []fault {
	return []fault{
		{check: "controller-found", status: "warning", says: "no Deployment matches by labels, image or service account", make: with(func(t *testing.T, s *scene) {
			remove(t, s, deployments(), acks, controller)
			outside(t, s)
		})},
		{check: "controller-found", status: "warning", says: "not one: deployment/mallorys -n default", make: with(func(t *testing.T, s *scene) {
			mallorys(t, s)
			remove(t, s, deployments(), acks, controller)
		})},
		{make: mallorys}, // is no fault
		{check: "bucket-policy", status: "warning", says: "ostoy-s3-buckets does not exist", make: func(t *testing.T, s *scene) {
			remove(t, s, policies("validatingadmissionpolicies"), "", run.PolicyName)
		}},
		{check: "bucket-policy", status: "warning", says: "is not enforced", make: func(t *testing.T, s *scene) {
			change(t, s, policies("validatingadmissionpolicybindings"), "", run.PolicyName, `{"spec":{"validationActions":["Warn"]}}`)
		}},
		{check: "bucket-policy", status: "warning", says: "spec.failurePolicy is not as rendered", make: func(t *testing.T, s *scene) {
			change(t, s, policies("validatingadmissionpolicies"), "", run.PolicyName, `{"spec":{"failurePolicy":"Ignore"}}`)
		}},
		{check: "bucket-policy", status: "warning", says: "oc delete -n ack-system rolebinding/late", make: mayWrite},
		{check: "controller-running", says: "oc scale deployment/ack-s3-controller -n ack-system --replicas=1", make: with(func(t *testing.T, s *scene) {
			change(t, s, deployments(), acks, controller, `{"spec":{"replicas":0}}`)
		})},
		{check: "controller-running", says: "nothing gives the variable FEATURE_GATES a value", make: crashing(
			"{\"level\":\"error\",\"msg\":\"Unable to create controller manager\",\"error\":\"invalid value for flag 'feature-gates': invalid feature gate format: $(FEATURE_GATES)\"}",
		)},
		{check: "controller-running", says: "broken with [31m(hidden)", make: crashing("one", "two", "broken with \x1b[31mAKIATESTBEDADMIN0001")},
		{check: "controller-single", says: "2 ACK S3 controllers", make: with(second)},
		{check: "controller-config", says: "FEATURE_GATES", make: settings(`{"FEATURE_GATES":null}`)},
		{check: "controller-config", says: "ENABLE_CARM", make: settings(`{"ENABLE_CARM":null}`)},
		{check: "controller-config", says: "no pair of key and value", make: settings(`{"ACK_RESOURCE_TAGS":"rosa_cluster_ack"}`)},
		{check: "controller-config", says: "AWS_CA_BUNDLE", make: settings(`{"AWS_CA_BUNDLE":"/etc/pki/ca.crt"}`)},
		{check: "controller-config", says: "oc create configmap ack-s3-user-config", make: with(func(t *testing.T, s *scene) {
			remove(t, s, core("configmaps"), acks, userConfig)
		})},
		{check: "controller-identity", says: "oc annotate serviceaccount/ack-s3-controller -n ack-system", make: with(func(t *testing.T, s *scene) {
			change(t, s, core("serviceaccounts"), acks, controller, `{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":null}}}`)
		})},
		{check: "controller-identity", says: "the pod has no AWS_ROLE_ARN", make: with(func(t *testing.T, s *scene) {
			s.Webhook.Miss(acks, 1)
			must(t, s.Client.CoreV1().Pods(acks).DeleteCollection(t.Context(), metav1.DeleteOptions{}, metav1.ListOptions{}))
		})},
		{check: "controller-role", says: "cannot manage the bucket", make: with(func(t *testing.T, s *scene) {
			controllerReaches(t, s, "ostoy-*-bucket")
		})},
		{check: "controller-config", status: "warning", says: "no harm here", make: settings(`{"AWS_REGION":"us-west-2"}`)},
		{check: "controller-version", says: "1.0.28 cannot take over", make: image("mirror.example.com:5000/ack/s3-controller:1.0.28")},
		{check: "controller-version", status: "warning", says: "before 1.1.0", make: image("public.ecr.aws/aws-controllers-k8s/s3-controller:1.0.35")},
		{check: "controller-config", says: "it watches only elsewhere", make: settings(`{"ACK_WATCH_NAMESPACE":"elsewhere"}`)},
		{check: "controller-olm", says: "waits for approval", make: unapproved},
		{check: "controller-olm", says: "TooManyOperatorGroups", make: func(t *testing.T, s *scene) {
			status(t, s, "clusterserviceversions", "ack-s3-controller.v1.10.0", `{"status":{"phase":"Failed","reason":"TooManyOperatorGroups","message":"csv created in namespace with multiple operatorgroups"}}`)
		}},
		{check: "controller-single", status: "warning", says: "Helm release s3", make: func(t *testing.T, s *scene) {
			change(t, s, crds(), "", "buckets.s3.services.k8s.aws", `{"metadata":{"annotations":{"meta.helm.sh/release-name":"s3","meta.helm.sh/release-namespace":"elsewhere"}}}`)
		}},
		{check: "webhook", status: "warning", says: "podIdentity=webhook", with: byWebhook(), flags: byWebhook(), make: func(t *testing.T, s *scene) {
			remove(t, s, webhooks(), "", "pod-identity-webhook")
		}},
		{check: "webhook", status: "warning", says: "another cloud's", with: byWebhook(), flags: byWebhook(), make: func(t *testing.T, s *scene) {
			change(t, s, webhooks(), "", "pod-identity-webhook", `{"webhooks":null}`)
		}},
		// The last: with the kind, every Bucket of the bed goes.
		{check: "ack-crd", says: "does not know Buckets", make: noKind},
	}
}

// outside wants that nobody advises a second controller if the project's Bucket shows
// that one runs outside of the cluster, also before an install.
func outside(t *testing.T, s *scene) {
	for _, args := range [][]string{{"check"}, {"check", "--pre"}, {"install", "--dry-run=client"}} {
		result := s.User.Run(t, append(args, "-n", s.Namespace)...).WantCode(t, 0)
		if said := result.Stdout + result.Stderr; !strings.Contains(said, "outside this cluster") || strings.Contains(said, "controller install") {
			t.Error(result)
		}
	}
	const empty = "no-bucket-yet"
	must(t, s.Bed.NewNamespace(t.Context(), empty))
	without := s.User.Run(t, "check", "--pre", "-n", empty).WantCode(t, 4)
	for _, want := range []string{"oc ostoy-s3 controller install", "if a controller outside this cluster manages Buckets"} {
		if !strings.Contains(without.Stdout, want) {
			t.Errorf("stdout lacks %q\n%s", want, without)
		}
	}
}

// mayWrite lets a user write to the controller's namespace.
func mayWrite(t *testing.T, s *scene) {
	bindings := s.Client.RbacV1().RoleBindings(acks)
	_, err := bindings.Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "late"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "mallory"}},
	}, metav1.CreateOptions{})
	must(t, err)
	t.Cleanup(func() {
		mustBeGone(t, bindings.Delete(context.WithoutCancel(t.Context()), "late", metav1.DeleteOptions{}))
	})
}

// with makes a fault of the controller, and waits for it to be well again when
// all is put back.
func with(make func(t *testing.T, s *scene)) func(t *testing.T, s *scene) {
	return func(t *testing.T, s *scene) {
		t.Helper()
		t.Cleanup(func() { must(t, s.ControllerSettled(context.WithoutCancel(t.Context()))) })
		make(t, s)
	}
}

func policies(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: resource}
}

// settings changes keys of the controller's ConfigMap.
func settings(data string) func(t *testing.T, s *scene) {
	return with(func(t *testing.T, s *scene) {
		change(t, s, core("configmaps"), acks, userConfig, `{"data":`+data+`}`)
	})
}

// image runs another image of the controller, without what OLM notes of it.
func image(name string) func(t *testing.T, s *scene) {
	return with(func(t *testing.T, s *scene) {
		keep(t, s, deployments(), acks, controller)
		_, err := s.Dynamic.Resource(deployments()).Namespace(acks).Patch(t.Context(), controller, types.JSONPatchType,
			fmt.Appendf(nil, `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":%q}]`, name), metav1.PatchOptions{})
		must(t, err)
	})
}

// crashing lets the controller's pod end over and over, with a log of the run
// before.
func crashing(lines ...string) func(t *testing.T, s *scene) {
	return with(func(t *testing.T, s *scene) {
		pods := s.Client.CoreV1().Pods(acks)
		list, err := pods.List(t.Context(), metav1.ListOptions{})
		must(t, err)
		pod := list.Items[0].Name
		var text strings.Builder
		for _, line := range lines {
			fmt.Fprintf(&text, "2026-01-02T03:04:05.000000000Z stderr F %s\n", line)
		}
		file := filepath.Join(t.TempDir(), "previous.log")
		must(t, os.WriteFile(file, []byte(text.String()), 0o644))
		must(t, s.Apply(t.Context(), fmt.Sprintf(`apiVersion: kwok.x-k8s.io/v1alpha1
kind: Logs
metadata: {name: %s, namespace: %s}
spec: {logs: [{containers: [controller], logsFile: %[3]s, previousLogsFile: %[3]s}]}
`, pod, acks, file)))
		_, err = pods.Patch(t.Context(), pod, types.MergePatchType, []byte(`{"status":{
			"conditions":[{"type":"Ready","status":"False"}],
			"containerStatuses":[{"name":"controller","image":"x","imageID":"","ready":false,"restartCount":7,
				"state":{"waiting":{"reason":"CrashLoopBackOff","message":"back-off 5m0s restarting failed container"}},
				"lastState":{"terminated":{"exitCode":1,"reason":"Error"}}}]}}`), metav1.PatchOptions{}, "status")
		must(t, err)
		t.Cleanup(func() { mustBeGone(t, pods.Delete(context.WithoutCancel(t.Context()), pod, metav1.DeleteOptions{})) })
	})
}

// mallorys is a Deployment that looks like the controller, and is none: its service
// account is not allowed to do anything.
func mallorys(t *testing.T, s *scene) {
	t.Cleanup(func() {
		must(t, s.Client.AppsV1().Deployments("default").Delete(context.WithoutCancel(t.Context()), "mallorys", metav1.DeleteOptions{}))
	})
	must(t, s.Apply(t.Context(), `apiVersion: apps/v1
kind: Deployment
metadata: {name: mallorys, namespace: default, labels: {app.kubernetes.io/name: ack-s3-controller}}
spec:
  replicas: 0
  selector: {matchLabels: {app: mallorys}}
  template:
    metadata: {labels: {app: mallorys}}
    spec:
      containers:
      - name: controller
        image: example.com/mallory/s3-controller:1.0.1
        args: [--watch-namespace=elsewhere]
`))
}

// second is a controller of somebody's chart beside OLM's, with credentials of
// its own.
func second(t *testing.T, s *scene) {
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		must(t, s.Client.AppsV1().Deployments("default").Delete(ctx, "mine-s3-chart", metav1.DeleteOptions{}))
		must(t, s.Client.RbacV1().ClusterRoleBindings().Delete(ctx, "mine-s3-chart", metav1.DeleteOptions{}))
		must(t, s.Client.RbacV1().ClusterRoles().Delete(ctx, "mine-s3-chart", metav1.DeleteOptions{}))
		must(t, s.Client.CoreV1().ServiceAccounts("default").Delete(ctx, "mine-s3-chart", metav1.DeleteOptions{}))
	})
	must(t, s.Apply(t.Context(), `apiVersion: v1
kind: ServiceAccount
metadata: {name: mine-s3-chart, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: mine-s3-chart}
rules: [{apiGroups: [s3.services.k8s.aws], resources: [buckets], verbs: [list, update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: mine-s3-chart}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: mine-s3-chart}
subjects: [{kind: ServiceAccount, name: mine-s3-chart, namespace: default}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: mine-s3-chart, namespace: default, labels: {app.kubernetes.io/name: s3-chart, app.kubernetes.io/managed-by: Helm}}
spec:
  selector: {matchLabels: {app: mine}}
  template:
    metadata: {labels: {app: mine}}
    spec:
      serviceAccountName: mine-s3-chart
      containers:
      - name: controller
        image: public.ecr.aws/aws-controllers-k8s/s3-controller:1.9.0
        args: [--aws-region, us-east-2]
        env: [{name: AWS_SHARED_CREDENTIALS_FILE, value: /var/run/secrets/aws/credentials}]
`))
}

// status changes the status of one of OLM's objects.
func status(t *testing.T, s *scene, resource, name, patch string) {
	t.Helper()
	keep(t, s, olm(resource), acks, name)
	_, err := s.Dynamic.Resource(olm(resource)).Namespace(acks).Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	must(t, err)
}

// unapproved is a first installation that is approved by hand, and was not yet.
func unapproved(t *testing.T, s *scene) {
	change(t, s, olm("installplans"), acks, "install-7rk2p", `{"spec":{"approved":false}}`)
	status(t, s, "installplans", "install-7rk2p", `{"status":{"phase":"RequiresApproval"}}`)
	status(t, s, "subscriptions", controller, `{"status":{"installedCSV":null,"state":"UpgradePending"}}`)
}

// noKind takes the kind Bucket away.
func noKind(t *testing.T, s *scene) {
	ctx := t.Context()
	buckets, err := s.Dynamic.Resource(ack.Resource()).List(ctx, metav1.ListOptions{})
	must(t, err)
	remove(t, s, crds(), "", "buckets.s3.services.k8s.aws")
	s.ACK.Pause()
	t.Cleanup(s.ACK.Resume)
	for _, one := range buckets.Items {
		_, _ = s.Dynamic.Resource(ack.Resource()).Namespace(one.GetNamespace()).Patch(ctx, one.GetName(), types.MergePatchType,
			[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	}
}

// byWebhook are the flags of an install whose pods get their identity by the
// webhook alone; check takes the same, or sees a difference.
func byWebhook() []string { return []string{"--set=podIdentity=webhook"} }

// controllerReaches gives the controller a role that IAM knows, for the buckets of a
// pattern.
func controllerReaches(t *testing.T, s *scene, pattern string) {
	name, policy := aws.String(controller), aws.String("ostoy-s3")
	_, err := s.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
	must(t, err)
	_, err = s.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: policy, PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::` + pattern + `"}]}`,
	)})
	must(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, err := s.IAM().DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: policy})
		must(t, err)
		_, err = s.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
		must(t, err)
	})
}
