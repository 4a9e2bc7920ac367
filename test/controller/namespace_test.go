package controller_test

import (
	"context"
	"errors"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// TestF1NamespaceOfAUser: a user of a cluster can request a project with the name of the
// controller's namespace. The controller's role is not given to it.
func TestF1NamespaceOfAUser(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.NewNamespace(t.Context(), namespace, "mallory"))
	s.mark = s.KubeMark()
	for _, args := range [][]string{
		{"controller", "install", "--bucket-pattern", "*-bucket"},
		{"controller", "install", "--bucket-pattern", "*-bucket", "--dry-run=server"},
		{"install", "--new-project=demo", "--with-controller", "--bucket-pattern", "*-bucket"},
	} {
		s.Admin.Run(t, args...).WantCode(t, refused).WantTalk(t, "namespace ack-system cannot be trusted with the ACK S3 controller",
			"user mallory (RoleBinding admin)", "oc delete -n ack-system rolebinding/admin", "-n NAMESPACE")
	}
	s.wantNothingWritten(t)

	// Without the RoleBinding the user may still hold tokens that were created with it.
	s.Admin.Kubectl(t, "delete", "rolebinding", "admin", "-n", namespace).WantCode(t, 0)
	_, err := s.Client.CoreV1().Namespaces().Patch(t.Context(), namespace, types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"openshift.io/requester":"mallory"}}}`), metav1.PatchOptions{})
	must(t, err)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantTalk(t, "user mallory (requested the project)")
	s.wantNothingWritten(t)

	// A cluster admin's own namespace is used.
	must(t, s.Client.CoreV1().Namespaces().Delete(t.Context(), namespace, metav1.DeleteOptions{}))
	eventually(t, "the namespace is gone", func(ctx context.Context) error {
		_, err := s.Client.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		if err == nil {
			return errors.New("it still exists")
		}
		return ignoreAbsent(err)
	})
	s.Admin.Kubectl(t, "create", "namespace", namespace).WantCode(t, 0)
	admin := s.Admin.Kubectl(t, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}").WantCode(t, 0).Stdout
	s.Admin.Kubectl(t, "create", "rolebinding", "the-admin", "-n", namespace, "--clusterrole=admin", "--user="+admin).WantCode(t, 0)
	s.install(t).WantTalk(t, "1.13.0 installed")
	// What is given later is a warning: the controller needs its updates.
	s.Admin.Kubectl(t, "create", "rolebinding", "late", "-n", namespace, "--clusterrole=edit", "--user=mallory").WantCode(t, 0)
	s.install(t).WantTalk(t, "user mallory (RoleBinding late)", "nothing to change")
}

// TestF1Planted: a Bucket that waits for a controller, with the S3 bucket of another
// project, is asked about before a controller starts.
func TestF1Planted(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	s.uninstall(t) // the kind of Buckets stays
	must(t, s.NewNamespace(t.Context(), "second"))
	must(t, s.Apply(t.Context(), bucketText("planted", `{"name":"finance-reports-bucket"}`)))
	must(t, s.Apply(t.Context(), bucketText("own", `{"name":"second-bucket"}`)))
	args := []string{"controller", "install", "--bucket-pattern", "*-bucket"}
	s.Admin.Run(t, args...).WantCode(t, misused).WantTalk(t, "1 existing Bucket with the S3 bucket of another project", "second/planted", "--yes", "nothing was changed").WantNoTalk(t, "second/own")
	if roles := s.roles(t.Context(), t); len(roles) > 0 {
		t.Errorf("roles were made: %v", roles)
	}
	s.Admin.Run(t, append(args, "--yes")...).WantCode(t, done).WantTalk(t, "1.13.0 installed")
	s.again(t).WantCode(t, done).WantTalk(t, "nothing to change")
}
