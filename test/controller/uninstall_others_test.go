package controller_test

import (
	"context"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// TestUninstallKeepsWhatWasThere before install came.
func TestUninstallKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.NewNamespace(t.Context(), namespace))
	must(t, s.Apply(t.Context(), group("theirs")))
	s.install(t)
	s.uninstall(t).WantTalk(t, "this tool did not create it", "oc delete roles.rbac.authorization.k8s.io ack-s3-reader ack-s3-writer")
	s.wantLeft(t, "namespace "+namespace, "operatorgroups theirs", "roles ack-s3-reader", "roles ack-s3-writer")
	s.uninstall(t).WantTalk(t, "nothing to remove")
}

// TestUninstallBesideAnotherOperator, which came later and needs group and
// namespace.
func TestUninstallBesideAnotherOperator(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	must(t, s.Apply(t.Context(), `apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: other, namespace: ack-system}
spec: {channel: stable, name: other, source: community-operators, sourceNamespace: openshift-marketplace}
`))
	s.uninstall(t).WantTalk(t, "other operators of the namespace need it: Subscription other", "others have something in it")
	var groups []string
	for _, one := range s.objects(t, resource("operators.coreos.com", "v1", "operatorgroups")) {
		groups = append(groups, "operatorgroups "+one.GetName())
	}
	if len(groups) != 1 {
		t.Fatalf("groups %v", groups)
	}
	s.wantLeft(t, "namespace "+namespace, "subscriptions other", groups[0], "roles ack-s3-reader", "roles ack-s3-writer")
	// When that one has gone, what is left of ours goes, too.
	must(t, s.Dynamic.Resource(olm("subscriptions")).Namespace(namespace).Delete(t.Context(), "other", metav1.DeleteOptions{}))
	s.uninstall(t)
	s.wantLeft(t)
}

// TestUninstallOfSomebodyElses controller is refused; rights of ours beside it go.
func TestUninstallOfSomebodyElses(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.helmsRuns(t)
	refuse := func() {
		t.Helper()
		s.Admin.Run(t, "controller", "uninstall", "--force-owner", "--adopt-role").WantCode(t, refused).
			WantTalk(t, "deployment ack-s3-controller-s3-chart in elsewhere", "by Helm", "helm uninstall")
	}
	refuse()
	s.wantNothingWritten(t)
	s.install(t, "--allow-any-bucket")
	s.uninstall(t).WantTalk(t, "2 ClusterRoles", "this tool did not install it", "helm uninstall")
	if have := s.there(t); len(have) > 0 {
		t.Errorf("left: %q", have)
	}
	if _, err := s.Client.AppsV1().Deployments("elsewhere").Get(t.Context(), "ack-s3-controller-s3-chart", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	refuse()
}

// onlooker may read everything, and nothing else.
const onlooker = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: onlooker}
rules:
- {apiGroups: ["*"], resources: ["*"], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: onlooker}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: onlooker}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: onlooker}
`

func TestUninstallWithoutRights(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	s.mark = s.KubeMark()
	run.ProjectAdmin(t, s.Bed, "learner").Run(t, "controller", "uninstall").WantCode(t, refused).WantTalk(t,
		"you may not remove the ACK S3 controller", "list deployments.apps", "list buckets.s3.services.k8s.aws",
		"delete subscriptions.operators.coreos.com", "clusterroles.rbac.authorization.k8s.io", "ask a cluster admin")
	must(t, s.Apply(t.Context(), onlooker))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		must(t, s.Client.RbacV1().ClusterRoles().Delete(ctx, "onlooker", metav1.DeleteOptions{}))
		must(t, s.Client.RbacV1().ClusterRoleBindings().Delete(ctx, "onlooker", metav1.DeleteOptions{}))
	})
	looks := run.ProjectAdmin(t, s.Bed, "onlooker")
	eventually(t, "the rights to look", func(context.Context) error {
		if told := looks.Kubectl(t, "get", "nodes"); told.Code != 0 {
			return apierrors.NewUnauthorized(told.Stderr)
		}
		return nil
	})
	refusal := looks.Run(t, "controller", "uninstall").WantCode(t, refused).WantTalk(t,
		"in the whole cluster: ", "delete namespaces", "clusterroles.rbac.authorization.k8s.io", "in ack-system: ",
		"subscriptions.operators.coreos.com", "clusterserviceversions.operators.coreos.com", "operatorgroups.operators.coreos.com",
		"configmaps", "serviceaccounts")
	if strings.Contains(refusal.Stderr, "list ") {
		t.Errorf("it names rights that are there\n%s", refusal)
	}
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("written: %v", writes)
	}
}
