package status

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const arn = "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-00000000"

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func metaTime(t time.Time) metav1.Time { return metav1.NewTime(t) }

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = o.UnmarshalJSON(data) // whole numbers stay whole
	}
	if err != nil {
		t.Fatal(err)
	}
	o.SetNamespace("demo")
	return o
}

// ours is what the server writes down of an object that install applied.
const ours = `
  creationTimestamp: "2026-01-01T12:00:00Z"
  managedFields: [{manager: ostoy-s3, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {}}]
`

func item(t *testing.T, text string) *apply.Item {
	o := object(t, text)
	return &apply.Item{Ref: apply.RefOf(o), Action: apply.Unchanged, Live: o}
}

const (
	bucketText = `
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata:
  name: demo-bucket
  annotations: {services.k8s.aws/deletion-policy: retain}` + ours + `
spec:
  publicAccessBlock: {blockPublicACLs: true, ignorePublicACLs: true, blockPublicPolicy: true, restrictPublicBuckets: true}
  encryption: {rules: [{applyServerSideEncryptionByDefault: {sseAlgorithm: AES256}}]}
  policy: '{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::demo-bucket","arn:aws:s3:::demo-bucket/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}'
status:
  ackResourceMetadata: {region: us-east-2}
  conditions: [{type: Ready, status: "True"}]
`
	accountText = `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ostoy-sa
  annotations: {eks.amazonaws.com/role-arn: "` + arn + `"}` + ours
	frontendText = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ostoy-frontend
  generation: 1` + ours + `
spec: {replicas: 1, selector: {matchLabels: {app: ostoy-frontend}}}
status: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1}
`
	podText = `
apiVersion: v1
kind: Pod
metadata:
  name: ostoy-frontend-1
  creationTimestamp: "2026-01-02T11:00:00Z"
  labels: {app: ostoy-frontend, pod-template-hash: x}
spec:
  nodeName: worker-0
  volumes: [{name: aws-iam-token}]
  containers: [{name: ostoy-frontend, env: [{name: AWS_ROLE_ARN, value: "` + arn + `"}]}]
status:
  conditions: [{type: Ready, status: "True"}]
  containerStatuses: [{name: ostoy-frontend, restartCount: 2, ready: true}]
`
	routeText = `
apiVersion: route.openshift.io/v1
kind: Route
metadata:
  name: ostoy-route` + ours + `
spec: {host: demo.example.com}
status: {ingress: [{host: demo.example.com, conditions: [{type: Admitted, status: "True"}]}]}
`
)

// found is a good install.
func found(t *testing.T) Found {
	return Found{
		Facts: render.Facts{Namespace: render.Fact{Value: "demo"}, Partition: render.Fact{Value: "aws"}, Region: render.Fact{Value: "us-east-2"}},
		Now:   noon(), Again: "oc ostoy-s3 install -n demo", RoleARN: arn,
		Inventory: apply.Inventory{Found: true, Record: apply.Record{Version: "v1"}},
		Plan: &apply.Plan{Items: []*apply.Item{
			item(t, bucketText), item(t, accountText), item(t, frontendText), item(t, routeText),
		}},
		Pods: []*unstructured.Unstructured{object(t, podText)},
		AWS: AWS{
			Bucket: bucket.State{Kind: bucket.Ours, Name: "demo-bucket", Region: "us-east-2"}, Contents: bucket.Contents{Objects: 3, Bytes: 30},
			Public:     bucket.PublicAccess{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
			Policy:     `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::demo-bucket","arn:aws:s3:::demo-bucket/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
			Encryption: bucket.Encryption{Algorithm: "AES256"},
			Role:       &iam.Actual{Exists: true, ARN: arn}, Plan: &iam.Plan{},
		},
	}
}

func TestGood(t *testing.T) {
	r := Of(found(t))
	if r.Mark != OK || r.Drift.Mark != OK || r.Route.URL != "http://demo.example.com" || r.Installed.By != "ostoy-s3" {
		t.Errorf("%+v", r)
	}
	if p := r.Pods[0]; p.Identity != arn || p.Missing != "" || !p.Ready || p.Restarts != 2 {
		t.Errorf("pod %+v", p)
	}
	if r.Bucket.Protection.TLS.From != "S3" || r.Bucket.Protection.weak() {
		t.Errorf("protection %+v", r.Bucket.Protection)
	}
}

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no"))
}

func deniedByAWS() error { return &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"} }

// TestWrong makes one thing wrong at a time and wants its part, and the whole, to
// say so.
func TestWrong(t *testing.T) {
	type judged struct {
		part Part
		want Mark
		text string
		all  Mark
	}
	for name, c := range map[string]struct {
		make func(*Found)
		see  func(Report) judged
	}{
		"bucket not synced": {
			func(f *Found) {
				_ = unstructured.SetNestedSlice(f.item("Bucket", "").Live.Object, []any{map[string]any{"type": "ACK.Terminal", "status": "True", "message": "Resource already exists"}}, "status", "conditions")
			},
			func(r Report) judged { return judged{r.Bucket.Part, Wrong, "already exists", Wrong} },
		},
		"bucket just made": {
			func(f *Found) {
				live := f.item("Bucket", "").Live
				unstructured.RemoveNestedField(live.Object, "status")
				live.SetCreationTimestamp(metaTime(f.Now.Add(-time.Second)))
			},
			func(r Report) judged { return judged{r.Bucket.Part, Busy, "waiting for the ACK controller", Busy} },
		},
		"no controller": {
			func(f *Found) { unstructured.RemoveNestedField(f.item("Bucket", "").Live.Object, "status") },
			func(r Report) judged { return judged{r.Bucket.Part, Warning, "not running", Warning} },
		},
		"bucket may not be seen": {
			func(f *Found) { f.item("Bucket", "").Live, f.item("Bucket", "").Err = nil, forbidden("buckets") },
			func(r Report) judged { return judged{r.Bucket.Part, Unknown, "needs get and list on buckets", OK} },
		},
		"bucket gone from S3": {
			func(f *Found) { f.AWS.Bucket.Kind = bucket.Free },
			func(r Report) judged { return judged{r.Bucket.Part, Wrong, "no bucket of that name", Wrong} },
		},
		"bucket of another account": {
			func(f *Found) { f.AWS.Bucket = bucket.State{Kind: bucket.OtherAccount, Sure: true} },
			func(r Report) judged { return judged{r.Bucket.Part, Wrong, "another AWS account", Wrong} },
		},
		"bucket hidden": {
			func(f *Found) { f.AWS.Bucket = bucket.State{Kind: bucket.OtherAccount} },
			func(r Report) judged { return judged{r.Bucket.Part, OK, "synced", OK} },
		},
		"public": {
			func(f *Found) { f.AWS.Public.BlockPublicPolicy = false },
			func(r Report) judged { return judged{r.Bucket.Part, Warning, "synced", Warning} },
		},
		"role gone": {
			func(f *Found) {
				f.AWS.Role, f.AWS.Plan = &iam.Actual{}, &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}}
			},
			func(r Report) judged { return judged{r.Role.Part, Wrong, "not there", Wrong} },
		},
		"role refused": {
			func(f *Found) { f.AWS.RoleErr = deniedByAWS() },
			func(r Report) judged { return judged{r.Role.Part, Unknown, "iam:GetRole", OK} },
		},
		"role of others": {
			func(f *Found) { f.AWS.PlanErr = errors.New("it belongs to somebody else") },
			func(r Report) judged { return judged{r.Role.Part, Wrong, "somebody else", Wrong} },
		},
		"role of others, on record": {
			func(f *Found) {
				f.Inventory.RoleOrigin, f.AWS.PlanErr = apply.OriginExisting, errors.New("it belongs to somebody else")
			},
			func(r Report) judged { return judged{r.Role.Part, Unknown, "--iam=skip", OK} },
		},
		"role of others, gone": {
			func(f *Found) {
				f.Inventory.RoleOrigin, f.AWS.Role = apply.OriginExisting, &iam.Actual{}
				f.AWS.Plan = &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}}
			},
			func(r Report) judged { return judged{r.Role.Part, Wrong, "not there", Wrong} },
		},
		"trust": {
			func(f *Found) {
				f.AWS.Plan.Steps = []iam.Step{{Kind: iam.UpdateTrust, What: "trust policy", Reason: "it trusts old"}}
			},
			func(r Report) judged { return judged{r.Role.Trust, Wrong, "it trusts old", Wrong} },
		},
		"tags": {
			func(f *Found) { f.AWS.Plan.Steps = []iam.Step{{Kind: iam.TagRole, What: "tags"}} },
			func(r Report) judged { return judged{r.Role.Part, Warning, "tags drifted", Warning} },
		},
		"tags of later versions": {
			func(f *Found) {
				f.AWS.Plan.Steps = []iam.Step{{Kind: iam.TagRole, What: "tags", Reason: "that earlier versions did not set"}}
			},
			func(r Report) judged {
				return judged{r.Role.Part, Warning, "without the tags that earlier versions did not set", Warning}
			},
		},
		"another role": {
			func(f *Found) {
				f.item("ServiceAccount", "").Live.SetAnnotations(map[string]string{"eks.amazonaws.com/role-arn": "arn:x"})
			},
			func(r Report) judged { return judged{r.ServiceAccount.Part, Warning, "another role", Warning} },
		},
		"pod without identity": {
			func(f *Found) { unstructured.RemoveNestedField(f.Pods[0].Object, "spec", "volumes") },
			func(r Report) judged { return judged{r.Pods[0].Part, Wrong, "ready", Wrong} },
		},
		"pods may not be seen": {
			func(f *Found) { f.Pods, f.PodsErr = nil, forbidden("pods") },
			func(r Report) judged { return judged{r.PodsPart, Unknown, "pods", OK} },
		},
		"route gone": {
			func(f *Found) { f.item("Route", "").Live, f.item("Route", "").Action = nil, apply.Create },
			func(r Report) judged { return judged{r.Route.Part, Wrong, "not there", Wrong} },
		},
		"on its way out": {
			func(f *Found) { now := metaTime(f.Now); f.item("Route", "").Live.SetDeletionTimestamp(&now) },
			func(r Report) judged { return judged{r.Drift.Part, Warning, "1 object", Warning} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := found(t)
			c.make(&f)
			r := Of(f)
			got := c.see(r)
			if got.part.Mark != got.want || !strings.Contains(got.part.Text, got.text) || r.Mark != got.all {
				t.Errorf("%+v (all %s), want %s with %q (all %s)", got.part, r.Mark, got.want, got.text, got.all)
			}
		})
	}
}

func TestDrift(t *testing.T) {
	f := found(t)
	f.item("Route", "").Changes = []apply.FieldChange{{Path: "spec.host", Before: "a", After: "b", Manager: "kubectl"}}
	f.item("ServiceAccount", "").Changes = []apply.FieldChange{{Path: "metadata.labels.x"}}
	f.item("Bucket", "").Err = errors.New("Argo CD brings it")
	f.Plan.Left = []*apply.Item{{Ref: apply.Ref{Kind: "Service", Name: "old"}, Action: apply.Delete, Live: object(t, routeText)}}
	f.AWS.Plan.Steps = []iam.Step{{Kind: iam.PutPolicy, What: "inline policy", Reason: "it is not there"}}
	d := Of(f).Drift
	var objects []string
	for _, o := range d.Cluster {
		objects = append(objects, o.Object)
	}
	if diff := cmp.Diff([]string{"ServiceAccount ostoy-sa", "Route ostoy-route", "Service old"}, objects); diff != "" {
		t.Error(diff)
	}
	if d.Cluster[0].ByOthers() || !d.Cluster[1].ByOthers() {
		t.Error("who changed it is told wrongly")
	}
	if len(d.IAM) != 1 || d.Text != "3 objects and the role" {
		t.Errorf("%+v", d)
	}
}

func TestRow(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(*Seen)
		role  RoleWord
		drift string
		mark  Mark
	}{
		"good":            {func(*Seen) {}, RoleOK, "no", OK},
		"role gone":       {func(s *Seen) { s.Role = nil }, RoleMissing, "iam", Wrong},
		"role not seen":   {func(s *Seen) { s.RoleErr = deniedByAWS() }, RoleUnknown, "?", OK},
		"policy not seen": {func(s *Seen) { s.PolicyErr = deniedByAWS() }, RoleOK, "?", OK},
		"policy":          {func(s *Seen) { s.PolicyDrift = "more" }, RoleStale, "iam", Wrong},
		"trust":           {func(s *Seen) { s.Role.Trust = "{}" }, RoleStale, "iam", Wrong},
		"trust, role of others": {
			func(s *Seen) { s.Inventory.RoleOrigin, s.Role.Trust = apply.OriginExisting, "{}" }, RoleUnknown, "?", OK,
		},
		"object": {
			func(s *Seen) { s.item("Route", "").Changes = []apply.FieldChange{{Path: "spec.host"}} }, RoleOK, "cluster", Warning,
		},
		"both": {
			func(s *Seen) { s.item("Route", "").Changes = []apply.FieldChange{{Path: "spec.host"}}; s.Role = nil }, RoleMissing, "cluster,iam", Wrong,
		},
		"a kind not seen": {
			func(s *Seen) { s.item("Bucket", "").Live, s.item("Bucket", "").Err = nil, forbidden("buckets") }, RoleOK, "?", OK,
		},
	} {
		t.Run(name, func(t *testing.T) {
			desired := iam.Role{Trust: iam.Document{Version: "2012-10-17"}}
			s := Seen{Found: found(t), Desired: desired, Role: &iam.Listed{Trust: desired.Trust.JSON()}}
			c.make(&s)
			row := RowOf(s)
			if row.Role != c.role || row.Drift != c.drift || row.Mark != c.mark || row.Ready != 1 || row.Want != 1 {
				t.Errorf("%+v", row)
			}
			if (row.Mark == OK) != (len(row.Problems) == 0) {
				t.Errorf("it is %s, with problems %q", row.Mark, row.Problems)
			}
		})
	}
}

func TestAnything(t *testing.T) {
	f := found(t)
	f.Inventory = apply.Inventory{}
	if there, _ := f.Anything(); !there {
		t.Error("objects without an inventory are nothing")
	}
	for _, i := range f.Plan.Items {
		i.Live = nil
	}
	if there, seen := f.Anything(); there || !seen {
		t.Error("an empty project is something")
	}
	f.Plan.Items[0].Err = forbidden("buckets")
	if _, seen := f.Anything(); seen {
		t.Error("what is refused counts as seen")
	}
}

func TestWhy(t *testing.T) {
	if got := Why(forbidden("buckets")); got != "not allowed: needs get and list on buckets" {
		t.Error(got)
	}
	odd := &apierrors.StatusError{}
	odd.ErrStatus.Code, odd.ErrStatus.Reason = http.StatusForbidden, "Forbidden"
	if got := Why(odd); got != "not allowed" {
		t.Error(got)
	}
	if got := Why(errors.New("a\nb")); got != "a b" {
		t.Error(got)
	}
}
