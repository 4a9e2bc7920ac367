package controller_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// approved says of each InstallPlan of the namespace, by the versions it names,
// whether somebody approved it.
func (s *scene) approved(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, plan := range s.objects(t, olm("installplans")) {
		names, _, _ := unstructured.NestedStringSlice(plan.Object, "spec", "clusterServiceVersionNames")
		yes, _, _ := unstructured.NestedBool(plan.Object, "spec", "approved")
		all[strings.Join(names, " ")] = yes
	}
	return all
}

// TestAnotherPlanFirst: OLM's first plan is for another version.
func TestAnotherPlanFirst(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.FirstPlan("ack-s3-controller.v1.9.0")
	s.install(t).WantTalk(t, "1.13.0 installed")
	got := s.approved(t)
	if !got["ack-s3-controller.v1.13.0"] || got["ack-s3-controller.v1.9.0"] || len(got) != 2 {
		t.Errorf("approved: %v", got)
	}
}

// TestPlanForOthersToo: to approve it would install what nobody asked for.
func TestPlanForOthersToo(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.TogetherWith("ack-iam-controller.v1.8.1")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).
		WantTalk(t, "ack-iam-controller.v1.8.1", "oc patch installplan")
	for names, yes := range s.approved(t) {
		if yes {
			t.Errorf("approved: %s", names)
		}
	}
}

func group(name string) string {
	return `apiVersion: operators.coreos.com/v1
kind: OperatorGroup
metadata: {name: ` + name + `, namespace: ack-system}
spec: {}
`
}

func TestOperatorGroups(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.NewNamespace(t.Context(), namespace))
	must(t, s.Apply(t.Context(), group("theirs")))
	s.install(t).WantNoTalk(t, "OperatorGroup")
	if groups := s.objects(t, resource("operators.coreos.com", "v1", "operatorgroups")); len(groups) != 1 || groups[0].GetName() != "theirs" {
		t.Errorf("%d OperatorGroups, want theirs alone", len(groups))
	}
	s.reset(t)
	s.mark = s.KubeMark()
	must(t, s.NewNamespace(t.Context(), namespace))
	must(t, s.Apply(t.Context(), group("one")+"---\n"+group("two")))
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantTalk(t, "one", "two", "oc delete operatorgroup")
	s.wantNothingWritten(t)
}

func TestEmptyCatalog(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.EmptyCatalog()
	eventually(t, "the catalog is empty", s.noOffer)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantTalk(t, "ack-s3-controller", "oc get packagemanifests")
	s.wantNothingWritten(t)
}

func TestVersionFails(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.FailCSV("UnsupportedOperatorGroup", "AllNamespaces InstallModeType not supported, cannot configure to watch all namespaces")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--timeout", "4m").WantCode(t, notReady).
		WantTalk(t, "OLM operator will not become ready", "AllNamespaces InstallModeType not supported")
}

// TestCrash: the controller's own words are told, not that a pod is not ready.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.CrashController(`{"level":"error","msg":"Unable to create controller manager","error":"invalid resource tag: rosa_cluster_ack"}`)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--timeout", "40s").WantCode(t, notReady).
		WantTalk(t, "rosa_cluster_ack", "ACK_RESOURCE_TAGS")
	s.CrashController("")
	s.install(t)
	s.wantIdentity(t)
}

// TestWebhookMisses: the pod is made anew, once; a second miss is no accident.
func TestWebhookMisses(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.Webhook.Miss(namespace, 1)
	s.install(t, "--identity", "annotation").WantTalk(t, "does not work as its role", "it is made anew", "1 of 1 available")
	s.wantIdentity(t)

	s.reset(t)
	s.Webhook.Miss(namespace, 100)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--identity", "annotation").WantCode(t, notReady).
		WantTalk(t, "neither did the one before it", "--identity subscription")
	// The way out that it names.
	s.install(t, "--identity", "subscription").WantTalk(t, "1 of 1 available")
	s.wantIdentity(t)
}

// TestAnnotationDropped: an OLM before 0.33 drops it at the first install, too.
func TestAnnotationDropped(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.OLM.KeepAnnotations(false)
	s.install(t, "--identity", "annotation").WantTalk(t, "restored", "1 of 1 available")
	s.wantIdentity(t)
	s.install(t).WantTalk(t, "nothing to change") // and stays with the annotation
	s.wantIdentity(t)
}

func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, identity := range []string{"subscription", "annotation"} {
		t.Run(identity, func(t *testing.T) {
			s := begin(t)
			s.OLM.KeepAnnotations(identity == "subscription")
			s.install(t, "--identity", identity)
			s.install(t, "--upgrade").WantTalk(t, "1.13.0 is the newest version in the catalog openshift-marketplace/community-operators", "nothing to change")
			s.OLM.Release("1.14.0")
			eventually(t, "the upgrade waits", s.upgradeWaits)
			s.install(t).WantTalk(t, "1.14.0 is available", "nothing to change")
			s.install(t, "--dry-run=server", "--upgrade").WantTalk(t, "1.13.0 → 1.14.0")
			if got := s.approved(t); got["ack-s3-controller.v1.14.0"] {
				t.Error("a dry run approved it")
			}
			s.install(t, "--upgrade").WantTalk(t, "1.13.0 → 1.14.0", "1.14.0 installed", "1 of 1 available")
			if csv := s.csv(t); csv != "ack-s3-controller.v1.14.0" {
				t.Errorf("installed %s", csv)
			}
			s.wantIdentity(t)
			if s.annotation(t) == "" {
				t.Error("the annotation did not survive")
			}
			s.install(t).WantTalk(t, "nothing to change")
		})
	}
}

func TestNotEnoughRights(t *testing.T) {
	t.Parallel()
	s := begin(t)
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantTalk(t,
		"you may not install the ACK S3 controller", "in the whole cluster: ", "create, get namespaces", "clusterroles.rbac.authorization.k8s.io",
		"in ack-system: ", "subscriptions.operators.coreos.com", "installplans.operators.coreos.com", "oc ostoy-s3 controller render")
	s.wantNothingWritten(t)
	// What it names prints what an admin can apply.
	rendered := learner.Run(t, "controller", "render", "--version", "1.13.0", "--oidc-issuer", s.Issuer, "--region", testRegion)
	rendered.WantCode(t, done)
	applied := s.Admin.Typing(rendered.Stdout).Kubectl(t, "apply", "--server-side", "-f", "-")
	applied.WantCode(t, 0)
	if !strings.Contains(s.exempt(t), ourAccount) {
		t.Errorf("the rendered admission policy exempts %q", s.exempt(t))
	}
	if subscription := s.object(t, olm("subscriptions"), "ack-s3-controller"); subscription.GetNamespace() != namespace {
		t.Error(subscription)
	}
}

const testRegion = "us-east-2"

// TestSomebodyElses is there already, in another namespace, by Helm: it is used.
func TestSomebodyElses(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.helmsRuns(t)
	result := s.install(t, "--allow-any-bucket") // which role it has, if any, is in its keys
	result.WantTalk(t, "found     the ACK S3 controller 1.10.0, installed by Helm (deployment/ack-s3-controller-s3-chart -n elsewhere)", "2 ClusterRoles")
	s.install(t).WantTalk(t, "installed by Helm", "nothing to change")
	if roles := s.roles(t.Context(), t); len(roles) > 0 {
		t.Errorf("roles: %v", roles)
	}
	if _, err := s.Client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err == nil {
		t.Error("a namespace for a second controller was made")
	}
}

const helmController = `apiVersion: v1
kind: ServiceAccount
metadata: {name: ack-s3-controller, namespace: elsewhere}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ack-s3-controller-s3-chart}
rules: [{apiGroups: [s3.services.k8s.aws], resources: [buckets, buckets/status], verbs: [get, list, watch, create, update, patch, delete]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: ack-s3-controller-s3-chart}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ack-s3-controller-s3-chart}
subjects: [{kind: ServiceAccount, name: ack-s3-controller, namespace: elsewhere}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ack-s3-controller-s3-chart
  namespace: elsewhere
  labels: {app.kubernetes.io/name: s3-chart, app.kubernetes.io/instance: ack-s3-controller, app.kubernetes.io/managed-by: Helm}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: s3-chart}}
  template:
    metadata: {labels: {app.kubernetes.io/name: s3-chart}}
    spec:
      serviceAccountName: ack-s3-controller
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - {name: controller, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}, image: "public.ecr.aws/aws-controllers-k8s/s3-controller:1.10.0", env: [{name: AWS_REGION, value: us-east-2}, {name: AWS_ACCESS_KEY_ID, value: testing}, {name: AWS_SECRET_ACCESS_KEY, value: testing}]}
`

// TestSomebodyElsesSubscription waits for its approval: a second one would make a
// mess of both.
func TestSomebodyElsesSubscription(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.NewNamespace(t.Context(), namespace))
	must(t, s.Apply(t.Context(), group("theirs")+`---
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-s3-controller, namespace: ack-system}
spec: {channel: alpha, name: ack-s3-controller, source: community-operators, sourceNamespace: openshift-marketplace, installPlanApproval: Manual}
`))
	eventually(t, "OLM plans it", s.upgradeWaits)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).
		WantTalk(t, "Subscription ack-s3-controller in ack-system", "waits for somebody to approve it", "oc patch installplan")
	s.wantNothingWritten(t)
}
