package controller

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// is holds a Part against a mark and words of its text and hint.
func is(t *testing.T, what string, p report.Part, mark report.Mark, words ...string) {
	t.Helper()
	if p.Mark != mark {
		t.Errorf("%s is %+v, want %s", what, p, mark)
	}
	for _, word := range words {
		if !strings.Contains(p.Text+"\n"+p.Hint, word) {
			t.Errorf("%s does not say %q: %+v", what, word, p)
		}
	}
}

// one is the only controller of a report.
func one(t *testing.T, r *Report) Instance {
	t.Helper()
	if len(r.Controllers) != 1 {
		t.Fatalf("%d controllers: %+v", len(r.Controllers), r.Controllers)
	}
	return r.Controllers[0]
}

func TestStatusGood(t *testing.T) {
	p, _ := good(t)
	r := p.look()
	i := one(t, r)
	if r.Mark != report.OK || i.Mark != report.OK || !i.Ours || i.Installer != ack.OLM || i.Version != "1.13.0" {
		t.Errorf("%s %+v", r.Mark, i)
	}
	want := &Subscribed{
		Part: report.Part{Mark: report.OK, Text: "installed"}, Namespace: "ack-system", Subscription: "ack-s3-controller", Channel: "alpha",
		Catalog: "openshift-marketplace/community-operators", Approval: "Manual", State: "AtLatestKnown", Installed: "1.13.0", Phase: "Succeeded",
		Newest: &Newest{Part: report.Part{Mark: report.OK, Text: "installed"}, Version: "1.13.0"},
	}
	if diff := cmp.Diff(want, i.OLM); diff != "" {
		t.Error(diff)
	}
	is(t, "role", i.Role.Part, report.OK, "in 1 of 1 pods")
	if i.Role.ARN != testRole || i.Role.From != FromSubscription || i.Region.Name != "us-east-2" || len(i.Watches) != 0 || i.Leader.Holder != "ack-1" {
		t.Errorf("role %+v region %+v watches %v leader %+v", i.Role, i.Region, i.Watches, i.Leader)
	}
	is(t, "errors", i.Errors.Part, report.OK, "none in the last 200 lines")
	if r.Buckets.Total != 2 || r.Buckets.Synced != 2 || len(r.Buckets.Of) != 0 {
		t.Errorf("buckets %+v", r.Buckets)
	}
}

// TestStatusAsksOnce: nothing twice, and nothing but reads and the two reviews, which
// persist nothing, of what the controller's service account is allowed to do.
func TestStatusAsksOnce(t *testing.T) {
	p, _ := good(t)
	p.look()
	for request, n := range p.Requests() {
		if request == "POST "+reviewsPath && n == 2 {
			continue
		}
		if n != 1 || !strings.HasPrefix(request, "GET ") {
			t.Errorf("%s: %d times", request, n)
		}
	}
	if p.Requests()["GET /api/v1/namespaces/ack-system/pods/ack-1/log"] != 1 {
		t.Errorf("its log was not read: %v", p.Requests())
	}
}

func TestStatusUpgrade(t *testing.T) {
	for name, c := range map[string]struct {
		csvs  string
		mark  report.Mark
		words []string
	}{
		"waits":              {"ack-s3-controller.v1.14.0", report.OK, []string{"waits for approval", "oc ostoy-s3 controller install --upgrade"}},
		"waits with another": {"ack-s3-controller.v1.14.0, other.v2.0.0", report.Warning, []string{"other.v2.0.0", "oc patch installplans.operators.coreos.com install-2 -n ack-system"}},
		"is not planned":     {"other.v2.0.0", report.Busy, []string{"waiting for OLM to plan it"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := good(t)
			p.objects[subscriptionsPath] = nil
			p.subscription(s.namespace, `{installedCSV: ack-s3-controller.v1.13.0, currentCSV: ack-s3-controller.v1.14.0, state: UpgradePending}`)
			p.installPlan(s.namespace, "install-2", c.csvs)
			i := one(t, p.look())
			if i.OLM.Upgrade == nil || i.OLM.Upgrade.Version != "1.14.0" {
				t.Fatalf("%+v", i.OLM)
			}
			is(t, "upgrade", i.OLM.Upgrade.Part, c.mark, c.words...)
			if i.Mark != report.OK {
				t.Errorf("an upgrade that waits makes the controller %s", i.Mark)
			}
		})
	}
}

// TestStatusOLMTrouble: what keeps OLM from going on, and a version that failed.
func TestStatusOLMTrouble(t *testing.T) {
	p, s := good(t)
	p.objects[subscriptionsPath] = nil
	p.subscription(s.namespace, `{installedCSV: ack-s3-controller.v1.13.0, currentCSV: ack-s3-controller.v1.13.0, conditions: [{type: ResolutionFailed, status: "True", reason: ErrorPreventedResolution, message: the catalog is away}]}`)
	is(t, "OLM", one(t, p.look()).OLM.Part, report.Warning, "the catalog is away")
	p.version(s.namespace, "1.13.0", `{phase: Failed, reason: TooManyOperatorGroups, message: two}`)
	is(t, "OLM", one(t, p.look()).OLM.Part, report.Wrong, "two", "keep one")
	p.Refuse("GET /apis/operators.coreos.com/v1alpha1/namespaces/ack-system/clusterserviceversions/ack-s3-controller.v1.13.0", 404, "NotFound", "gone")
	is(t, "OLM", one(t, p.look()).OLM.Part, report.Wrong, "is gone")
}

// TestStatusTwo: one of ours by OLM, one by Helm in another namespace, which look
// at the same Buckets.
func TestStatusTwo(t *testing.T) {
	p, _ := good(t)
	helm := site{namespace: "aaa", name: "ack-s3-controller-s3-chart", labels: "app.kubernetes.io/managed-by: Helm", env: `
        - {name: AWS_REGION, value: eu-west-1}`}
	p.deploy(helm)
	p.put("serviceaccounts", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ack-s3-controller, namespace: aaa, annotations: {eks.amazonaws.com/role-arn: "+testRole+"}}")
	p.pod(helm, "helm-1", helm.env+"\n        - {name: AWS_ROLE_ARN, value: "+testRole+"}", readyPod)
	p.says("aaa", "helm-1", "x", "")
	r := p.look()
	if len(r.Controllers) != 2 || !r.Controllers[0].Ours || r.Controllers[1].Ours {
		t.Fatalf("%+v", r.Controllers)
	}
	i := r.Controllers[1]
	if i.Namespace != "aaa" || i.Installer != ack.Helm || i.OLM != nil || i.Role.From != From(ack.FromAnnotation) || i.Role.ARN != testRole || i.Role.Pods != 1 {
		t.Errorf("%+v", i)
	}
	is(t, "region", i.Region.Part, report.OK)
	if i.Region.Name != "eu-west-1" {
		t.Errorf("the Deployment's own variable wins over the ConfigMap: %+v", i.Region)
	}
	is(t, "overlap", r.Overlap, report.Wrong, "2 ACK S3 controllers look at the same Buckets", "--replicas=0")
	is(t, "leader", i.Leader.Part, report.Warning, "there is no Lease")
}

func TestStatusCrash(t *testing.T) {
	p, s := withOLM(t), olmSite()
	p.definition()
	p.deploy(s)
	p.subscription(s.namespace, `{installedCSV: ack-s3-controller.v1.13.0, currentCSV: ack-s3-controller.v1.13.0}`)
	p.version(s.namespace, "1.13.0", `{phase: Installing, reason: InstallWaiting}`)
	p.pod(s, "ack-1", s.env, crashingPod)
	p.says(s.namespace, "ack-1", "", `{"level":"error","ts":"2026-01-02T11:59:00.000Z","logger":"setup","msg":"Unable to create controller manager","error":"invalid resource tag: rosa_cluster_ack AKIAABCDEFGHIJKLMNOP"}`)
	i := one(t, p.look())
	is(t, "pod", i.Pods[0].Part, report.Wrong, "crashes: the resource tag rosa_cluster_ack", "write ACK_RESOURCE_TAGS", "oc edit configmap ack-s3-user-config -n ack-system", "oc rollout restart")
	is(t, "errors", i.Errors.Part, report.Warning, "1 in the last 200 lines")
	if i.Errors.Hint != "" || i.Workload.Hint != "" {
		t.Errorf("what the pod says is said again: %q %q", i.Errors.Hint, i.Workload.Hint)
	}
	if said := i.Errors.Said[0]; said.Why == "" || strings.Contains(said.Text+said.Why+i.Pods[0].Text, "AKIAABC") {
		t.Errorf("%+v", said)
	}
	is(t, "leader", i.Leader.Part, report.Busy, "there is no Lease")
	if i.Pods[0].Restarts != 4 || i.Mark != report.Wrong {
		t.Errorf("%+v", i)
	}
}

func TestStatusErrors(t *testing.T) {
	p, s := good(t)
	line := func(error string) string {
		return `{"level":"error","ts":"2026-01-02T11:59:00.000Z","msg":"Reconciler error","Bucket":{"name":"b","namespace":"demo"},"namespace":"demo","name":"b","error":"` + error + `"}` + "\n"
	}
	p.says(s.namespace, "ack-1", line("Resource already exists in region us-east-1, but the desired state specifies region us-east-2. ")+
		strings.Repeat(line("operation error S3: CreateBucket, https response error StatusCode: 403, RequestID: A, HostID: B, api error AccessDenied: Access Denied"), 3), "")
	e := one(t, p.look()).Errors
	is(t, "errors", e.Part, report.Warning, "4 in the last 200 lines")
	if len(e.Said) != 2 || e.Said[0].Count != 3 || e.Said[0].Why != "its role may not do s3:CreateBucket" || !strings.Contains(e.Said[1].Why, "another region") || e.Said[0].Objects[0] != "demo/b" {
		t.Errorf("%+v", e.Said)
	}
}

func TestStatusLogUnreadable(t *testing.T) {
	p, _ := good(t)
	const log = "GET /api/v1/namespaces/ack-system/pods/ack-1/log"
	p.Forbid(log, "get", "pods", "", `in the namespace "ack-system"`)
	is(t, "errors", one(t, p.look()).Errors.Part, report.Unknown, "not allowed: needs get on pods/log")
	p.Refuse(log, http.StatusBadRequest, "BadRequest", "the kubelet is away")
	r := p.look()
	is(t, "errors", one(t, r).Errors.Part, report.Unknown, "its log cannot be read: the kubelet is away")
	if r.Mark != report.OK {
		t.Errorf("what is unknown makes it %s", r.Mark)
	}
}

func TestStatusLeader(t *testing.T) {
	for name, c := range map[string]struct {
		holder, renewed string
		mark            report.Mark
		says            string
	}{
		"good":       {"ack-1_x", "2026-01-02T11:59:58.000000Z", report.OK, ""},
		"late":       {"ack-1_x", "2026-01-02T11:40:00.000000Z", report.Warning, "does not renew"},
		"a gone pod": {"ack-0_x", "2026-01-02T11:59:58.000000Z", report.Busy, "that pod is gone"},
		"nobody":     {"", "2026-01-02T11:59:58.000000Z", report.Warning, "nobody holds"},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := good(t)
			p.lease(s, c.holder, c.renewed)
			is(t, "leader", one(t, p.look()).Leader.Part, c.mark, c.says)
		})
	}
	p, _ := good(t)
	p.Forbid("GET /apis/coordination.k8s.io/v1/namespaces/ack-system/leases/ack-s3.services.k8s.aws", "get", "leases", "coordination.k8s.io", `in the namespace "ack-system"`)
	is(t, "leader", one(t, p.look()).Leader.Part, report.Unknown, "leases.coordination.k8s.io")
}

func TestStatusIdentity(t *testing.T) {
	annotated := "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ack-s3-controller, namespace: ack-system, annotations: {eks.amazonaws.com/role-arn: " + testRole + "}}"
	bare := "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ack-s3-controller, namespace: ack-system}"
	const injected = "\n        - {name: AWS_ROLE_ARN, value: " + testRole + "}\n        - {name: AWS_REGION, value: us-west-2}"
	for name, c := range map[string]struct {
		env, account, pod string
		mark              report.Mark
		from              From
		arn               string
		says              string
	}{
		"by annotation":        {"", annotated, injected, report.OK, From(ack.FromAnnotation), testRole, "in 1 of 1 pods"},
		"the webhook missed":   {"", annotated, "", report.Wrong, From(ack.FromAnnotation), testRole, "missed it"},
		"annotation dropped":   {"", bare, injected, report.Wrong, From(ack.FromAnnotation), testRole, "OLM before 0.33"},
		"none":                 {"", bare, "", report.Wrong, FromNode, "", "role of the node"},
		"keys":                 {"\n        - {name: AWS_ACCESS_KEY_ID, value: x}", bare, "", report.OK, From(ack.FromKeys), "", ""},
		"pod of another time":  {olmSite().env, bare, "\n    - {name: AWS_ROLE_ARN, value: other}", report.Warning, FromSubscription, testRole, "older"},
		"a token without role": {"\n        - {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}", bare, "", report.Wrong, FromSubscription, "", "nothing names its role"},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := good(t)
			s.env = c.env
			p.objects["/apis/apps/v1/deployments"] = nil
			p.objects["/api/v1/namespaces/ack-system/pods"] = nil
			p.deploy(s)
			p.put("serviceaccounts", c.account)
			p.pod(s, "ack-1", c.pod, readyPod)
			i := one(t, p.look())
			is(t, "role", i.Role.Part, c.mark, c.says)
			if i.Role.From != c.from || i.Role.ARN != c.arn {
				t.Errorf("%+v", i.Role)
			}
			if c.pod == injected {
				is(t, "region", i.Region.Part, report.Warning, "its settings say us-east-2", "AWS_REGION=us-west-2")
				if i.Region.Name != "us-west-2" {
					t.Errorf("%+v", i.Region)
				}
			}
		})
	}
}

func TestStatusSettings(t *testing.T) {
	p, _ := good(t)
	p.put("configmaps", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ack-s3-user-config, namespace: ack-system}\ndata: {ENABLE_LEADER_ELECTION: maybe, LEADER_ELECTION_NAMESPACE: '', ACK_WATCH_NAMESPACE: 'demo,shop'}")
	i := one(t, p.look())
	is(t, "settings", i.Settings.Part, report.Wrong, "ENABLE_LEADER_ELECTION", "oc ostoy-s3 controller install")
	if len(i.Settings.Flaws) != 1 || len(i.Watches) != 2 {
		t.Errorf("%+v %v", i.Settings, i.Watches)
	}
	p.Forbid("GET /api/v1/namespaces/ack-system/configmaps/ack-s3-user-config", "get", "configmaps", "", `in the namespace "ack-system"`)
	i = one(t, p.look())
	is(t, "settings", i.Settings.Part, report.Unknown, "not allowed: needs get and list on configmaps")
	is(t, "role", i.Role.Part, report.OK)
}

func TestStatusBuckets(t *testing.T) {
	p, _ := good(t)
	const managed = ", finalizers: [finalizers.s3.services.k8s.aws/Bucket]"
	p.bucket("a", "denied", managed, `{type: ACK.Recoverable, status: "True", message: "api error AccessDenied: Access Denied"}`)
	p.bucket("b", "making", managed, `{type: ACK.ResourceSynced, status: "False"}`)
	p.bucket("c", "full", managed+`, deletionTimestamp: "2026-01-02T11:00:00Z"`, `{type: ACK.Recoverable, status: "True", message: "api error BucketNotEmpty: full"}`)
	p.bucket("d", "going", managed+`, deletionTimestamp: "2026-01-02T11:00:00Z"`, "")
	p.bucket("e", "new", "", "")
	b := p.look().Buckets
	is(t, "buckets", b.Part, report.Wrong, "2 synced, 1 on their way, 1 failing, 2 being deleted, 1 not seen by a controller yet")
	got := map[string]report.Mark{}
	for _, one := range b.Of {
		got[one.Namespace+"/"+one.Name] = one.Mark
	}
	want := map[string]report.Mark{"a/denied": report.Wrong, "c/full": report.Wrong, "d/going": report.Busy, "e/new": report.Warning}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if none := play(t).look().Buckets; none.Text != "none" || none.Mark != report.OK {
		t.Errorf("%+v", none)
	}
	if b.Of[0].Mark != report.Wrong || b.Of[1].Mark != report.Wrong {
		t.Errorf("the worst do not come first: %+v", b.Of)
	}
}

// TestStatusProjectAdmin: who may not list Deployments everywhere sees those of
// one namespace, or is told what is missing.
func TestStatusProjectAdmin(t *testing.T) {
	p, _ := good(t)
	p.Forbid("GET /apis/apps/v1/deployments", "list", "deployments", "apps", "at the cluster scope")
	p.Forbid("GET "+subscriptionsPath, "list", "subscriptions", "operators.coreos.com", "at the cluster scope")
	p.Forbid("GET /apis/s3.services.k8s.aws/v1alpha1/buckets", "list", "buckets", "s3.services.k8s.aws", "at the cluster scope")
	p.Forbid("GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/buckets.s3.services.k8s.aws", "get", "customresourcedefinitions", "apiextensions.k8s.io", "at the cluster scope")
	r := p.look()
	if i := one(t, r); r.Only != "ack-system" || !i.Ours || i.Mark != report.OK {
		t.Errorf("%+v", r)
	}
	is(t, "buckets", r.Buckets.Part, report.Unknown, "buckets.s3.services.k8s.aws")
	is(t, "kind", r.Kind, report.Unknown, "customresourcedefinitions")

	p.Forbid("GET /apis/apps/v1/namespaces/ack-system/deployments", "list", "deployments", "apps", `in the namespace "ack-system"`)
	_, err := p.try()
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.What+told.Why, "list deployments.apps at the cluster scope") {
		t.Errorf("%v", err)
	}
}

// TestStatusMissing: no controller, and what is left of one.
func TestStatusMissing(t *testing.T) {
	refused := func(p *played, kind problem.Kind, words ...string) {
		t.Helper()
		var told *problem.Error
		if err := p.look().Missing(); !errors.As(err, &told) || told.Kind != kind {
			t.Fatalf("%v", err)
		}
		for _, word := range words {
			if !strings.Contains(told.What+"\n"+told.Why+"\n"+told.Next, word) {
				t.Errorf("it does not say %q: %+v", word, told)
			}
		}
	}
	refused(play(t), problem.Refused, "no ACK S3 controller is installed", "oc ostoy-s3 controller install")

	left := withOLM(t)
	left.definition()
	left.subscription("ack-system", `{currentCSV: ack-s3-controller.v1.13.0, state: UpgradePending}`)
	left.installPlan("ack-system", "install-1", "ack-s3-controller.v1.13.0")
	left.bucket("demo", "demo-bucket", `, deletionTimestamp: "2026-01-02T11:00:00Z", finalizers: [finalizers.s3.services.k8s.aws/Bucket]`, "")
	left.bucket("shop", "shop-bucket", "", "")
	refused(left, problem.Refused, "InstallPlan install-1 waits for approval", "buckets.s3.services.k8s.aws is there", "Buckets that nobody looks after: 2", "let go of them, by finalizer finalizers.s3.services.k8s.aws/Bucket: demo/demo-bucket")

	outside := play(t)
	outside.definition()
	outside.bucket("demo", "demo-bucket", "", `{type: Ready, status: "True"}`)
	refused(outside, problem.Refused, "Buckets whose status is synced: 1", "if a controller outside this cluster manages the Buckets, do not install another one")

	open := play(t)
	open.definition()
	open.missing(policyPath)
	refused(open, problem.Refused, "no ACK S3 controller is installed", "admission policy ostoy-s3-buckets: does not exist")

	alone := play(t)
	alone.Forbid("GET /apis/apps/v1/deployments", "list", "deployments", "apps", "at the cluster scope")
	alone.list("/apis/apps/v1/namespaces/ack-system/deployments")
	refused(alone, problem.Failed, "you may not look into the others", "needs list on deployments.apps in all namespaces")

	p, _ := good(t)
	if err := p.look().Missing(); err != nil {
		t.Error(err)
	}
}

// TestStatusUnanswered: a server that fails is no cluster without a controller.
func TestStatusUnanswered(t *testing.T) {
	p, _ := good(t)
	p.Refuse("GET /apis/apps/v1/deployments", http.StatusBadRequest, "BadRequest", "boom")
	if _, err := p.try(); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("%v", err)
	}
}
