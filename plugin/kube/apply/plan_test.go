package apply

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func actions(p *Plan) map[string]Action {
	out := map[string]Action{}
	for _, it := range slices.Concat(p.Items, p.Left) {
		out[it.Ref.Kind] = it.Action
	}
	return out
}

func item(t *testing.T, p *Plan, kind string) *Item {
	t.Helper()
	for _, it := range slices.Concat(p.Items, p.Left) {
		if it.Ref.Kind == kind {
			return it
		}
	}
	t.Fatalf("no %s in the plan", kind)
	return nil
}

func wantProblem(t *testing.T, err error, kind problem.Kind, parts ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Fatalf("not a *problem.Error: %v", err)
	}
	if p.Kind != kind {
		t.Errorf("kind %d, want %d", p.Kind, kind)
	}
	if p.What == "" || p.Why == "" || p.Next == "" {
		t.Errorf("an error has three parts: %+v", p)
	}
	all := p.What + "\n" + p.Why + "\n" + p.Next
	for _, part := range parts {
		if !strings.Contains(all, part) {
			t.Errorf("%q is not in:\n%s", part, all)
		}
	}
}

func TestFirstAndSecondRun(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	record := Record{Bucket: "demo-bucket", BucketOrigin: OriginCreated, Region: "us-east-2"}
	p := run(t, a, testSet(), record)
	for kind, action := range actions(p) {
		if action != Create {
			t.Errorf("%s: %s", kind, action)
		}
	}
	first := s.seen()
	// Six reads, the list of the objects, five creates, the record of what was done.
	if n := count(first, "PATCH", ""); n != 7 || count(first, "PATCH", "dry") != 0 {
		t.Errorf("%d writes:\n%s", n, strings.Join(first, "\n"))
	}
	writes := slices.DeleteFunc(slices.Clone(first), func(r string) bool { return strings.HasPrefix(r, "GET") })
	if writes[0] != "PATCH demo/configmaps/ostoy-s3" {
		t.Errorf("the inventory is not the first write: %v", writes)
	}
	if writes[len(writes)-1] != writes[0] {
		t.Errorf("the record is not the last write: %v", writes)
	}
	if last := writes[len(writes)-3:]; !strings.Contains(strings.Join(last, " "), "deployments") {
		t.Errorf("wave 2 is not last: %v", writes)
	}

	p = run(t, a, testSet(), Record{Bucket: "demo-bucket", BucketOrigin: OriginAdopted})
	if p.Changed() {
		t.Errorf("the second run changes %v", actions(p))
	}
	second := s.seen()
	if len(second) != 11 || count(second, "PATCH", "dry") != 5 || count(second, "GET", "") != 6 {
		t.Errorf("the second run writes, or asks too much:\n%s", strings.Join(second, "\n"))
	}
	if p.Inventory.BucketOrigin != OriginCreated || p.Inventory.Region != "us-east-2" {
		t.Errorf("a second run forgets: %+v", p.Inventory.Record)
	}
	if n := len(p.Live()); n != 5 {
		t.Errorf("%d live objects", n)
	}
}

func TestHandMadeChangesArePutBack(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	s.edit(RefOf(testBucket()), "kubectl-edit", func(o map[string]any) {
		_ = unstructured.SetNestedField(o, false, "spec", "publicAccessBlock", "blockPublicPolicy")
		unstructured.RemoveNestedField(o, "spec", "publicAccessBlock", "blockPublicACLs")
		_ = unstructured.SetNestedField(o, "extra", "spec", "acl") // not ours: stays
	})
	p, err := plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	want := []FieldChange{
		{Path: "spec.publicAccessBlock.blockPublicACLs", Before: nil, After: true},
		{Path: "spec.publicAccessBlock.blockPublicPolicy", Before: false, After: true, Manager: "kubectl-edit"},
	}
	it := item(t, p, "Bucket")
	if d := cmp.Diff(want, it.Changes); d != "" || it.Action != Update {
		t.Errorf("%s %s", it.Action, d)
	}
	run(t, a, testSet(), Record{})
	spec := s.live(RefOf(testBucket())).Object["spec"].(map[string]any)
	if spec["publicAccessBlock"].(map[string]any)["blockPublicPolicy"] != true || spec["acl"] != "extra" {
		t.Errorf("%v", spec)
	}
	if p := run(t, a, testSet(), Record{}); p.Changed() {
		t.Error("not settled")
	}
}

func TestSecretsStaySecret(t *testing.T) {
	s := newServer(t)
	a := s.applier(Options{})
	run(t, a, testSet(), Record{})
	s.edit(RefOf(testSecret()), "kubectl-edit", func(o map[string]any) {
		o["data"] = map[string]any{"secret.txt": "b3BlbmVk"}
	})
	p, err := plan(t, a, testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	want := []FieldChange{{Path: "data[secret.txt]", Before: secretValue, After: secretValue, Manager: "kubectl-edit"}}
	if d := cmp.Diff(want, item(t, p, "Secret").Changes); d != "" {
		t.Error(d)
	}
}

func TestConflictWithAnotherApplier(t *testing.T) {
	s := newServer(t)
	run(t, s.applier(Options{}), testSet(), Record{})
	theirs := object("apps/v1", "Deployment", "ostoy-frontend", "", map[string]any{"spec": map[string]any{"replicas": int64(3)}})
	s.put(theirs, "kubectl", true)
	s.seen()
	_, err := plan(t, s.applier(Options{}), testSet(), Record{})
	wantProblem(t, err, problem.Refused, "Deployment ostoy-frontend", "spec.replicas", "kubectl", "--force-conflicts")
	if requests := s.seen(); count(requests, "PATCH", "dry") != count(requests, "PATCH", "") {
		t.Errorf("written: %v", requests)
	}
	p := run(t, s.applier(Options{ForceConflicts: true}), testSet(), Record{})
	want := []FieldChange{{Path: "spec.replicas", Before: int64(3), After: int64(1), Manager: "kubectl"}}
	if d := cmp.Diff(want, item(t, p, "Deployment").Changes); d != "" {
		t.Error(d)
	}
}

func TestForeignObjects(t *testing.T) {
	other := testRoute()
	_ = unstructured.SetNestedField(other.Object, "elsewhere", "spec", "to", "name")
	for name, tt := range map[string]struct {
		obj     *unstructured.Unstructured
		manager string
		applied bool
		parts   []string // empty: joined
		owner   bool     // it takes --force-owner and not --force-conflicts
	}{
		"made by hand":                       {other, "kubectl-create", false, []string{"Route ostoy-route", "kubectl-create", "--force-conflicts"}, false},
		"applied by another":                 {other, "kubectl", true, []string{"Route ostoy-route", "managed by kubectl"}, false},
		"more than we say":                   {object("route.openshift.io/v1", "Route", "ostoy-route", "", nil), "kubectl", true, []string{"differs"}, false},
		"render | kubectl apply":             {testRoute(), "kubectl-client-side-apply", false, nil, false},
		"render | kubectl apply server-side": {testRoute(), "kubectl", true, nil, false},
		"the same by Argo CD":                {testRoute(), "argocd-controller", true, []string{"Argo CD", "oc ostoy-s3 render", "--force-owner"}, true},
		"another by Flux":                    {other, "kustomize-controller", true, []string{"Flux", "oc ostoy-s3 render", "--force-owner"}, true},
		"the same by Helm":                   {testRoute(), "helm", false, []string{"Helm", "--force-owner"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.put(tt.obj, tt.manager, tt.applied)
			before := s.live(RefOf(testRoute()))
			p, err := plan(t, s.applier(Options{}), testSet(), Record{})
			if tt.parts == nil {
				if err != nil {
					t.Fatal(err)
				}
				it := item(t, p, "Route")
				if it.Action != Update || len(it.Changes) != 0 || it.Why == "" {
					t.Errorf("%+v", it)
				}
				run(t, s.applier(Options{}), testSet(), Record{})
				if !Ours(s.live(RefOf(testRoute()))) {
					t.Error("not joined")
				}
				return
			}
			wantProblem(t, err, problem.Refused, tt.parts...)
			if d := cmp.Diff(before, s.live(RefOf(testRoute()))); d != "" {
				t.Error(d)
			}
			_, err = plan(t, s.applier(Options{ForceConflicts: tt.owner, ForceOwner: !tt.owner}), testSet(), Record{})
			wantProblem(t, err, problem.Refused, tt.parts...)
			run(t, s.applier(Options{ForceConflicts: !tt.owner, ForceOwner: tt.owner}), testSet(), Record{})
			if !Ours(s.live(RefOf(testRoute()))) {
				t.Error("with leave it is not taken over")
			}
		})
	}
}

// TestForceOwner: the leave is for what a deliverer holds. Fields that a third
// party holds of the same object stay its own.
func TestForceOwner(t *testing.T) {
	s := newServer(t)
	run(t, s.applier(Options{}), testSet(), Record{})
	replicas := func(n int64) *unstructured.Unstructured {
		return object("apps/v1", "Deployment", "ostoy-frontend", "", map[string]any{"spec": map[string]any{"replicas": n}})
	}
	s.put(replicas(2), "argocd-controller", true)
	p := run(t, s.applier(Options{ForceOwner: true}), testSet(), Record{})
	want := []FieldChange{{Path: "spec.replicas", Before: int64(2), After: int64(1), Manager: "argocd-controller"}}
	if d := cmp.Diff(want, item(t, p, "Deployment").Changes); d != "" {
		t.Error(d)
	}
	s.put(replicas(3), "scaler", true)
	s.edit(RefOf(replicas(3)), "kubectl-edit", func(o map[string]any) {
		_ = unstructured.SetNestedField(o, "x", "metadata", "annotations", "argocd.argoproj.io/tracking-id")
	})
	_, err := plan(t, s.applier(Options{}), testSet(), Record{})
	wantProblem(t, err, problem.Refused, "Argo CD", "--force-owner")
	_, err = plan(t, s.applier(Options{ForceOwner: true}), testSet(), Record{})
	wantProblem(t, err, problem.Refused, "spec.replicas is set by scaler", "--force-conflicts")
}

// TestDeliveredMeanwhile: Argo CD comes between plan and apply.
func TestDeliveredMeanwhile(t *testing.T) {
	s := newServer(t)
	p, err := plan(t, s.applier(Options{}), testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	other := testRoute()
	_ = unstructured.SetNestedField(other.Object, "elsewhere", "spec", "to", "name")
	s.put(other, "argocd-controller", true)
	wantProblem(t, p.ApplyWave(t.Context(), 0, nil), problem.Refused, "Argo CD", "oc ostoy-s3 render", "--force-owner")
	if Ours(s.live(RefOf(other))) {
		t.Error("it was applied all the same")
	}
}

func TestSeveralProblemsAreToldTogether(t *testing.T) {
	s := newServer(t)
	s.unserved["Bucket"] = true
	s.put(object("route.openshift.io/v1", "Route", "ostoy-route", "", nil), "kubectl-create", false)
	_, err := plan(t, s.applier(Options{}), testSet(), Record{})
	var several *problem.Several
	if !errors.As(err, &several) || len(several.Problems) != 2 || several.Kind() != problem.Refused {
		t.Fatalf("%#v", err)
	}
	wantProblem(t, several.Problems[0], problem.Refused, "ACK S3 controller is not installed")
}

func TestFreshSendsNothing(t *testing.T) {
	s := newServer(t)
	p, err := plan(t, s.applier(Options{Fresh: true}), testSet(), Record{})
	if err != nil || len(s.seen()) != 0 {
		t.Fatal(err)
	}
	for kind, action := range actions(p) {
		if action != Create {
			t.Errorf("%s: %s", kind, action)
		}
	}
	if waves := p.Waves(); len(waves) != 2 || len(waves[0]) != 3 || waves[1][0].Ref.Kind != "PersistentVolumeClaim" {
		t.Errorf("%v", waves)
	}
}

// TestTryCreates: where it is asked for, what is new is judged by the server.
func TestTryCreates(t *testing.T) {
	s := newServer(t)
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || !strings.HasSuffix(r.URL.Path, "/demo-bucket") {
			return false
		}
		answerError(w, apierrors.NewForbidden(schema.GroupResource{Resource: "buckets"}, "demo-bucket", errors.New("exceeded quota: few")))
		return true
	}
	if _, err := plan(t, s.applier(Options{}), testSet(), Record{}); err != nil || count(s.seen(), "PATCH", "") != 0 {
		t.Errorf("a real run: %v", err)
	}
	_, err := plan(t, s.applier(Options{How: TryCreates}), testSet(), Record{})
	wantProblem(t, err, problem.Failed, "Bucket demo-bucket", "exceeded quota: few")
	if requests := s.seen(); count(requests, "PATCH", "dry") != len(testSet())+1 || count(requests, "PATCH", "") != len(testSet())+1 { // with the inventory
		t.Errorf("not each object was tried, or not only tried: %v", requests)
	}
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			answerError(w, apierrors.NewBadRequest("admission webhook x does not support dry run"))
		}
		return r.Method == http.MethodPatch
	}
	if p, err := plan(t, s.applier(Options{How: TryCreates}), testSet(), Record{}); err != nil || item(t, p, "Bucket").Action != Create {
		t.Errorf("where dry runs are not possible: %v", err)
	}
}

func TestUnusableObjects(t *testing.T) {
	elsewhere := testRoute()
	elsewhere.SetNamespace("kube-system")
	twisted := testRoute()
	twisted.SetName("../../nodes/x")
	for name, objs := range map[string][]*unstructured.Unstructured{
		"other namespace": {elsewhere},
		"path":            {twisted},
		"kind":            {object("v1", "Node", "n", "", nil)},
		"twice":           {testRoute(), testRoute()},
		"wave":            {object("v1", "Secret", "s", "first", nil)},
	} {
		s := newServer(t)
		_, err := plan(t, s.applier(Options{}), objs, Record{})
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		wantProblem(t, err, problem.Usage)
	}
}

func TestBeingDeleted(t *testing.T) {
	s := newServer(t)
	run(t, s.applier(Options{}), testSet(), Record{})
	s.mu.Lock()
	obj := s.objects[path(RefOf(testBucket()))]
	_ = unstructured.SetNestedField(obj.Object, "2026-01-01T00:00:00Z", "metadata", "deletionTimestamp")
	obj.SetFinalizers([]string{"finalizers.s3.services.k8s.aws/Bucket"})
	s.mu.Unlock()
	_, err := plan(t, s.applier(Options{}), testSet(), Record{})
	wantProblem(t, err, problem.Refused, "is being deleted", "finalizers.s3.services.k8s.aws/Bucket")
}

func TestDryRunNotSupported(t *testing.T) {
	s := newServer(t)
	run(t, s.applier(Options{}), testSet(), Record{})
	s.hook = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("dryRun") == "" || !strings.Contains(r.URL.Path, "routes") {
			return false
		}
		answerError(w, apierrors.NewBadRequest("admission webhook x does not support dry run"))
		return true
	}
	p, err := plan(t, s.applier(Options{}), testSet(), Record{})
	if err != nil {
		t.Fatal(err)
	}
	if it := item(t, p, "Route"); it.Action != Update || it.Why == "" {
		t.Errorf("%+v", it)
	}
}
