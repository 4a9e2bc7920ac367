package status

import (
	"errors"
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

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
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
	podYAML = `
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
		Pods: []*unstructured.Unstructured{object(t, podYAML)},
		S3: S3{
			Bucket: bucket.State{Kind: bucket.Ours, Name: "demo-bucket", Region: "us-east-2"}, Contents: bucket.Contents{Objects: 3, Bytes: 30},
			Public:     bucket.PublicAccess{BlockPublicACLs: true, IgnorePublicACLs: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
			Policy:     `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::demo-bucket","arn:aws:s3:::demo-bucket/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
			Encryption: bucket.Encryption{Algorithm: "AES256"},
		},
		IAM: IAM{Role: &iam.Actual{Exists: true, ARN: arn}, Plan: &iam.Plan{}},
	}
}

func TestGood(t *testing.T) {
	r := Of(found(t))
	if r.Mark != report.OK || r.Drift.Mark != report.OK || r.Route.URL != "http://demo.example.com" || r.Installed.By != "ostoy-s3" {
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
		part report.Part
		want report.Mark
		text string
		all  report.Mark
	}
	for name, c := range map[string]struct {
		make func(*Found)
		see  func(Report) judged
	}{
		"bucket not synced": {
			func(f *Found) {
				_ = unstructured.SetNestedSlice(f.item("Bucket", "").Live.Object, []any{map[string]any{"type": "ACK.Terminal", "status": "True", "message": "Resource already exists"}}, "status", "conditions")
			},
			func(r Report) judged { return judged{r.Bucket.Part, report.Wrong, "already exists", report.Wrong} },
		},
		"bucket just made": {
			func(f *Found) {
				live := f.item("Bucket", "").Live
				unstructured.RemoveNestedField(live.Object, "status")
				live.SetCreationTimestamp(metaTime(f.Now.Add(-time.Second)))
			},
			func(r Report) judged {
				return judged{r.Bucket.Part, report.Busy, "waiting for the ACK controller", report.Busy}
			},
		},
		"no controller": {
			func(f *Found) { unstructured.RemoveNestedField(f.item("Bucket", "").Live.Object, "status") },
			func(r Report) judged { return judged{r.Bucket.Part, report.Warning, "not running", report.Warning} },
		},
		"bucket may not be seen": {
			func(f *Found) { f.item("Bucket", "").Live, f.item("Bucket", "").Err = nil, forbidden("buckets") },
			func(r Report) judged {
				return judged{r.Bucket.Part, report.Unknown, "needs get and list on buckets", report.OK}
			},
		},
		"bucket gone from S3": {
			func(f *Found) { f.S3.Bucket.Kind = bucket.Free },
			func(r Report) judged {
				return judged{r.Bucket.Part, report.Wrong, "no bucket of that name", report.Wrong}
			},
		},
		"bucket of another account": {
			func(f *Found) { f.S3.Bucket = bucket.State{Kind: bucket.OtherAccount, Sure: true} },
			func(r Report) judged { return judged{r.Bucket.Part, report.Wrong, "another AWS account", report.Wrong} },
		},
		"bucket hidden": {
			func(f *Found) { f.S3.Bucket = bucket.State{Kind: bucket.OtherAccount} },
			func(r Report) judged { return judged{r.Bucket.Part, report.OK, "synced", report.OK} },
		},
		"public": {
			func(f *Found) { f.S3.Public.BlockPublicPolicy = false },
			func(r Report) judged { return judged{r.Bucket.Part, report.Warning, "synced", report.Warning} },
		},
		"role gone": {
			func(f *Found) {
				f.IAM.Role, f.IAM.Plan = &iam.Actual{}, &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}}
			},
			func(r Report) judged { return judged{r.Role.Part, report.Wrong, "not there", report.Wrong} },
		},
		"role refused": {
			func(f *Found) { f.IAM.RoleErr = deniedByAWS() },
			func(r Report) judged { return judged{r.Role.Part, report.Unknown, "iam:GetRole", report.OK} },
		},
		"role of others": {
			func(f *Found) { f.IAM.PlanErr = errors.New("it belongs to somebody else") },
			func(r Report) judged { return judged{r.Role.Part, report.Wrong, "somebody else", report.Wrong} },
		},
		"role of others, on record": {
			func(f *Found) {
				f.Inventory.RoleOrigin, f.IAM.PlanErr = apply.OriginExisting, errors.New("it belongs to somebody else")
			},
			func(r Report) judged { return judged{r.Role.Part, report.Unknown, "--iam=skip", report.OK} },
		},
		"role of others, gone": {
			func(f *Found) {
				f.Inventory.RoleOrigin, f.IAM.Role = apply.OriginExisting, &iam.Actual{}
				f.IAM.Plan = &iam.Plan{Steps: []iam.Step{{Kind: iam.CreateRole}}}
			},
			func(r Report) judged { return judged{r.Role.Part, report.Wrong, "not there", report.Wrong} },
		},
		"trust": {
			func(f *Found) {
				f.IAM.Plan.Steps = []iam.Step{{Kind: iam.UpdateTrust, What: "trust policy", Reason: "it trusts old"}}
			},
			func(r Report) judged { return judged{r.Role.Trust, report.Wrong, "it trusts old", report.Wrong} },
		},
		"tags": {
			func(f *Found) { f.IAM.Plan.Steps = []iam.Step{{Kind: iam.TagRole, What: "tags"}} },
			func(r Report) judged { return judged{r.Role.Part, report.Warning, "tags drifted", report.Warning} },
		},
		"tags of later versions": {
			func(f *Found) {
				f.IAM.Plan.Steps = []iam.Step{{Kind: iam.TagRole, What: "tags", Reason: "that earlier versions did not set"}}
			},
			func(r Report) judged {
				return judged{r.Role.Part, report.Warning, "without the tags that earlier versions did not set", report.Warning}
			},
		},
		"another role": {
			func(f *Found) {
				f.item("ServiceAccount", "").Live.SetAnnotations(map[string]string{"eks.amazonaws.com/role-arn": "arn:x"})
			},
			func(r Report) judged {
				return judged{r.ServiceAccount.Part, report.Warning, "another role", report.Warning}
			},
		},
		"pod without identity": {
			func(f *Found) { unstructured.RemoveNestedField(f.Pods[0].Object, "spec", "volumes") },
			func(r Report) judged { return judged{r.Pods[0].Part, report.Wrong, "ready", report.Wrong} },
		},
		"pods may not be seen": {
			func(f *Found) { f.Pods, f.PodsErr = nil, forbidden("pods") },
			func(r Report) judged { return judged{r.PodsPart, report.Unknown, "pods", report.OK} },
		},
		"route gone": {
			func(f *Found) { f.item("Route", "").Live, f.item("Route", "").Action = nil, apply.Create },
			func(r Report) judged { return judged{r.Route.Part, report.Wrong, "not there", report.Wrong} },
		},
		"on its way out": {
			func(f *Found) { now := metaTime(f.Now); f.item("Route", "").Live.SetDeletionTimestamp(&now) },
			func(r Report) judged { return judged{r.Drift.Part, report.Warning, "1 object", report.Warning} },
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
	f.IAM.Plan.Steps = []iam.Step{{Kind: iam.PutPolicy, What: "inline policy", Reason: "it is not there"}}
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
		mark  report.Mark
	}{
		"good":            {func(*Seen) {}, RoleOK, "no", report.OK},
		"role gone":       {func(s *Seen) { s.Role = nil }, RoleMissing, "iam", report.Wrong},
		"role not seen":   {func(s *Seen) { s.RoleErr = deniedByAWS() }, RoleUnknown, "?", report.OK},
		"policy not seen": {func(s *Seen) { s.PolicyErr = deniedByAWS() }, RoleOK, "?", report.OK},
		"policy":          {func(s *Seen) { s.PolicyDrift = "more" }, RoleStale, "iam", report.Wrong},
		"trust":           {func(s *Seen) { s.Role.Trust = "{}" }, RoleStale, "iam", report.Wrong},
		"trust, role of others": {
			func(s *Seen) { s.Found.Inventory.RoleOrigin, s.Role.Trust = apply.OriginExisting, "{}" }, RoleUnknown, "?", report.OK,
		},
		"object": {
			func(s *Seen) { s.Found.item("Route", "").Changes = []apply.FieldChange{{Path: "spec.host"}} }, RoleOK, "cluster", report.Warning,
		},
		"both": {
			func(s *Seen) {
				s.Found.item("Route", "").Changes = []apply.FieldChange{{Path: "spec.host"}}
				s.Role = nil
			}, RoleMissing, "cluster,iam", report.Wrong,
		},
		"a kind not seen": {
			func(s *Seen) {
				s.Found.item("Bucket", "").Live, s.Found.item("Bucket", "").Err = nil, forbidden("buckets")
			}, RoleOK, "?", report.OK,
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
			if (row.Mark == report.OK) != (len(row.Problems) == 0) {
				t.Errorf("it is %s, with problems %q", row.Mark, row.Problems)
			}
		})
	}
}

// TestPresence: objects without an inventory are an install; a project of which nothing can
// be read is not one without an install.
func TestPresence(t *testing.T) {
	f := found(t)
	f.Inventory = apply.Inventory{}
	if !f.presence().Installed() {
		t.Error("objects without an inventory are nothing")
	}
	for _, i := range f.Plan.Items {
		i.Live = nil
	}
	if f.presence().Installed() || !f.readable() {
		t.Error("an empty project is something")
	}
	f.Plan.Items[0].Err = forbidden("buckets")
	if f.readable() {
		t.Error("what is refused counts as seen")
	}
}
