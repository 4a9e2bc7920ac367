package controller

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// found is what a world has, without looking.
func (w *world) found() *Found {
	return &Found{World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem, Project: &unstructured.Unstructured{}}
}

// fails has the server fail at one kind of request.
func (w *world) fails(verb, resource string, err error) {
	w.client.PrependReactor(verb, resource, func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, err })
}

// TestPlanted: only Buckets of other projects are asked about.
func TestPlanted(t *testing.T) {
	p := &Plan{Mode: ByHand, MakesNamespace: true, basis: basis{found: &Found{}}}
	p.Admission.Refused = []RefusedBucket{{Name: "own"}, {Name: "foreign", foreign: true}}
	if got := p.Planted(); len(got) != 1 || got[0].Name != "foreign" {
		t.Errorf("%+v", got)
	}
}

// TestApprovedAlone: a plan that would install something else as well is not approved.
func TestApprovedAlone(t *testing.T) {
	plan := installPlan(t, 1, "RequiresApproval")
	if err := unstructured.SetNestedStringSlice(plan.Object, []string{plannedCSV, "other.v1.0.0"}, "spec", "clusterServiceVersionNames"); err != nil {
		t.Fatal(err)
	}
	patches, err := approvals(t, plan, func(int) *unstructured.Unstructured { return nil }, 2)
	if wantProblem(t, err, problem.Refused, "other.v1.0.0"); patches != 0 {
		t.Errorf("%d approvals", patches)
	}
}

// TestEstablished: the namespace of a controller that is proven is warned about; that of
// one that only looks like one is refused.
func TestEstablished(t *testing.T) {
	for _, proven := range []bool{true, false} {
		w := newWorld(t, false, roleWith("ClusterRole", "admin", "pods", "create"), roleBinding("admin", "ClusterRole", "admin", "User mallory"))
		if w.reviews(); proven {
			w.reviews(operator.Account(testFacts()))
		}
		p := &Plan{Mode: ByOLM, basis: basis{facts: testFacts(), found: w.found()}}
		p.found.Project = object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: ack-system}}")
		p.found.Controllers.All = []ack.Controller{controllerBy(ack.Manifests, ackSystem, apply.Manager)}
		if err := mayTrust(t.Context(), p); (err == nil) != proven || len(p.Admission.Warnings) != map[bool]int{true: 1}[proven] {
			t.Errorf("%t: %v, %v", proven, err, p.Admission.Warnings)
		}
	}
}

// TestInventoryFirst: nothing is written that no inventory lists.
func TestInventoryFirst(t *testing.T) {
	w, r := newWorld(t, false), &recorder{}
	r.watch(w)
	w.fails("patch", "configmaps", errors.New("interrupted"))
	p := &Plan{
		Mode: ByHand, set: operator.ReadRights(),
		Role:  &iam.Plan{Role: iam.Role{Name: "r"}, Steps: []iam.Step{{Kind: iam.AttachPolicy, PolicyARN: "p"}}},
		basis: basis{facts: testFacts(), roles: r, options: Options{DryRun: session.DryRunClient}, found: w.found()},
	}
	var err error
	if p.Objects, err = p.planObjects(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Execute(t.Context(), &Done{}, func(health.State) {}); err == nil || len(r.wrote) > 0 {
		t.Errorf("%v, wrote %v", err, r.wrote)
	}
}

// TestDryRunClient: a plan that guesses sends nothing that a server would judge.
func TestDryRunClient(t *testing.T) {
	for how, asks := range map[session.DryRun]bool{session.DryRunClient: false, session.DryRunNone: true} {
		view := operator.ReadRights()[0].DeepCopy()
		view.SetManagedFields(appliedBy(apply.Manager))
		w := newWorld(t, false, view)
		asked := false
		w.client.PrependReactor("patch", "clusterroles", func(action clienttesting.Action) (bool, runtime.Object, error) {
			asked = true
			return true, view, nil
		})
		p := &Plan{Mode: Used, set: []*unstructured.Unstructured{operator.ReadRights()[0]}, Admission: Admission{Served: true}, basis: basis{facts: testFacts(), options: Options{DryRun: how}, found: w.found()}}
		if _, err := p.planObjects(t.Context(), nil); err != nil || asked != asks {
			t.Errorf("%s: asked %t, %v", how, asked, err)
		}
	}
}

// TestStoppingUnseen: where Buckets may not be listed, it is not known which of them stop
// syncing, and that is said.
func TestStoppingUnseen(t *testing.T) {
	role := roleOf(t, "demo-*")
	p := planOfRole(t, role, patternRecord(apply.Manager, role.ARN, "demo-*"), "ostoy-*")
	w := newWorld(t, false)
	w.refused["list buckets"] = true
	p.found = w.found()
	r := &Reach{Account: testFacts().Account.Value, Reach: iam.Reach{Patterns: []string{"ostoy-*"}}}
	if err := lookAtChange(t.Context(), p, r, p.Role.Role); err != nil || !r.Narrows || r.Unseen == "" || !r.Asks() {
		t.Errorf("%v: %+v", err, r)
	}
}

// TestBucketsNotServed: a definition that was created a moment ago has no Buckets.
func TestBucketsNotServed(t *testing.T) {
	w := newWorld(t, false)
	w.fails("list", "buckets", apierrors.NewNotFound(schema.GroupResource{Resource: "buckets"}, ""))
	p := &Plan{Admission: Admission{Served: true}, basis: basis{facts: testFacts(), found: w.found()}}
	p.found.Definition = &unstructured.Unstructured{}
	if refused, warnings, err := lookAtBuckets(t.Context(), p); err != nil || refused != nil || warnings != nil {
		t.Errorf("%v, %v, %v", refused, warnings, err)
	}
}

// TestWorstReach: of the controllers that are used the one that reaches most is reported,
// wherever it stands.
func TestWorstReach(t *testing.T) {
	account := awstest.New(t)
	account.Answer("GetRole", "<Role><RoleName>wide</RoleName><Path>/</Path><Arn>arn:aws:iam::123456789012:role/wide</Arn></Role>")
	account.Answer("ListRolePolicies", "<PolicyNames><member>all</member></PolicyNames><IsTruncated>false</IsTruncated>")
	account.Answer("GetRolePolicy", "<PolicyDocument>"+url.PathEscape(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)+"</PolicyDocument>")
	account.Answer("ListAttachedRolePolicies", "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>")
	unknown, wide := controllerBy(ack.Helm, "a", "somebody"), controllerBy(ack.Helm, "b", "somebody")
	wide.Container = core.Container{Name: "controller", Env: []core.EnvVar{{Name: "AWS_ROLE_ARN", Value: "arn:aws:iam::123456789012:role/wide"}, {Name: "AWS_WEB_IDENTITY_TOKEN_FILE", Value: "/token"}}}
	wide.Spec.Template.Spec.Containers = []core.Container{wide.Container}
	for n, all := range [][]ack.Controller{{unknown, wide}, {wide, unknown}} {
		for i := range all {
			all[i].Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
		}
		w := newWorld(t, false)
		p := &Plan{Mode: Used, Admission: Admission{Served: true}, basis: basis{facts: testFacts(), options: Options{DryRun: session.DryRunClient, AllowAnyBucket: true}, found: w.found()}}
		p.found.World.Roles, p.found.Controllers = iam.New(account.Config()), provenOnes(all...)
		p.set = accessOf(p)
		var err error
		p.Objects, err = p.planObjects(t.Context(), nil)
		if err := errors.Join(err, mayWiden(t.Context(), p)); err != nil || p.Reach == nil || !p.Reach.Any {
			t.Errorf("%d: %v, %+v", n, err, p.Reach)
		}
	}
}

// TestAdoptOnlyOurs: leave to remove what others put on a role is for a role that this
// tool made.
func TestAdoptOnlyOurs(t *testing.T) {
	r := &Removal{options: RemovalOptions{AdoptRole: true}, found: &Found{}}
	for want, tags := range map[bool]map[string]string{true: render.OwnershipTags(testFacts()), false: {render.TagManagedBy: render.ManagedBy}} {
		if got := r.removalOptions("r", &iam.Actual{Tags: tags}, testFacts()).Adopt; got != want {
			t.Errorf("%v: %t", tags, got)
		}
	}
}

// late is an IAM that knows its role only when it is asked for the third time.
type late struct {
	fakeRole
	asked atomic.Int32
}

func (l *late) GetRole(ctx context.Context, in *awsiam.GetRoleInput, options ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	if l.asked.Add(1) <= 2 {
		return nil, &iamtypes.NoSuchEntityException{}
	}
	return l.fakeRole.GetRole(ctx, in, options...)
}

// TestRoleOfAMomentAgo: a role that is recorded since a moment is looked for more than
// once; one that is recorded for long is not waited for.
func TestRoleOfAMomentAgo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		arn := render.RoleARN("aws", testFacts().Account.Value, render.RolePath, "r")
		for age, want := range map[time.Duration]bool{time.Second: true, time.Hour: false} {
			record := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"roleARN": arn}}}
			written := metav1.NewTime(time.Now().Add(-age))
			record.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: apply.Manager, Operation: metav1.ManagedFieldsOperationApply, Time: &written}})
			r := &Removal{found: &Found{Inventory: apply.Controller().InventoryOf(record)}, roles: &late{fakeRole: fakeRole{world: &world{t: t}, name: "r", there: true, tags: render.OwnershipTags(testFacts())}}}
			if actual, err := r.readRole(t.Context(), "r", testFacts()); err != nil || actual.Exists != want {
				t.Errorf("%s: %+v, %v", age, actual, err)
			}
		}
	})
}

// TestRemovalOfSharedAccount: the ServiceAccount that OLM replaced for our Subscription is
// removed, although nothing in its managedFields says that it is ours.
func TestRemovalOfSharedAccount(t *testing.T) {
	all := slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool {
		return o.GetKind() == "ServiceAccount" && o.GetName() == operator.ServiceAccount
	})
	going, err := newWorld(t, true, append(all, accountOfVersion(t))...).plan(t.Context(), RemovalOptions{})
	if err != nil || !strings.Contains(parts(going, removal.Removed), "ServiceAccount "+operator.ServiceAccount) {
		t.Errorf("%v: %s", err, parts(going, removal.Removed))
	}
}

// TestNamespaceUnseen: a namespace of which it cannot be seen what is in it stays, and is
// not called removed.
func TestNamespaceUnseen(t *testing.T) {
	w := newWorld(t, true, byOLM(t)...)
	going, err := w.plan(t.Context(), RemovalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.fails("list", "configmaps", apierrors.NewInternalError(errors.New("etcd is away")))
	if err := going.Execute(t.Context(), func(health.State) {}); err == nil || !strings.Contains(w.everything(), "Namespace /"+ackSystem) {
		t.Errorf("%v\n%s", err, w.everything())
	}
}
