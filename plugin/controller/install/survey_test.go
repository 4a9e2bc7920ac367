package install

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// played is a cluster without OLM in which everything is allowed, and an account that
// knows its issuer and has no role for the controller.
type played struct {
	*run
	talk    *bytes.Buffer
	cluster *clustertest.Server
	account *awstest.Server
}

const (
	clusterRoles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
	allBuckets   = "/apis/s3.services.k8s.aws/v1alpha1/buckets"
)

func play(t *testing.T, request Request) *played {
	t.Helper()
	server := clustertest.New(t, "v1.33.0", "v1/Namespace", "v1/ConfigMap", "v1/ServiceAccount", "v1/Pod", "apps/v1/Deployment",
		"rbac.authorization.k8s.io/v1/ClusterRole", "apiextensions.k8s.io/v1/CustomResourceDefinition", "s3.services.k8s.aws/v1alpha1/Bucket",
		operator.AdmissionGroup+"/v1/ValidatingAdmissionPolicy", operator.AdmissionGroup+"/v1/ValidatingAdmissionPolicyBinding",
		"authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview", "authorization.k8s.io/v1/SubjectAccessReview")
	rules := []any{map[string]any{"verbs": []any{"*"}, "apiGroups": []any{"*"}, "resources": []any{"*"}}}
	for _, review := range []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"} {
		server.Answer("POST /apis/authorization.k8s.io/v1/"+review, map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "Review", "status": map[string]any{"allowed": true, "resourceRules": rules},
		})
	}
	listed(server, "/apis/apps/v1/deployments")
	listed(server, allBuckets)
	account := awstest.New(t)
	account.Answer("GetOpenIDConnectProvider", "<Url>oidc.example.com/1</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList>")
	account.Answer("ListRoles", "<Roles></Roles><IsTruncated>false</IsTruncated>")
	streams, _, _, talk := genericiooptions.NewTestIOStreams()
	fact := func(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }
	s := &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}
	p := &played{run: &run{Session: s, request: request, board: s.UI.Board("controller")}, talk: talk, cluster: server, account: account}
	p.facts = render.Facts{
		Region: fact(awstest.Region), Account: fact(awstest.Account), Partition: fact("aws"), Issuer: fact("https://oidc.example.com/1"),
		Audience: fact("sts.amazonaws.com"), Platform: fact(render.PlatformKubernetes), KubeVersion: fact("v1.33.0"), Namespace: fact("ack-system"),
	}
	var err error
	if p.conn, err = s.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func listed(server *clustertest.Server, path string, items ...any) {
	server.Answer("GET "+path, map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": "1"}, "items": append([]any{}, items...)})
}

func (p *played) look(t *testing.T) (bool, error) {
	return p.survey(t.Context(), &detect.AWS{Config: p.account.Config()})
}

func byPattern() Request {
	r := Request{DryRun: session.DryRunClient}
	r.Role.BucketPattern = "ostoy-*-bucket"
	return r
}

// TestSurvey: where IAM does not know the issuer, no role is planned that no pod could
// assume; where it does, and there is no OLM, the document has the command for Helm.
func TestSurvey(t *testing.T) {
	p := play(t, byPattern())
	if known, err := p.look(t); err != nil || !known || !p.plan.AwaitsHelm() {
		t.Fatalf("%t, %v", known, err)
	}
	if got := document(p.run).Helm; got == "" || got != helmLine(p.run) {
		t.Errorf("%q", got)
	}
	p.account.Refuse("GetOpenIDConnectProvider", 404, "NoSuchEntity", "there is none")
	if _, err := p.look(t); err == nil || !strings.Contains(err.Error(), "IAM does not know the issuer") {
		t.Errorf("%v", err)
	}
}

// TestForceOwner: what Argo CD applies, too, is planned only with --force-owner.
func TestForceOwner(t *testing.T) {
	for _, force := range []bool{false, true} {
		r := byPattern()
		r.ForceOwner = force
		p := play(t, r)
		p.cluster.Answer("GET "+clusterRoles+"/"+operator.ViewRole, map[string]any{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map[string]any{
				"name": operator.ViewRole, "uid": "1", "resourceVersion": "1", "labels": map[string]any{render.TagManagedBy: render.ManagedBy, "argocd.argoproj.io/instance": "x"},
				"managedFields": []any{
					map[string]any{"manager": apply.Manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{}},
					map[string]any{"manager": "argocd-controller", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:rules": map[string]any{}}},
				},
				"annotations": map[string]any{"argocd.argoproj.io/tracking-id": "x:rbac.authorization.k8s.io/ClusterRole:/" + operator.ViewRole},
			},
		})
		if _, err := p.look(t); (err == nil) != force {
			t.Errorf("%t: %v", force, err)
		}
	}
}

// TestPlantedNeedsYes: a Bucket that names the S3 bucket of another project is asked
// about before the controller that would act on it comes, unless you said yes before.
func TestPlantedNeedsYes(t *testing.T) {
	for _, yes := range []bool{false, true} {
		r := byPattern()
		r.Yes = yes
		p := play(t, r)
		p.cluster.Answer("GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+controller.Definition, map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": controller.Definition},
		})
		listed(p.cluster, allBuckets, map[string]any{
			"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket", "metadata": map[string]any{"name": "b", "namespace": "mallory"},
			"spec": map[string]any{"name": "demo-bucket"},
		})
		if _, err := p.look(t); err != nil || len(p.plan.Planted()) != 1 {
			t.Fatalf("%v: %+v", err, p.plan)
		}
		if err := mayExecute(t.Context(), p.run); (err == nil) != yes || err != nil && !strings.Contains(err.Error(), "mallory/b") {
			t.Errorf("%t: %v", yes, err)
		}
	}
}

// TestNarrowNeedsYes: Buckets that would stop syncing are asked about, unless you said
// yes before.
func TestNarrowNeedsYes(t *testing.T) {
	for _, yes := range []bool{false, true} {
		r, _ := reachRun(Request{Yes: yes})
		r.plan.Reach = &controller.Reach{Stopping: []string{"demo/b"}, Narrows: true}
		if err := mayNarrow(t.Context(), r); (err == nil) != yes {
			t.Errorf("%t: %v", yes, err)
		}
	}
}

// theirs is the Deployment of a controller that somebody else installed and scaled.
func theirs(replicas int) map[string]any {
	labels := map[string]any{"app.kubernetes.io/name": "s3-chart", "k8s-app": "s3-chart"}
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "theirs", "namespace": "ack", "uid": "1", "labels": labels},
		"spec": map[string]any{
			"replicas": replicas, "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{
				"serviceAccountName": "ack-s3-controller", "containers": []any{map[string]any{"name": "controller", "image": "public.ecr.aws/aws-controllers-k8s/s3-controller:1.13.0"}},
			}},
		},
		"status": map[string]any{"availableReplicas": replicas, "readyReplicas": replicas},
	}
}

// TestReady: a run is ready when its controller runs, and not when it was waited for in
// vain. What the cluster serves is asked again after something was changed.
func TestReady(t *testing.T) {
	for replicas, want := range []bool{false, true} {
		p := play(t, Request{DryRun: session.DryRunNone, Wait: true, AllowAnyBucket: true})
		p.cluster.Serve("v1/Namespace", "v1/ConfigMap", "v1/Pod", "apps/v1/Deployment", "rbac.authorization.k8s.io/v1/ClusterRole",
			"apiextensions.k8s.io/v1/CustomResourceDefinition", "authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview", "authorization.k8s.io/v1/SubjectAccessReview")
		p.conn.Forget()
		listed(p.cluster, "/apis/apps/v1/deployments", theirs(replicas))
		listed(p.cluster, "/apis/apps/v1/namespaces/ack/deployments", theirs(replicas))
		listed(p.cluster, "/api/v1/namespaces/ack/pods")
		for _, name := range []string{operator.EditRole, operator.ViewRole} {
			p.cluster.Echo("PATCH " + clusterRoles + "/" + name)
		}
		if _, err := p.look(t); err != nil || p.plan.Mode != controller.Used {
			t.Fatalf("%v, %+v", err, p.plan)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := p.execute(ctx); (err == nil) != want || p.ready != want {
			t.Errorf("%d: %v, ready %t", replicas, err, p.ready)
		}
		before := p.cluster.Requests()["GET /apis"]
		if _, err := p.conn.Discovery(t.Context()); err != nil || p.cluster.Requests()["GET /apis"] != before+1 {
			t.Errorf("what was served before is taken for what is served now: %v", err)
		}
	}
}

// TestRow: beside an app the role and the objects are called the controller's.
func TestRow(t *testing.T) {
	for bucket, want := range map[string][]string{"": {"role", "objects", "operator"}, "demo-bucket": {"controller's role", "controller's objects", "operator"}} {
		c := &run{bucket: bucket}
		if got := []string{row(c, "role"), row(c, "objects"), row(c, "operator")}; !slices.Equal(got, want) {
			t.Errorf("%q: %q", bucket, got)
		}
	}
}

// TestBesideWaits: the app is installed when the controller is there.
func TestBesideWaits(t *testing.T) {
	r, _ := reachRun(Request{})
	r.Now = time.Now
	if c := Beside(r.Session, Request{}); !c.run.request.Wait {
		t.Error("does not wait")
	}
}

// TestConclude: only a run that changed nothing says so.
func TestConclude(t *testing.T) {
	for _, changed := range []bool{false, true} {
		r, talk := reachRun(Request{Wait: true})
		r.Now = time.Now
		if err := r.conclude(changed, nil, false); err != nil || strings.Contains(talk.String(), "nothing to change") == changed {
			t.Errorf("%t: %v, %q", changed, err, talk)
		}
	}
}

// TestFactsRequired: facts that are not known are named all at once.
func TestFactsRequired(t *testing.T) {
	var told *problem.Error
	if err := (&run{}).checkFacts(detect.Result{}); !errors.As(err, &told) || !strings.Contains(told.Error(), "region") || !strings.Contains(told.Error(), "issuer") {
		t.Errorf("%v", err)
	}
}

// TestPolicyAnnounced: Buckets that the policy refuses are listed where the policy
// changes.
func TestPolicyAnnounced(t *testing.T) {
	for action, want := range map[apply.Action]bool{apply.Update: true, apply.Unchanged: false} {
		r, talk := reachRun(Request{})
		r.plan.Objects = &apply.Plan{Items: []*apply.Item{{Ref: apply.Ref{Group: operator.AdmissionGroup, Kind: "ValidatingAdmissionPolicy"}, Action: action}}}
		r.plan.Admission.Refused = []controller.RefusedBucket{{Namespace: "demo", Name: "b", Why: []string{"why"}}}
		if tellAdmission(r); strings.Contains(talk.String(), "Bucket demo/b: why") != want {
			t.Errorf("%s: %q", action, talk)
		}
	}
}

// TestBesideWithoutOLM: the app is not installed before you installed its controller with
// Helm; what to run for that is said.
func TestBesideWithoutOLM(t *testing.T) {
	p := play(t, byPattern())
	app := project.Project{Conn: p.conn, Facts: p.facts}
	app.Facts.Namespace.Value, app.Found.AWS = "ostoy-1", &detect.AWS{Config: p.account.Config()}
	var told *problem.Error
	if err := (&Controller{p.run}).Plan(t.Context(), app); !errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Next, "helm install") {
		t.Errorf("%v", err)
	}
}

// TestRoleRefused: a role that AWS refuses to create comes after the namespace, the
// inventory and the admission policy. The run says so, once.
func TestRoleRefused(t *testing.T) {
	request := byPattern()
	request.DryRun = session.DryRunNone
	p := play(t, request)
	p.cluster.Answer("POST /api/v1/namespaces", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "ack-system"}})
	p.cluster.Echo("PATCH /api/v1/namespaces/ack-system/configmaps/" + apply.ControllerInventoryName)
	for _, resource := range []string{"validatingadmissionpolicies/", "validatingadmissionpolicybindings/"} {
		p.cluster.Echo("PATCH /apis/" + operator.AdmissionGroup + "/v1/" + resource + operator.PolicyName)
	}
	p.account.Refuse("CreateRole", 403, "AccessDenied", "not authorized to perform: iam:CreateRole")
	if _, err := p.look(t); err != nil {
		t.Fatal(err)
	}
	before := p.talk.Len()
	if err := p.conclude(true, p.execute(t.Context()), false); err == nil || !strings.Contains(err.Error(), "iam:CreateRole") {
		t.Errorf("%v", err)
	}
	const want = "done so far, and staying: namespace ack-system created; inventory (ConfigMap ostoy-s3-controller) written; objects: 2 created\n"
	if said := p.talk.String()[before:]; !strings.Contains(said, want) || strings.Contains(said, "nothing was changed") {
		t.Errorf("want %s%s", want, said)
	}
	p.talk.Reset()
	if err := p.conclude(true, context.Canceled, true); err == nil || p.talk.Len() > 0 {
		t.Errorf("an interrupted run says it twice: %s", p.talk)
	}
}
