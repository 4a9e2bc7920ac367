package testbed_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const operatorManifest = `apiVersion: v1
kind: Namespace
metadata: {name: ack-system}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ack-s3-controller
  namespace: ack-system
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/ack"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ack-s3-user-config, namespace: ack-system}
data:
  ACK_ENABLE_DEVELOPMENT_LOGGING: "false"
  ACK_LOG_LEVEL: info
  ACK_RESOURCE_TAGS: ""
  ACK_WATCH_NAMESPACE: ""
  AWS_ENDPOINT_URL: ""
  AWS_REGION: us-east-2
  ENABLE_CARM: "true"
  ENABLE_LEADER_ELECTION: "true"
  LEADER_ELECTION_NAMESPACE: ""
  RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS: "1"
---
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-s3-controller, namespace: ack-system}
spec:
  channel: alpha
  installPlanApproval: Manual
  name: ack-s3-controller
  source: community-operators
  sourceNamespace: openshift-marketplace
  startingCSV: VERSION
`

const groupManifest = `apiVersion: operators.coreos.com/v1
kind: OperatorGroup
metadata: {name: NAME, namespace: ack-system}
spec: {}
`

// identityConfig is an identity that OLM does not wipe: OLM before 0.33 drops a service
// account's annotations.
const identityConfig = `{"spec":{"config":{
	"env":[{"name":"AWS_ROLE_ARN","value":"arn:aws:iam::123456789012:role/ack"},{"name":"AWS_WEB_IDENTITY_TOKEN_FILE","value":"/var/run/secrets/eks.amazonaws.com/serviceaccount/token"}],
	"volumeMounts":[{"name":"aws-iam-token","mountPath":"/var/run/secrets/eks.amazonaws.com/serviceaccount","readOnly":true}],
	"volumes":[{"name":"aws-iam-token","projected":{"sources":[{"serviceAccountToken":{"audience":"sts.amazonaws.com","path":"token"}}]}}]}}}`

func olmKind(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: resource}
}

// TestOLM installs the controller on a bed without one, from the Subscription to
// a Bucket, meeting what can go wrong on the way; then it is upgraded and
// removed. The parts follow each other on one bed.
func TestOLM(t *testing.T) {
	bed := start(t, testbed.Options{NoController: true})
	for _, part := range []struct {
		name string
		test func(*testing.T, *testbed.Bed)
	}{
		{"unresolved", testUnresolved},
		{"plans", testPlans},
		{"operator groups", testGroups},
		{"configuration and identity", testStartup},
		{"at work", testAtWork},
		{"upgrade", testUpgrade},
		{"removal", testRemoval},
	} {
		if !t.Run(part.name, func(t *testing.T) { part.test(t, bed) }) {
			return
		}
	}
}

// fieldOf reads an object of OLM's until a field is what it shall be.
func fieldOf(bed *testbed.Bed, resource, name, want string, path ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		object, err := bed.Dynamic.Resource(olmKind(resource)).Namespace("ack-system").Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		got, _, err := unstructured.NestedString(object.Object, path...)
		if err == nil && got != want {
			err = fmt.Errorf("%s %s: %s is %q, want %q; status %v", resource, name, strings.Join(path, "."), got, want, object.Object["status"])
		}
		return err
	}
}

func patch(t *testing.T, bed *testbed.Bed, resource schema.GroupVersionResource, name, text string) {
	t.Helper()
	_, err := bed.Dynamic.Resource(resource).Namespace("ack-system").Patch(t.Context(), name, types.MergePatchType, []byte(text), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// planOf waits for the Subscription to lead to a CSV and returns its plan.
func planOf(t *testing.T, bed *testbed.Bed, csv string) *unstructured.Unstructured {
	t.Helper()
	eventually(t, "current CSV", fieldOf(bed, "subscriptions", olm.Package, csv, "status", "currentCSV"))
	sub, err := bed.Dynamic.Resource(olmKind("subscriptions")).Namespace("ack-system").Get(t.Context(), olm.Package, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := unstructured.NestedString(sub.Object, "status", "installPlanRef", "name")
	eventually(t, "plan", fieldOf(bed, "installplans", name, "RequiresApproval", "status", "phase"))
	plan, err := bed.Dynamic.Resource(olmKind("installplans")).Namespace("ack-system").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func namesOf(plan *unstructured.Unstructured) string {
	names, _, _ := unstructured.NestedStringSlice(plan.Object, "spec", "clusterServiceVersionNames")
	return strings.Join(names, " ")
}

// testUnresolved: what is not in the catalog is said, and found later.
func testUnresolved(t *testing.T, bed *testbed.Bed) {
	if _, err := bed.Dynamic.Resource(ack.Resource()).List(t.Context(), metav1.ListOptions{}); !apierrors.IsNotFound(err) {
		t.Errorf("Buckets are known already: %v", err)
	}
	bed.OLM.EmptyCatalog()
	apply(t, bed, "", strings.ReplaceAll(operatorManifest, "VERSION", olm.CSV("1.10.0")))
	eventually(t, "no package", condition(bed, olmKind("subscriptions"), "ack-system", olm.Package, "ResolutionFailed", "True"))
	if err := bed.Dynamic.Resource(olmKind("subscriptions")).Namespace("ack-system").Delete(t.Context(), olm.Package, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	bed.OLM.Reset()
	text, err := kubectl(t.Context(), bed, bed.Kubeconfig, "get", "packagemanifests", "-n", olm.CatalogNamespace, "-o", "jsonpath={.items[*].status.channels[*].currentCSV}")
	if err != nil || text != olm.CSV("1.13.0") {
		t.Errorf("the catalog offers %q, %v", text, err)
	}
}

// testPlans: a plan for something else comes first, and nothing is installed
// before the approval.
func testPlans(t *testing.T, bed *testbed.Bed) {
	bed.OLM.FirstPlan(olm.CSV("1.13.0"))
	bed.OLM.TogetherWith("other-operator.v2.0.0")
	apply(t, bed, "", strings.ReplaceAll(operatorManifest, "VERSION", olm.CSV("1.9.0")))
	first := planOf(t, bed, olm.CSV("1.13.0"))
	second := planOf(t, bed, olm.CSV("1.9.0"))
	if got, want := namesOf(first)+"; "+namesOf(second), "ack-s3-controller.v1.13.0 other-operator.v2.0.0; ack-s3-controller.v1.9.0 other-operator.v2.0.0"; got != want {
		t.Errorf("plans for %s, want %s", got, want)
	}
	bed.OLM.Reset()
	if err := bed.Dynamic.Resource(olmKind("subscriptions")).Namespace("ack-system").Delete(t.Context(), olm.Package, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "plans go with their Subscription", none(bed, olmKind("installplans")))
	if err := none(bed, olmKind("clusterserviceversions"))(t.Context()); err != nil {
		t.Errorf("installed without approval: %v", err)
	}
}

func none(bed *testbed.Bed, resource schema.GroupVersionResource) func(context.Context) error {
	return func(ctx context.Context) error {
		list, err := bed.Dynamic.Resource(resource).Namespace("ack-system").List(ctx, metav1.ListOptions{})
		if err == nil && len(list.Items) > 0 {
			err = fmt.Errorf("%d %s are left", len(list.Items), resource.Resource)
		}
		return err
	}
}

// testGroups: no OperatorGroup, two, and then one.
func testGroups(t *testing.T, bed *testbed.Bed) {
	bed.OLM.KeepAnnotations(false)
	bed.OLM.FailCSV("InstallCheckFailed", "install timeout")
	apply(t, bed, "", strings.ReplaceAll(operatorManifest, "VERSION", olm.CSV("1.10.0")))
	plan := planOf(t, bed, olm.CSV("1.10.0"))
	patch(t, bed, olmKind("installplans"), plan.GetName(), `{"spec":{"approved":true}}`)
	eventually(t, "complete", fieldOf(bed, "installplans", plan.GetName(), "Complete", "status", "phase"))
	reason := func(want string) func(context.Context) error {
		return fieldOf(bed, "clusterserviceversions", olm.CSV("1.10.0"), want, "status", "reason")
	}
	eventually(t, "no group", reason("NoOperatorGroup"))
	for _, name := range []string{"one", "two"} {
		apply(t, bed, "", strings.ReplaceAll(groupManifest, "NAME", name))
	}
	eventually(t, "two groups", reason("TooManyOperatorGroups"))
	groups := schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1", Resource: "operatorgroups"}
	if err := bed.Dynamic.Resource(groups).Namespace("ack-system").Delete(t.Context(), "two", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ordered failure", reason("InstallCheckFailed"))
	bed.OLM.Reset()
	eventually(t, "goes on", reason("InstallWaiting"))
}

// podLog waits for a text in the log of the controller's only pod.
func podLog(bed *testbed.Bed, want string, args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		text, err := kubectl(ctx, bed, bed.Kubeconfig, append([]string{"logs", "-n", "ack-system", "-l", "app.kubernetes.io/name in (ack-s3-controller,s3-chart)"}, args...)...)
		if err == nil && !strings.Contains(text, want) {
			err = errors.New(text)
		}
		return err
	}
}

// testStartup: the pod ends at a missing key, then at a missing identity, as the
// service account lost its annotation at the first installation.
func testStartup(t *testing.T, bed *testbed.Bed) {
	const gates = "invalid value for flag 'feature-gates': invalid feature gate format: $(FEATURE_GATES)"
	eventually(t, "missing key", podLog(bed, gates))
	eventually(t, "missing key", podLog(bed, gates, "--previous"))
	patch(t, bed, schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, "ack-s3-user-config", `{"data":{"FEATURE_GATES":""}}`)
	eventually(t, "missing identity", podLog(bed, "unable to get caller identity"))
	if bed.ACK.Works() {
		t.Error("the controller works without an identity")
	}
	patch(t, bed, olmKind("subscriptions"), olm.Package, identityConfig)
	eventually(t, "installed", fieldOf(bed, "subscriptions", olm.Package, olm.CSV("1.10.0"), "status", "installedCSV"))
	eventually(t, "succeeded", fieldOf(bed, "clusterserviceversions", olm.CSV("1.10.0"), "Succeeded", "status", "phase"))
}

// testAtWork: rights, Buckets, leader and logs; a crash on order.
func testAtWork(t *testing.T, bed *testbed.Bed) {
	checkBucketRights(t, bed, true)
	sync := func(namespace string) {
		t.Helper()
		if err := bed.NewNamespace(t.Context(), namespace); err != nil {
			t.Fatal(err)
		}
		apply(t, bed, namespace, bucketManifest)
	}
	sync("first")
	eventually(t, "bucket", bucketCondition(bed, "first", "Ready", "True"))
	eventually(t, "leader", func(ctx context.Context) error {
		lease, err := bed.Client.CoordinationV1().Leases("ack-system").Get(ctx, ack.LeaseName, metav1.GetOptions{})
		if err == nil && (lease.Spec.HolderIdentity == nil || !strings.HasPrefix(*lease.Spec.HolderIdentity, "ack-s3-controller-")) {
			err = fmt.Errorf("lease %+v", lease.Spec)
		}
		return err
	})
	bed.ControllerLog(`{"level":"error","msg":"Reconciler error"}`)
	eventually(t, "log", podLog(bed, "Reconciler error"))
	bed.CrashController("out of luck")
	eventually(t, "crash", podLog(bed, "out of luck", "--previous"))
	eventually(t, "idle", works(bed, false))
	sync("second")
	bed.CrashController("")
	eventually(t, "healed", bucketCondition(bed, "second", "Ready", "True"))
}

func works(bed *testbed.Bed, want bool) func(context.Context) error {
	return func(context.Context) error {
		if bed.ACK.Works() != want {
			return fmt.Errorf("the controller works: %v", !want)
		}
		return nil
	}
}

// testUpgrade: each version replaces the one before it. OLM before 0.33 drops annotations at an upgrade, a newer one does
// not; the new CSV takes the place of the old one.
func testUpgrade(t *testing.T, bed *testbed.Bed) {
	accounts := schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	bed.OLM.Release("1.14.0")
	bed.OLM.StopLooking(false)
	for _, c := range []struct {
		version string
		keep    bool
	}{{"1.11.0", false}, {"1.12.2", true}, {"1.13.0", false}, {"1.14.0", true}} {
		bed.OLM.KeepAnnotations(c.keep)
		patch(t, bed, accounts, olm.Package, `{"metadata":{"annotations":{"eks.amazonaws.com/role-arn":"arn:aws:iam::123456789012:role/ack"}}}`)
		plan := planOf(t, bed, olm.CSV(c.version))
		patch(t, bed, olmKind("installplans"), plan.GetName(), `{"spec":{"approved":true}}`)
		eventually(t, "installed", fieldOf(bed, "subscriptions", olm.Package, olm.CSV(c.version), "status", "installedCSV"))
		eventually(t, "one CSV", func(ctx context.Context) error {
			text, err := kubectl(ctx, bed, bed.Kubeconfig, "get", "csv", "-n", "ack-system", "-o", "name")
			if err == nil && strings.Count(text, "\n") != 1 {
				err = errors.New(text)
			}
			return err
		})
		account, err := bed.Client.CoreV1().ServiceAccounts("ack-system").Get(t.Context(), olm.Package, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if kept := account.Annotations["eks.amazonaws.com/role-arn"] != ""; kept != c.keep {
			t.Errorf("%s: annotations %v", c.version, account.Annotations)
		}
		deployment, err := bed.Client.AppsV1().Deployments("ack-system").Get(t.Context(), olm.Package, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if image := deployment.Spec.Template.Spec.Containers[0].Image; !strings.HasSuffix(image, ":"+c.version) || deployment.Labels["olm.owner"] != olm.CSV(c.version) {
			t.Errorf("%s: image %s, labels %v", c.version, image, deployment.Labels)
		}
	}
	bed.OLM.Reset()
}

// testRemoval: the CSV's things go with it, the kind stays; without the CSV's
// removal OLM does not install again.
func testRemoval(t *testing.T, bed *testbed.Bed) {
	subscriptions := bed.Dynamic.Resource(olmKind("subscriptions")).Namespace("ack-system")
	again := strings.ReplaceAll(operatorManifest, "VERSION", olm.CSV("1.10.0"))
	if err := subscriptions.Delete(t.Context(), olm.Package, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	apply(t, bed, "", again)
	eventually(t, "orphan", condition(bed, olmKind("subscriptions"), "ack-system", olm.Package, "ResolutionFailed", "True"))
	if err := subscriptions.Delete(t.Context(), olm.Package, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := bed.Dynamic.Resource(olmKind("clusterserviceversions")).Namespace("ack-system").Delete(t.Context(), olm.CSV("1.14.0"), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Deployment", none(bed, schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}))
	eventually(t, "service account", func(ctx context.Context) error {
		_, err := bed.Client.CoreV1().ServiceAccounts("ack-system").Get(ctx, olm.Package, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("still there: %w", err)
	})
	eventually(t, "idle", works(bed, false))
	if list, err := bed.Dynamic.Resource(ack.Resource()).List(t.Context(), metav1.ListOptions{}); err != nil || len(list.Items) != 2 {
		t.Errorf("Buckets are gone: %v", err)
	}
	apply(t, bed, "", again)
	planOf(t, bed, olm.CSV("1.10.0"))
}

// testInstalled: OLM leaves the installation of a bed alone, whatever a test does
// to it, until something newer is released.
func testInstalled(t *testing.T, bed *testbed.Bed) {
	plan := `{"spec":{"approved":false}}`
	patch(t, bed, olmKind("installplans"), "install-7rk2p", plan)
	bed.OLM.Reset() // returns after OLM has looked
	for _, err := range []error{
		fieldOf(bed, "subscriptions", olm.Package, "AtLatestKnown", "status", "state")(t.Context()),
		fieldOf(bed, "installplans", "install-7rk2p", "Complete", "status", "phase")(t.Context()),
		fieldOf(bed, "clusterserviceversions", olm.CSV("1.10.0"), "Succeeded", "status", "phase")(t.Context()),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	bed.OLM.Release("1.13.0")
	if got := namesOf(planOf(t, bed, olm.CSV("1.13.0"))); got != olm.CSV("1.13.0") {
		t.Errorf("a plan for %s", got)
	}
}
