package reach

import (
	"context"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

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
