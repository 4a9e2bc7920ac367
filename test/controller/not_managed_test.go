package controller_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// notManaged is what a person applies to have OLM install the operator, under the
// names that OLM and its documents give.
const notManaged = `apiVersion: v1
kind: ConfigMap
metadata: {name: ack-s3-user-config, namespace: ack-system}
data: {AWS_REGION: us-east-2, ACK_WATCH_NAMESPACE: "", ACK_LOG_LEVEL: info, AWS_ENDPOINT_URL: "", ACK_ENABLE_DEVELOPMENT_LOGGING: "false", ACK_RESOURCE_TAGS: "", ENABLE_LEADER_ELECTION: "true", LEADER_ELECTION_NAMESPACE: "", RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS: "1", FEATURE_GATES: "", ENABLE_CARM: "true"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ack-s3-controller, namespace: ack-system, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/of-a-person"}}
---
apiVersion: operators.coreos.com/v1
kind: OperatorGroup
metadata: {name: of-a-person, namespace: ack-system}
spec: {}
---
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-s3-controller, namespace: ack-system}
spec: {channel: alpha, name: ack-s3-controller, source: community-operators, sourceNamespace: openshift-marketplace, startingCSV: ack-s3-controller.v1.12.2, installPlanApproval: APPROVAL}
`

// personsController has somebody install the controller by OLM, to the end.
func (s *scene) personsController(t *testing.T, approval string) {
	t.Helper()
	s.OLM.KeepAnnotations(true)
	must(t, s.NewNamespace(t.Context(), namespace))
	must(t, s.Apply(t.Context(), strings.ReplaceAll(notManaged, "APPROVAL", approval)))
	approved := false
	eventually(t, "OLM installs it", func(ctx context.Context) error {
		for _, plan := range s.objects(t, olm("installplans")) {
			phase, _, _ := unstructured.NestedString(plan.Object, "status", "phase")
			if approval == "Manual" && !approved && phase == "RequiresApproval" {
				_, err := s.Dynamic.Resource(olm("installplans")).Namespace(namespace).Patch(ctx, plan.GetName(),
					"application/merge-patch+json", []byte(`{"spec":{"approved":true}}`), metav1.PatchOptions{FieldManager: "kubectl-patch"})
				approved = err == nil
			}
		}
		deployment, err := s.Client.AppsV1().Deployments(namespace).Get(ctx, "ack-s3-controller", metav1.GetOptions{})
		if err == nil && deployment.Status.AvailableReplicas != 1 {
			err = errors.New("not available")
		}
		return err
	})
	eventually(t, "OLM is at rest", func(ctx context.Context) error {
		if approval == "Manual" {
			return s.upgradeWaits(ctx)
		}
		versions := s.objects(t, olm("clusterserviceversions"))
		if len(versions) != 1 || versions[0].GetName() != "ack-s3-controller.v1.13.0" {
			return errors.New("the upgrade is on its way")
		}
		if phase, _, _ := unstructured.NestedString(versions[0].Object, "status", "phase"); phase != "Succeeded" {
			return errors.New(phase)
		}
		sub := s.object(t, olm("subscriptions"), "ack-s3-controller")
		if installed, _, _ := unstructured.NestedString(sub.Object, "status", "installedCSV"); installed != versions[0].GetName() {
			return errors.New("the Subscription says " + installed)
		}
		if pods := s.objects(t, resource("", "v1", "pods")); len(pods) != 1 {
			return errors.New("the rollout is not over")
		}
		return nil
	})
}

// snapshot is every object of the namespace, and every ClusterRole that is not one of
// ours and that Kubernetes does not put together itself.
func (s *scene) snapshot(t *testing.T) world.World {
	t.Helper()
	all := world.Look(t, s.Bed, namespace)
	list, err := s.Dynamic.Resource(resource("rbac.authorization.k8s.io", "v1", "clusterroles")).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	for _, role := range list.Items {
		_, aggregated, _ := unstructured.NestedMap(role.Object, "aggregationRule")
		if !aggregated && !strings.HasPrefix(role.GetName(), "ostoy-s3-") {
			all["clusterroles/"+role.GetName()] = world.InJSON(role.Object)
		}
	}
	return all
}

// TestNotManaged: of a controller that a person subscribed to, under the same names
// and in the same namespace, nothing is changed or removed, and no run says so.
func TestNotManaged(t *testing.T) {
	t.Parallel()
	for _, approval := range []string{"Automatic", "Manual"} {
		t.Run(approval, func(t *testing.T) {
			s := begin(t)
			s.personsController(t, approval)
			before := s.snapshot(t)
			if len(before) < 10 {
				t.Fatalf("%d objects", len(before))
			}
			s.notManagedInstall(t, before)
			var told document
			s.Admin.Run(t, "controller", "status", "-o", "json").WantCode(t, done).JSON(t, &told)
			if len(told.Controllers) != 1 || told.Controllers[0].Ours {
				t.Errorf("%+v", told.Controllers)
			}
			s.Admin.Run(t, "controller", "status").WantCode(t, done).WantNoTalk(t, "--upgrade")
			before.WantSame(t, s.snapshot(t))
			s.notManagedUninstall(t, before)
			if roles := s.roles(t.Context(), t); len(roles) > 0 {
				t.Errorf("roles: %v", roles)
			}
		})
	}
}

// mentions are what no run may say that it does.
var mentions = []string{"ServiceAccount", "ConfigMap", "OperatorGroup", "+ role", "put back", "approved", "by its InstallPlan"}

func (s *scene) notManagedInstall(t *testing.T, before world.World) {
	t.Helper()
	for _, flags := range [][]string{
		{"--dry-run=client"},
		{"--dry-run=server"},
		{"--dry-run=server", "--identity", "annotation"},
		{},
		{},
		{"--identity", "annotation"},
		{"--force-conflicts", "--force-owner"},
	} {
		s.install(t, append(flags, "--allow-any-bucket")...).WantTalk(t, "installed by OLM (deployment/ack-s3-controller -n ack-system)").WantNoTalk(t, mentions...)
		before.WantSame(t, s.snapshot(t))
	}
	for _, flags := range [][]string{{"--upgrade"}, {"--dry-run=server", "--upgrade"}, {"--version", "9.9.9"}} {
		s.Admin.Run(t, append([]string{"controller", "install", "--allow-any-bucket"}, flags...)...).WantCode(t, refused).
			WantTalk(t, "cannot be done: the ACK S3 controller of this cluster is not managed by ostoy-s3")
		before.WantSame(t, s.snapshot(t))
	}
}

func (s *scene) notManagedUninstall(t *testing.T, before world.World) {
	t.Helper()
	for _, flags := range [][]string{{}, {"--force-owner", "--adopt=role"}} {
		s.install(t, "--allow-any-bucket") // permissions on Buckets, which are ours
		dry := s.uninstall(t, append(slices.Clone(flags), "--dry-run")...)
		for _, told := range []run.Result{dry, s.uninstall(t, flags...)} {
			told.WantTalk(t, "2 ClusterRoles", "this tool did not install it").WantNoTalk(t, "ServiceAccount", "ConfigMap", "OperatorGroup", "role ack-s3-controller")
		}
		before.WantSame(t, s.snapshot(t))
		s.Admin.Run(t, append([]string{"controller", "uninstall"}, flags...)...).WantCode(t, refused).
			WantTalk(t, "deployment ack-s3-controller in ack-system", "oc delete subscriptions")
		before.WantSame(t, s.snapshot(t))
		if _, err := s.Dynamic.Resource(crds()).Get(t.Context(), definition, metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	}
}
