package controller

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
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
	going, err := w.run(t.Context(), RemovalOptions{})
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
	if kept := parts(going, removal.Kept); kept != "CustomResourceDefinition buckets.s3.services.k8s.aws" {
		t.Errorf("kept: %s", kept)
	}
	for _, p := range going.Lines() {
		if p.Fate == removal.Removed && !p.Done {
			t.Errorf("%s is said to be removed, and is not noted as done", p.Object)
		}
	}
	if p := going.Lines()[len(going.Lines())-1]; p.Subject != removal.Project {
		t.Errorf("the last is %s", p.Object)
	}
	if going, err = w.run(t.Context(), RemovalOptions{}); err != nil || !going.Empty() || len(going.Lines()) > 0 {
		t.Errorf("once more: %v, %v", going, err)
	}
	w.sound()
}

// TestRemovalByChart: what the inventory of an earlier version names goes, too.
func TestRemovalByChart(t *testing.T) {
	w := newWorld(t, false, byChart(t)...).withRole()
	if _, err := w.run(t.Context(), RemovalOptions{}); err != nil {
		t.Fatal(err)
	}
	w.inOrder("delete deployments ack-system/ack-s3-controller-s3-chart", "delete services ack-system/ack-s3-metrics", "iam DeleteRole", "delete clusterroles ack-s3-controller")
	w.sound()
	if got := w.everything(); got != definitionStays+"\nCustomResourceDefinition /fieldexports.services.k8s.aws []" {
		t.Errorf("left:\n%s", got)
	}
}

// TestRemovalByHelm: what Helm installed stays, and the plan has the commands that remove it.
func TestRemovalByHelm(t *testing.T) {
	w := newWorld(t, false, byHelm(t)...).withRole()
	w.helm = true
	going, err := w.run(t.Context(), RemovalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w.inOrder("iam DeleteRole", "delete clusterroles ostoy-s3-buckets-edit", "delete validatingadmissionpolicies ostoy-s3-buckets", "delete configmaps ack-system/ostoy-s3-controller")
	w.sound()
	if w.get(kinds.Deployment.GVR(), ackSystem, "ack-s3-controller-s3-chart") == nil || w.get(kinds.ServiceAccount.GVR(), ackSystem, operator.ServiceAccount) == nil || w.get(kinds.Namespace.GVR(), "", ackSystem) == nil {
		t.Errorf("removed: %v", w.writes)
	}
	next := map[string]string{}
	for _, p := range going.Lines() {
		if p.Fate == removal.Kept {
			next[p.Object] = p.Next
		}
	}
	if next["controller ack-s3-controller-s3-chart in ack-system"] != "helm uninstall ack-s3-controller -n ack-system" || next["namespace ack-system"] != "oc delete namespace ack-system" {
		t.Errorf("%q", next)
	}
}

// TestRemovalUnrecorded: what has a fixed name goes without an inventory, too.
func TestRemovalUnrecorded(t *testing.T) {
	w := newWorld(t, true, slices.DeleteFunc(byOLM(t), func(o *unstructured.Unstructured) bool { return o.GetName() == "ostoy-s3-controller" })...).withRole()
	if _, err := w.run(t.Context(), RemovalOptions{}); err != nil || w.everything() != definitionStays {
		t.Errorf("%v, left:\n%s", err, w.everything())
	}
	w.sound()
}

// TestKilledAnywhere: whatever the last request was, the next run ends the same.
func TestKilledAnywhere(t *testing.T) {
	for name, c := range map[string]struct {
		world func(*testing.T) *world
		end   string
	}{
		"by OLM":     {func(t *testing.T) *world { return newWorld(t, true, byOLM(t)...).withRole() }, definitionStays},
		"by a chart": {func(t *testing.T) *world { return newWorld(t, false, byChart(t)...).withRole() }, definitionStays + "\nCustomResourceDefinition /fieldexports.services.k8s.aws []"},
	} {
		t.Run(name, func(t *testing.T) {
			const most = 100
			for n := 1; n < most; n++ {
				w := c.world(t)
				w.dieAfter(n)
				_, err := w.run(t.Context(), RemovalOptions{})
				if err == nil { // it was done before the n-th write
					if n < 5 {
						t.Fatalf("done after %d writes: %v", n, w.writes)
					}
					return
				}
				w.dieAfter(0)
				if _, err := w.run(t.Context(), RemovalOptions{}); err != nil {
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

// TestBesideOthers: only what is managed by ostoy-s3 goes, once there are no Buckets.
func TestBesideOthers(t *testing.T) {
	theirs := named(t, deploymentOf, "theirs")
	theirs.SetNamespace("else")
	rights := append(inCluster(t), theirs)
	rights = append(rights, ourRights()...)
	w := newWorld(t, true, append(rights, bucketNamed(t, "good", ack.Finalizer))...).withRole()
	_, err := w.run(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Refused, "1 Bucket", "demo/good")
	if len(w.writes) > 0 {
		t.Errorf("%v", w.writes)
	}

	w = newWorld(t, true, rights...).withRole()
	going, err := w.run(t.Context(), RemovalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(w.writes) != 4 || !w.role.there {
		t.Errorf("%v", w.writes)
	}
	w.inOrder("delete clusterroles ostoy-s3-buckets-edit", "delete validatingadmissionpolicies ostoy-s3-buckets")
	if !strings.Contains(strings.Join(going.Notes, "\n"), "nothing keeps a Bucket to the S3 buckets of its own project any more") {
		t.Errorf("notes: %v", going.Notes)
	}
	if kept := parts(going, removal.Kept); kept != "controller theirs in else" {
		t.Errorf("kept: %s", kept)
	}
	w.sound()
}

// TestNewcomers: a Bucket that was created meanwhile keeps the controller.
func TestNewcomers(t *testing.T) {
	w := newWorld(t, true, byOLM(t)...).withRole()
	w.onWrite = func(write string) {
		if write == "delete subscriptions ack-system/ack-s3-controller" {
			w.put(by("argocd-controller", bucketNamed(t, "late", ack.Finalizer)))
		}
	}
	_, err := w.run(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Refused, "demo/late", "Argo CD")
	if len(w.buckets()) != 1 || !w.running() || w.get(kinds.ConfigMap.GVR(), ackSystem, "ostoy-s3-controller") == nil {
		t.Errorf("%v", w.writes)
	}

	w = newWorld(t, true, byOLM(t)...).withRole()
	w.onWrite = func(write string) {
		if strings.HasPrefix(write, "delete clusterserviceversions") {
			w.put(bucketNamed(t, "late", ack.Finalizer))
		}
	}
	_, err = w.run(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Failed, "demo/late", "oc ostoy-s3 controller install")
	if len(w.buckets()) != 1 || !w.role.there || w.get(kinds.ConfigMap.GVR(), ackSystem, "ostoy-s3-controller") == nil {
		t.Errorf("%v", w.writes)
	}
	w.sound()
}
