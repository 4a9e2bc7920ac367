package controller

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// inOrder fails unless the writes came one after the other, whatever else did.
func (w *world) inOrder(writes ...string) {
	w.t.Helper()
	at := 0
	for _, want := range writes {
		next := slices.Index(w.writes[at:], want)
		if next < 0 {
			w.t.Fatalf("%q did not come, or not after the others:\n%s", want, strings.Join(w.writes, "\n"))
		}
		at += next + 1
	}
}

// sound fails if anything happened that must not.
func (w *world) sound() {
	w.t.Helper()
	for _, fault := range w.wrong {
		w.t.Error(fault)
	}
	w.noS3()
}

func wantProblem(t *testing.T, err error, kind problem.Kind, words ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Fatalf("not a problem: %v", err)
	}
	all := p.What + "\n" + p.Why + "\n" + p.Next
	if p.Kind != kind || p.What == "" || p.Next == "" {
		t.Errorf("kind %d, want %d:\n%s", p.Kind, kind, all)
	}
	for _, word := range words {
		if !strings.Contains(all, word) {
			t.Errorf("does not say %q:\n%s", word, all)
		}
	}
}

const definitionStays = "CustomResourceDefinition /buckets.s3.services.k8s.aws []"

func TestRemovalByOLM(t *testing.T) {
	w := newWorld(t, true, byOLM(t)...).withRole()
	removal, err := w.run(t.Context(), RemovalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.inOrder("delete subscriptions ack-system/ack-s3-controller", "delete clusterserviceversions ack-system/ack-s3-controller.v1.13.0",
		"delete configmaps ack-system/ack-s3-user-config", "iam DeleteRole", "delete clusterroles ostoy-s3-buckets-edit", "delete validatingadmissionpolicies ostoy-s3-buckets",
		"delete configmaps ack-system/ostoy-s3-controller", "delete namespaces ack-system")
	w.sound()
	if got := w.everything(); got != definitionStays {
		t.Errorf("left:\n%s", got)
	}
	if kept := parts(removal, Kept); kept != "CustomResourceDefinition buckets.s3.services.k8s.aws" {
		t.Errorf("kept: %s", kept)
	}
	for _, p := range removal.Parts() {
		if p.Fate == Removed && !p.Done {
			t.Errorf("%s is said to be removed, and is not noted as done", p.Object)
		}
	}
	// Once more: nothing; and then the definition, as was promised.
	if removal, err = w.run(t.Context(), RemovalOptions{}); err != nil || !removal.Empty() || len(removal.Parts()) > 0 {
		t.Errorf("%v, %v", removal, err)
	}
	if _, err = w.run(t.Context(), RemovalOptions{DeleteDefinition: true}); err != nil || w.everything() != "" {
		t.Errorf("%v, left: %s", err, w.everything())
	}
	w.sound()
}

// TestRemovalByChart: with the inventory, and without, where what names our field
// manager is looked for.
func TestRemovalByChart(t *testing.T) {
	for _, recorded := range []bool{true, false} {
		w := newWorld(t, false, byChart(t, recorded)...).withRole()
		removal, err := w.run(t.Context(), RemovalOptions{DeleteDefinition: true})
		if err != nil {
			t.Fatal(err)
		}
		w.inOrder("delete deployments ack-system/ack-s3-controller-s3-chart", "delete services ack-system/ack-s3-metrics", "iam DeleteRole", "delete clusterroles ack-s3-controller")
		w.sound()
		if got := w.everything(); got != "CustomResourceDefinition /fieldexports.services.k8s.aws []" {
			t.Errorf("recorded %t, left:\n%s", recorded, got)
		}
		if kept := parts(removal, Kept); !strings.Contains(kept, "fieldexports") {
			t.Errorf("kept: %s", kept)
		}
	}
}

func TestForce(t *testing.T) {
	w := force(t)
	removal, err := w.run(t.Context(), RemovalOptions{Force: true, DeleteDefinition: true})
	if err != nil {
		t.Fatal(err)
	}
	w.inOrder("patch buckets demo/stuck", "delete buckets demo/stuck", "delete subscriptions ack-system/ack-s3-controller",
		"delete clusterserviceversions ack-system/ack-s3-controller.v1.13.0", "patch buckets demo/stuck",
		"delete customresourcedefinitions buckets.s3.services.k8s.aws", "delete namespaces ack-system")
	w.sound()
	if got := w.everything(); got != "" {
		t.Errorf("left:\n%s", got)
	}
	if kept := parts(removal, Kept); kept != "4 S3 buckets" {
		t.Errorf("kept: %s", kept)
	}
	for _, p := range removal.Parts() {
		if p.Subject == TheRemark && !strings.Contains(p.Why, "demo/stuck") {
			t.Errorf("it does not say of which Buckets: %s", p.Why)
		}
	}
}

// TestForceWithoutController: nobody lets go, so the finalizer is taken off, after
// the policy was set; that of somebody else stays, and so does all that goes last.
func TestForceWithoutController(t *testing.T) {
	objects := slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool { return o.GetKind() == "Pod" })
	w := newWorld(t, true, append(objects, bucketNamed(t, "good", ack.Finalizer), bucketNamed(t, "held", "example.com/mine", ack.Finalizer))...)
	removal, err := w.run(t.Context(), RemovalOptions{Force: true, DeleteDefinition: true})
	if err != nil {
		t.Fatal(err)
	}
	w.inOrder("delete subscriptions ack-system/ack-s3-controller", "patch buckets demo/good", "patch buckets demo/good", "delete buckets demo/good")
	w.sound()
	left := w.buckets()
	if len(left) != 1 || !slices.Equal(left[0].GetFinalizers(), []string{"example.com/mine"}) || ack.DeletionPolicy(left[0]) != ack.Retain {
		t.Errorf("%v", left)
	}
	if got := parts(removal, Left); got != "Bucket demo/held\nCustomResourceDefinition buckets.s3.services.k8s.aws" {
		t.Errorf("left: %s", got)
	}
	if w.get(live.ConfigMaps(), ackSystem, "ostoy-s3-controller") == nil || w.get(live.Namespaces(), "", ackSystem) == nil {
		t.Error("inventory and namespace are to stay for the next run")
	}
}

// TestKilledAnywhere: whatever the last request was, the next run ends the same.
func TestKilledAnywhere(t *testing.T) {
	for name, c := range map[string]struct {
		world   func(*testing.T) *world
		options RemovalOptions
		end     string
	}{
		"by OLM":     {func(t *testing.T) *world { return newWorld(t, true, byOLM(t)...).withRole() }, RemovalOptions{}, definitionStays},
		"forced":     {force, RemovalOptions{Force: true, DeleteDefinition: true}, ""},
		"by a chart": {func(t *testing.T) *world { return newWorld(t, false, byChart(t, true)...).withRole() }, RemovalOptions{}, definitionStays + "\nCustomResourceDefinition /fieldexports.services.k8s.aws []"},
		"unrecorded": {func(t *testing.T) *world {
			return newWorld(t, true, slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool { return o.GetName() == "ostoy-s3-controller" })...).withRole()
		}, RemovalOptions{}, definitionStays},
	} {
		t.Run(name, func(t *testing.T) {
			const most = 100
			for n := 1; n < most; n++ {
				w := c.world(t)
				w.dieAfter(n)
				_, err := w.run(t.Context(), c.options)
				if err == nil { // it was done before the n-th write
					if n < 5 {
						t.Fatalf("done after %d writes: %v", n, w.writes)
					}
					return
				}
				w.dieAfter(0)
				if _, err := w.run(t.Context(), c.options); err != nil {
					t.Fatalf("again after %s: %v", w.writes[n-1], err)
				}
				w.sound()
				if got := w.everything(); got != c.end {
					t.Fatalf("killed after %s, left:\n%s", w.writes[n-1], got)
				}
			}
			t.Fatal("it has no end")
		})
	}
}

// TestBesideOthers: only what is ours goes; their controller keeps the Buckets.
func TestBesideOthers(t *testing.T) {
	theirs := named(t, deploymentOf, "theirs")
	theirs.SetNamespace("else")
	rights := append(inCluster(t), theirs, bucketNamed(t, "good", ack.Finalizer))
	for _, o := range accessObjects() {
		rights = append(rights, ours(o))
	}
	w := newWorld(t, true, rights...).withRole()
	removal, err := w.run(t.Context(), RemovalOptions{DeleteDefinition: true, Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.writes) != 4 || !w.role.there || len(w.buckets()) != 1 {
		t.Errorf("%v", w.writes)
	}
	w.inOrder("delete clusterroles ostoy-s3-buckets-edit", "delete validatingadmissionpolicies ostoy-s3-buckets")
	if !strings.Contains(strings.Join(removal.Notes, "\n"), "nothing keeps a Bucket to the S3 buckets of its own project any more") {
		t.Errorf("notes: %v", removal.Notes)
	}
	if kept := parts(removal, Kept); !strings.Contains(kept, "controller theirs in else") || !strings.Contains(kept, Definition) {
		t.Errorf("kept: %s", kept)
	}
	w.sound()

	w = newWorld(t, true, append(byOLM(t), theirs, bucketNamed(t, "good", ack.Finalizer))...).withRole()
	if removal, err = w.run(t.Context(), RemovalOptions{Force: true}); err != nil || len(w.buckets()) != 1 || w.running() {
		t.Fatalf("%v", err)
	}
	if kept := parts(removal, Kept); !strings.Contains(kept, "1 Bucket") {
		t.Errorf("kept: %s", kept)
	}
}

// TestNewcomers: a Bucket that nobody gave up keeps the controller.
func TestNewcomers(t *testing.T) {
	for _, at := range []string{"delete buckets demo/good", "delete subscriptions ack-system/ack-s3-controller"} {
		w := newWorld(t, true, append(byOLM(t), bucketNamed(t, "good", ack.Finalizer))...).withRole()
		w.onWrite = func(write string) {
			if write == at {
				w.put(by("argocd-controller", bucketNamed(t, "late", ack.Finalizer)))
			}
		}
		_, err := w.run(t.Context(), RemovalOptions{Force: true})
		wantProblem(t, err, problem.Refused, "demo/late", "Argo CD")
		if len(w.buckets()) != 1 || !w.running() || w.get(live.ConfigMaps(), ackSystem, "ostoy-s3-controller") == nil {
			t.Errorf("%v", w.writes)
		}
	}
	w := newWorld(t, true, byOLM(t)...).withRole()
	w.onWrite = func(write string) {
		if strings.HasPrefix(write, "delete clusterserviceversions") {
			w.put(bucketNamed(t, "late", ack.Finalizer))
		}
	}
	_, err := w.run(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Failed, "demo/late", "--force")
	w.onWrite = nil
	if _, err = w.run(t.Context(), RemovalOptions{Force: true}); err != nil || len(w.buckets()) != 0 {
		t.Errorf("again with --force: %v", err)
	}
	w.sound()
}

// TestFasterThanUs: a change of somebody else's between look and patch is seen,
// and nothing of it lost.
func TestFasterThanUs(t *testing.T) {
	w := newWorld(t, true, append(byOLM(t), bucketNamed(t, "stuck", ack.Finalizer))...)
	w.stubborn["stuck"] = true
	w.onWrite = func(write string) {
		if write == "patch buckets demo/stuck" {
			w.onWrite = nil
			bucket := w.get(live.Buckets(), "demo", "stuck")
			bucket.SetFinalizers(append(bucket.GetFinalizers(), "example.com/mine"))
			w.update(live.Buckets(), bucket)
		}
	}
	removal, err := w.run(t.Context(), RemovalOptions{Force: true})
	if err != nil || parts(removal, Left) != "Bucket demo/stuck" {
		t.Fatalf("%v, left %s", err, parts(removal, Left))
	}
	w.sound()
	if left := w.buckets(); !slices.Equal(left[0].GetFinalizers(), []string{"example.com/mine"}) {
		t.Errorf("%v", left[0].GetFinalizers())
	}
}
