package controller

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

const testRole = "arn:aws:iam::123456789012:role/ostoy-s3-controller/ack-s3-controller-9b1e22f0"

// played is a cluster with what a test puts into it.
type played struct {
	*clustertest.Server
	t       *testing.T
	objects map[string][]any // by the path of their list
}

// play begins a cluster; with OLM if more says so.
func play(t *testing.T, more ...string) *played {
	t.Helper()
	kinds := []string{
		"v1/Pod", "v1/ConfigMap", "v1/ServiceAccount", "apps/v1/Deployment", "coordination.k8s.io/v1/Lease",
		"s3.services.k8s.aws/v1alpha1/Bucket", "apiextensions.k8s.io/v1/CustomResourceDefinition",
		"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
		"authorization.k8s.io/v1/SubjectAccessReview",
	}
	p := &played{Server: clustertest.New(t, "v1.33.0", append(kinds, more...)...), t: t, objects: map[string][]any{}}
	for _, list := range []string{"/apis/apps/v1/deployments", "/apis/s3.services.k8s.aws/v1alpha1/buckets", subscriptionsPath} {
		p.list(list)
	}
	p.prove(true)
	p.policy(operator.AdmissionPolicy(render.Facts{}, []string{"system:serviceaccount:ack-system:ack-s3-controller"})...)
	return p
}

const (
	policyPath  = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/" + operator.PolicyName
	bindingPath = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/" + operator.PolicyName
)

const reviewsPath = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

// prove says whether service accounts may do what a controller does.
func (p *played) prove(allowed bool) {
	p.Answer("POST "+reviewsPath, map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "status": map[string]any{"allowed": allowed},
	})
}

// policy is the admission policy and its binding.
func (p *played) policy(both ...*unstructured.Unstructured) {
	p.Answer("GET "+policyPath, both[0].Object)
	p.Answer("GET "+bindingPath, both[1].Object)
}

// withOLM is a cluster that has the Operator Lifecycle Manager.
func withOLM(t *testing.T) *played {
	return play(t, "operators.coreos.com/v1alpha1/Subscription", "operators.coreos.com/v1alpha1/InstallPlan", "operators.coreos.com/v1alpha1/ClusterServiceVersion")
}

const subscriptionsPath = "/apis/operators.coreos.com/v1alpha1/subscriptions"

// put adds an object, by itself and to the lists of its namespace and of the
// cluster.
func (p *played) put(resource, text string) {
	p.t.Helper()
	object := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		p.t.Fatalf("%v in\n%s", err, text)
	}
	u := unstructured.Unstructured{Object: object}
	root := "/apis/" + u.GetAPIVersion()
	if !strings.Contains(u.GetAPIVersion(), "/") {
		root = "/api/" + u.GetAPIVersion()
	}
	in := root
	if u.GetNamespace() != "" {
		in += "/namespaces/" + u.GetNamespace()
	}
	p.Answer("GET "+in+"/"+resource+"/"+u.GetName(), object)
	for _, list := range []string{in + "/" + resource, root + "/" + resource} {
		p.list(list, object)
		if in == root {
			break
		}
	}
}

// list answers a list with what it had, and more.
func (p *played) list(path string, more ...any) {
	p.objects[path] = append(p.objects[path], more...)
	items := p.objects[path]
	if items == nil {
		items = []any{}
	}
	p.Answer("GET "+path, map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{}, "items": items})
}

// says is the log of a pod, of this run or the one before.
func (p *played) says(namespace, pod, now, before string) {
	p.Handle("GET /api/v1/namespaces/"+namespace+"/pods/"+pod+"/log", func(w http.ResponseWriter, r *http.Request) {
		text := now
		if r.URL.Query().Get("previous") == "true" {
			text = before
		}
		if r.URL.Query().Get("tailLines") != "200" || r.URL.Query().Get("limitBytes") != "4194304" || r.URL.Query().Get("container") != "controller" {
			text = "asked for " + r.URL.RawQuery
		}
		_, _ = w.Write([]byte(text))
	})
}

// look is the Report, for a user whose namespace is ack-system.
func (p *played) look() *Report {
	p.t.Helper()
	r, err := p.try()
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *played) try() (*Report, error) {
	p.t.Helper()
	conn, err := cluster.Connect(p.Getter("ack-system"), cluster.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	return Status(p.t.Context(), &live.World{Conn: conn, Namespace: "ack-system"}, noon())
}

// names of the controller and where it is.
type site struct{ namespace, name, labels, owner, env string }

// olmSite is as OLM installs it for a Subscription of ours.
func olmSite() site {
	return site{namespace: "ack-system", name: "ack-s3-controller", labels: "olm.owner: ack-s3-controller.v1.13.0", env: `
        - {name: AWS_ROLE_ARN, value: ` + testRole + `}
        - {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /t}
        - {name: AWS_REGION, value: us-east-2}`}
}

// deploy puts a controller: Deployment, ConfigMap, ServiceAccount.
func (p *played) deploy(s site) {
	p.put("deployments", `
apiVersion: apps/v1
kind: Deployment
metadata: {name: `+s.name+`, namespace: `+s.namespace+`, generation: 1, labels: {app.kubernetes.io/name: ack-s3-controller, `+s.labels+`}, managedFields: [`+s.owner+`]}
spec:
  replicas: 1
  selector: {matchLabels: {app: ack}}
  template:
    metadata: {labels: {app: ack}}
    spec:
      serviceAccountName: ack-s3-controller
      containers:
      - name: controller
        image: public.ecr.aws/aws-controllers-k8s/s3-controller:1.13.0
        args: ["--aws-region", $(AWS_REGION), "--enable-leader-election=$(ENABLE_LEADER_ELECTION)", "--leader-election-namespace", $(LEADER_ELECTION_NAMESPACE), "--watch-namespace", $(ACK_WATCH_NAMESPACE)]
        envFrom: [{configMapRef: {name: ack-s3-user-config, optional: false}}]
        env:
        - {name: ACK_SYSTEM_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}`+s.env+`
status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}
`)
	config := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ack-s3-user-config, namespace: " + s.namespace + "}\ndata:\n"
	for key, value := range ack.SafeConfig("us-east-2") {
		config += "  " + key + ": \"" + value + "\"\n"
	}
	p.put("configmaps", config)
	p.put("serviceaccounts", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ack-s3-controller, namespace: "+s.namespace+"}")
	p.namespace(s.namespace, nil)
}

// pod puts a pod of a controller with that environment and status.
func (p *played) pod(s site, name, env, status string) {
	p.put("pods", `
apiVersion: v1
kind: Pod
metadata: {name: `+name+`, namespace: `+s.namespace+`, creationTimestamp: "2026-01-02T10:00:00Z", labels: {app: ack, pod-template-hash: a}}
spec:
  containers:
  - name: controller
    env:`+env+`
status: `+status)
}

const readyPod = `{phase: Running, conditions: [{type: Ready, status: "True"}], containerStatuses: [{name: controller, ready: true, restartCount: 0, state: {running: {}}}]}`

const crashingPod = `{phase: Running, conditions: [{type: Ready, status: "False"}], containerStatuses: [{name: controller, ready: false, restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error}}}]}`

// lease puts the Lease that a pod holds.
func (p *played) lease(s site, holder, renewed string) {
	p.put("leases", `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: ack-s3.services.k8s.aws, namespace: `+s.namespace+`}
spec: {holderIdentity: "`+holder+`", leaseDurationSeconds: 15, renewTime: "`+renewed+`"}`)
}

// subscription puts one, ours, with that status.
func (p *played) subscription(namespace, status string) {
	p.put("subscriptions", `
apiVersion: operators.coreos.com/v1alpha1
kind: Subscription
metadata: {name: ack-s3-controller, namespace: `+namespace+`, managedFields: [{manager: ostoy-s3, operation: Apply, fieldsType: FieldsV1, fieldsV1: {}}]}
spec:
  name: ack-s3-controller
  channel: alpha
  source: community-operators
  sourceNamespace: openshift-marketplace
  installPlanApproval: Manual
  config: {env: [{name: AWS_ROLE_ARN, value: x}]}
status: `+status)
}

// catalog puts what the catalog of subscription has.
func (p *played) catalog(newest string) {
	p.put("packagemanifests", `
apiVersion: packages.operators.coreos.com/v1
kind: PackageManifest
metadata: {name: ack-s3-controller, namespace: openshift-marketplace}
status:
  packageName: ack-s3-controller
  catalogSource: community-operators
  catalogSourceNamespace: openshift-marketplace
  defaultChannel: alpha
  channels: [{name: alpha, currentCSV: ack-s3-controller.v`+newest+`, currentCSVDesc: {version: `+newest+`}}]`)
}

func (p *played) version(namespace, version, status string) {
	p.put("clusterserviceversions", `
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata: {name: ack-s3-controller.v`+version+`, namespace: `+namespace+`}
spec: {version: `+version+`}
status: `+status)
}

func (p *played) installPlan(namespace, name, csvs string) {
	p.put("installplans", `
apiVersion: operators.coreos.com/v1alpha1
kind: InstallPlan
metadata: {name: `+name+`, namespace: `+namespace+`}
spec: {approved: false, approval: Manual, clusterServiceVersionNames: [`+csvs+`]}
status: {phase: RequiresApproval}`)
}

func (p *played) bucket(namespace, name, meta, status string) {
	p.put("buckets", `
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: {name: `+name+`, namespace: `+namespace+`, creationTimestamp: "2026-01-02T10:00:00Z"`+meta+`}
spec: {name: `+name+`}
status: {conditions: [`+status+`]}`)
}

func (p *played) definition() {
	p.put("customresourcedefinitions", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: buckets.s3.services.k8s.aws}")
}

// good is a cluster where OLM runs ours, and all is well.
func good(t *testing.T) (*played, site) {
	p, s := withOLM(t), olmSite()
	p.definition()
	p.deploy(s)
	p.pod(s, "ack-1", s.env, readyPod)
	p.says(s.namespace, "ack-1", `{"level":"info","ts":"2026-01-02T11:00:00.000Z","msg":"starting"}`, "")
	p.lease(s, "ack-1_0f6a7b1c", "2026-01-02T11:59:57.000000Z")
	p.subscription(s.namespace, `{installedCSV: ack-s3-controller.v1.13.0, currentCSV: ack-s3-controller.v1.13.0, state: AtLatestKnown}`)
	p.catalog("1.13.0")
	p.version(s.namespace, "1.13.0", `{phase: Succeeded, reason: InstallSucceeded}`)
	const synced = `{type: Ready, status: "True"}`
	p.bucket("demo", "demo-bucket", ", finalizers: [finalizers.s3.services.k8s.aws/Bucket]", synced)
	p.bucket("shop", "shop-bucket", ", finalizers: [finalizers.s3.services.k8s.aws/Bucket]", synced)
	return p, s
}
