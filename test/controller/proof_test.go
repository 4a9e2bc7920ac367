package controller_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// lookalike is a Deployment of a project editor that says the worst of itself.
const lookalike = `apiVersion: v1
kind: ServiceAccount
metadata: {name: ack-s3-controller, namespace: second, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::999999999999:role/mallory"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: s3-controller, namespace: second, labels: {app.kubernetes.io/name: ack-s3-controller, app.kubernetes.io/managed-by: Helm}}
spec:
  replicas: 0
  selector: {matchLabels: {app.kubernetes.io/name: ack-s3-controller}}
  template:
    metadata: {labels: {app.kubernetes.io/name: ack-s3-controller}}
    spec:
      serviceAccountName: ack-s3-controller
      containers:
      - name: controller
        image: example.com/mallory/s3-controller:1.0.1
        args: [--watch-namespace=elsewhere, "--aws-region=$(AWS_REGION)"]
        env: [{name: AWS_REGION, value: "us-west-2'; touch /tmp/mallory; '"}]
`

// mallorys are words that no command may repeat of it.
var mallorys = []string{"999999999999", "us-west-2", "touch", "elsewhere"}

// blindRights are those of somebody who administers the cluster, but is not allowed to
// ask what others may do.
const blindRights = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: blind}
rules:
- {apiGroups: [""], resources: ["*"], verbs: ["*"]}
- apiGroups: [admissionregistration.k8s.io, apiextensions.k8s.io, apps, config.openshift.io, coordination.k8s.io, networking.k8s.io, operator.openshift.io, operators.coreos.com,
    packages.operators.coreos.com, project.openshift.io, rbac.authorization.k8s.io, route.openshift.io, s3.services.k8s.aws, security.openshift.io, storage.k8s.io, user.openshift.io]
  resources: ["*"]
  verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: blind}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: blind}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: blind}]
`

// blind is that user.
func (s *scene) blind(t *testing.T) run.User {
	t.Helper()
	must(t, s.Apply(t.Context(), blindRights))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		must(t, s.Client.RbacV1().ClusterRoles().Delete(ctx, "blind", metav1.DeleteOptions{}))
		must(t, s.Client.RbacV1().ClusterRoleBindings().Delete(ctx, "blind", metav1.DeleteOptions{}))
	})
	user := run.ProjectAdmin(t, s.Bed, "blind")
	eventually(t, "the permissions of blind", func(context.Context) error {
		if told := user.Kubectl(t, "get", "deployments", "-A"); told.Code != 0 {
			return errors.New(told.Stderr)
		}
		return nil
	})
	return user
}

const (
	notVerified = "is not verified"
	reviewing   = "create subjectaccessreviews.authorization.k8s.io"
	looksLike   = "deployment/s3-controller -n second"
)

// wantNothingOf: a run repeats nothing that mallory's Deployment says of itself.
func wantNothingOf(t *testing.T, result run.Result) run.Result {
	t.Helper()
	t.Log(result)
	for _, word := range mallorys {
		if strings.Contains(result.Stdout+result.Stderr, word) {
			t.Errorf("it repeats %q\n%s", word, result)
		}
	}
	return result
}

// TestF6Lookalike: a Deployment that looks like the controller neither keeps one from
// being installed nor is judged as it, by any command; a user who is not allowed to ask
// gets no verdict.
func TestF6Lookalike(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.NewNamespace(t.Context(), "second"))
	must(t, s.Apply(t.Context(), lookalike))
	blind := s.blind(t)

	wantNothingOf(t, s.Admin.Run(t, "controller", "status")).WantCode(t, refused).WantTalk(t, "no ACK S3 controller is installed in this cluster", looksLike+": not a controller")
	wantNothingOf(t, blind.Run(t, "controller", "status")).WantCode(t, failed).WantTalk(t, notVerified, looksLike, reviewing)
	wantNothingOf(t, s.uninstall(t, "--dry-run")).WantTalk(t, "nothing to remove")
	wantNothingOf(t, blind.Run(t, "controller", "uninstall")).WantCode(t, done).WantTalk(t, "nothing to remove", notVerified)
	for _, flags := range [][]string{{"--dry-run=server"}, {}} {
		args := append([]string{"controller", "install", "--bucket-pattern", "*-bucket"}, flags...)
		wantNothingOf(t, blind.Run(t, args...)).WantCode(t, refused).WantTalk(t, notVerified, looksLike, reviewing)
	}
	wantNothingOf(t, s.install(t, "--dry-run=server")).WantTalk(t, "+ operator", looksLike+" is not exempt").WantNoTalk(t, "it is used as it is")
	s.wantNothingWritten(t)
	wantNothingOf(t, s.install(t)).WantTalk(t, looksLike+" is not exempt")
	wantNothingOf(t, s.install(t)).WantTalk(t, "nothing to change")

	s.until(t, func(d document) string {
		if len(d.Controllers) != 1 || d.Controllers[0].Namespace != namespace || d.State != "ok" {
			return "not the one controller"
		}
		return ""
	})
	told := wantNothingOf(t, s.Admin.Run(t, "controller", "status")).WantCode(t, done)
	if !strings.Contains(told.Stdout, "second/s3-controller") || !strings.Contains(told.Stdout, "not a controller of the cluster") {
		t.Errorf("the lookalike is not named:\n%s", told.Stdout)
	}
	var d document
	blind.Run(t, "controller", "status", "-o", "json").WantCode(t, done).JSON(t, &d)
	if len(d.Controllers) != 1 || d.Controllers[0].Namespace != namespace || d.Controllers[0].State != "unknown" {
		t.Errorf("%+v", d.Controllers)
	}
	s.appBesideLookalike(t, blind)
	wantNothingOf(t, s.uninstall(t)).WantNoTalk(t, "second")
	s.wantLeft(t)
}

// appBesideLookalike: both install an app, and check it.
func (s *scene) appBesideLookalike(t *testing.T, blind run.User) {
	t.Helper()
	must(t, s.NewNamespace(t.Context(), "demo"))
	wantNothingOf(t, blind.Run(t, "install", "-n", "demo")).WantCode(t, done).WantTalk(t, "whether one runs "+notVerified, "✔ verified")
	wantNothingOf(t, s.Admin.Run(t, "install", "-n", "demo")).WantCode(t, done)
	for user, want := range map[*run.User]string{&s.Admin: "passed", &blind: "not allowed"} {
		var told struct {
			Checks []struct{ ID, Group, Status, What, Why, Next string }
		}
		wantNothingOf(t, user.Run(t, "check", "-n", "demo", "-o", "json")).WantCode(t, done).JSON(t, &told)
		for _, one := range told.Checks {
			text := one.What + one.Why + one.Next
			switch {
			case one.ID == "controller-found" && one.Status != want, one.ID == "controller-found" && want != "passed" && !strings.Contains(text, reviewing):
				t.Errorf("%s: %+v", user.Name, one)
			case one.Status == "failed", one.Status == "warning" && strings.Contains(text, "s3-controller"):
				t.Errorf("%s: %+v", user.Name, one)
			}
		}
	}
	wantNothingOf(t, s.Admin.Run(t, "status", "-n", "demo")).WantCode(t, done)
	wantNothingOf(t, blind.Run(t, "status", "-n", "demo")).WantCode(t, done)
	s.Admin.Run(t, "uninstall", "-n", "demo", "--yes").WantCode(t, done)
}
