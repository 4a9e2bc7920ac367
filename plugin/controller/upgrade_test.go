package controller

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestVersions: what is planned is not what the catalog has, and what cannot be
// read is not the newest.
func TestVersions(t *testing.T) {
	for name, c := range map[string]struct {
		versions  Versions
		available string
		words     string
	}{
		"the newest":              {Versions{Installed: "1.13.0", Newest: "1.13.0"}, "", "installed: 1.13.0; planned by OLM: nothing"},
		"planned, and the newest": {Versions{Installed: "1.11.0", Planned: "1.13.0", Newest: "1.13.0"}, "1.13.0", "planned by OLM: 1.13.0"},
		"planned on the way":      {Versions{Installed: "1.9.0", Planned: "1.10.0", Newest: "1.13.0"}, "1.13.0", "installed: 1.9.0; planned by OLM: 1.10.0; newest in the catalog m/c: 1.13.0"},
		"nothing planned":         {Versions{Installed: "1.9.0", Newest: "1.13.0"}, "1.13.0", "planned by OLM: nothing; newest in the catalog m/c: 1.13.0"},
		"a catalog behind":        {Versions{Installed: "1.11.0", Planned: "1.13.0", Newest: "1.11.0"}, "1.13.0", ""},
		"an older catalog":        {Versions{Installed: "1.11.0", Newest: "1.9.0"}, "", ""},
		"not read":                {Versions{Installed: "1.9.0"}, "", "newest in the catalog m/c: (the catalog could not be read)"},
		"not read, and planned":   {Versions{Installed: "1.9.0", Planned: "1.10.0"}, "1.10.0", ""},
	} {
		c.versions.Catalog = "m/c"
		if got := c.versions.Available(); got != c.available {
			t.Errorf("%s: %q is available, want %q", name, got, c.available)
		}
		if got := c.versions.String(); !strings.Contains(got, c.words) {
			t.Errorf("%s: %s, want %s", name, got, c.words)
		}
	}
}

func TestTarget(t *testing.T) {
	is := olm.Install{Installed: CSVOf("1.9.0"), Source: "c", SourceNamespace: "m"}
	listed := olm.Offer{Package: "ack-s3-controller", Catalog: "c", CatalogNamespace: "m", Channel: "alpha", Versions: []string{"1.13.0", "1.9.0", "1.1.0"}, Listed: true}
	for name, c := range map[string]struct {
		version string
		offers  []olm.Offer
		want    string // "" for a refusal
	}{
		"the newest":           {"", nil, "1.13.0"},
		"one that is listed":   {"1.13.0", []olm.Offer{listed}, "1.13.0"},
		"one that is not":      {"1.12.0", []olm.Offer{listed}, ""},
		"an older one":         {"1.1.0", []olm.Offer{listed}, ""},
		"the one that is":      {"v1.9.0", []olm.Offer{listed}, "1.9.0"},
		"nothing can be read":  {"1.12.0", nil, "1.12.0"},
		"of another catalog's": {"1.12.0", []olm.Offer{{Catalog: "other", CatalogNamespace: "m", Listed: true}}, "1.12.0"},
	} {
		p := &Plan{basis: basis{found: &Found{}, options: Options{Version: c.version, Upgrade: true}}}
		got, err := target(p, is, Versions{Installed: "1.9.0", Newest: "1.13.0"}, c.offers)
		var told *problem.Error
		refused := errors.As(err, &told) && told.Kind == problem.Refused && told.Next != ""
		if refused != (c.want == "") || VersionOf(got) != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// followed is a follower of the objects, and the client that has them.
func followed(t *testing.T, plan Plan, objects ...string) (*follower, *fake.FakeDynamicClient) {
	t.Helper()
	lists := map[schema.GroupVersionResource]string{
		kinds.InstallPlan.GVR(): "InstallPlanList", kinds.Subscription.GVR(): "SubscriptionList", kinds.ClusterServiceVersion.GVR(): "ClusterServiceVersionList",
		kinds.ServiceAccount.GVR(): "ServiceAccountList", kinds.Pod.GVR(): "PodList", {Group: "apps", Version: "v1", Resource: "deployments"}: "DeploymentList",
	}
	var all []runtime.Object
	for _, text := range objects {
		data, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(data); err != nil {
			t.Fatal(err)
		}
		if object.GetKind() == "Subscription" {
			object = ours(object)
		}
		all = append(all, object)
	}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, all...)
	plan.found = &Found{Namespace: "ack-system", World: &live.World{Conn: &cluster.Conn{Dynamic: client}}}
	plan.Mode, plan.Role = ByOLM, &iam.Plan{Role: iam.Role{ARN: testRole}}
	return &follower{Plan: &plan, done: &Done{}, observe: func(health.State) {}, logs: map[string]string{}}, client
}

const playedSubscription = `
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-s3-controller, namespace: ack-system, resourceVersion: "7"}
`

// told is one State that was told, and when.
type told struct {
	health.State
	at time.Duration
}

// follow follows for five minutes at most.
func follow(t *testing.T, f *follower) (all []told, took time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	started := time.Now()
	err = f.Plan.Follow(ctx, f.done, func(s health.State) { all = append(all, told{s, time.Since(started)}) })
	return all, time.Since(started), err
}

// wantPassing: no warning for 30 s, and not final before 2 min.
func wantPassing(t *testing.T, all []told, took time.Duration, err error) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Kind != problem.NotReady || took < 2*time.Minute || took > 3*time.Minute {
		t.Errorf("ended after %s: %v", took, err)
	}
	warned := slices.IndexFunc(all, func(one told) bool { return one.Level == health.Warn })
	if warned < 0 || all[warned].at < 30*time.Second {
		t.Errorf("warned: %+v", all)
	}
}

func TestRequirementsMayPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := followed(t, Plan{Version: Target{CSV: CSVOf("1.13.0")}}, playedSubscription+"status: {currentCSV: ack-s3-controller.v1.13.0}", `
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata: {name: ack-s3-controller.v1.13.0, namespace: ack-system}
status:
  phase: Pending
  reason: RequirementsNotMet
  requirementStatus:
  - {kind: ServiceAccount, name: ack-s3-controller, status: PresentNotSatisfied, message: Service account is owned by another ClusterServiceVersion}`)
		all, took, err := follow(t, f)
		wantPassing(t, all, took, err)
	})
}

func TestLostPlanMayPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, _ := followed(t, Plan{Version: Target{CSV: CSVOf("1.13.0")}}, playedSubscription+`
status:
  conditions: [{type: BundleUnpackFailed, status: "True", reason: EnsureInstallPlanFailed, message: "error ensuring InstallPlan: the object has been modified"}]`)
		all, took, err := follow(t, f)
		wantPassing(t, all, took, err)
	})
}

// TestNothingPlanned: OLM is made to look at the Subscription again, and what it
// says is told in the end.
func TestNothingPlanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, client := followed(t, Plan{Version: Target{From: "1.9.0", CSV: CSVOf("1.13.0")}}, playedSubscription+`
status:
  installedCSV: ack-s3-controller.v1.9.0
  currentCSV: ack-s3-controller.v1.9.0
  conditions: [{type: ResolutionFailed, status: "True", reason: ConstraintsNotSatisfiable, message: "clusterserviceversion ack-s3-controller.v1.1.0 exists and is not referenced"}]`)
		patches := 0
		client.PrependReactor("patch", "subscriptions", func(action clienttesting.Action) (bool, runtime.Object, error) {
			patch := string(action.(clienttesting.PatchAction).GetPatch())
			if !strings.Contains(patch, `"resourceVersion":"7"`) || !strings.Contains(patch, touched) || strings.Contains(patch, "spec") {
				t.Errorf("patch of %s", patch)
			}
			patches++
			return true, &unstructured.Unstructured{}, nil
		})
		all, took, err := follow(t, f)
		wantPassing(t, all, took, err)
		if patches < 4 || patches > 8 {
			t.Errorf("touched %d times in %s", patches, took)
		}
		if err == nil || !strings.Contains(err.Error(), "planned nothing after 1.9.0, and 1.13.0 is wanted") || !strings.Contains(err.Error(), "is not referenced") {
			t.Error(err)
		}
	})
}

// TestMarkIsRemoved: also where an upgrade was interrupted and another run finds it
// done.
func TestMarkIsRemoved(t *testing.T) {
	for _, from := range []string{"1.9.0", ""} {
		synctest.Test(t, func(t *testing.T) {
			f, client := followed(t, Plan{Version: Target{From: from, CSV: CSVOf("1.13.0")}}, `
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-s3-controller, namespace: ack-system, annotations: {ostoy-s3/resolve-again: "2026-01-02T12:00:00Z", other: stays}}
status: {installedCSV: ack-s3-controller.v1.13.0, currentCSV: ack-s3-controller.v1.13.0}`, `
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata: {name: ack-s3-controller.v1.13.0, namespace: ack-system}
status: {phase: Succeeded}`)
			if _, _, err := follow(t, f); err != nil {
				t.Error(err)
			}
			left, err := client.Resource(kinds.Subscription.GVR()).Namespace("ack-system").Get(t.Context(), "ack-s3-controller", metav1.GetOptions{})
			if err != nil || len(left.GetAnnotations()) != 1 {
				t.Errorf("%v, %v", left.GetAnnotations(), err)
			}
		})
	}
}

// TestAvailableOfTheNewVersion: the Deployment is still that of the version before,
// and available.
func TestAvailableOfTheNewVersion(t *testing.T) {
	const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ack-s3-controller, namespace: ack-system, labels: {olm.owner: VERSION}}
spec: {replicas: 1}
status: {replicas: 1, updatedReplicas: 1, availableReplicas: 1}`
	for owner, ready := range map[string]bool{"ack-s3-controller.v1.9.0": false, "ack-s3-controller.v1.13.0": true} {
		synctest.Test(t, func(t *testing.T) {
			f, _ := followed(t, Plan{Version: Target{From: "1.9.0", CSV: CSVOf("1.13.0")}},
				playedSubscription+"status: {installedCSV: ack-s3-controller.v1.13.0, currentCSV: ack-s3-controller.v1.13.0}", `
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata: {name: ack-s3-controller.v1.13.0, namespace: ack-system}
spec: {install: {spec: {deployments: [{name: ack-s3-controller}]}}}
status: {phase: Succeeded}`, strings.Replace(deployment, "VERSION", owner, 1))
			all, _, err := follow(t, f)
			if (err == nil) != ready {
				t.Errorf("%s: %v", owner, err)
			}
			for _, one := range all {
				if one.Kind == "Deployment" && (one.Ready != ready || strings.Contains(one.Text, "available") != ready) {
					t.Errorf("%s: %+v", owner, one)
				}
			}
		})
	}
}
