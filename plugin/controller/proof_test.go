package controller

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
)

// provenOnes are controllers that are proven.
func provenOnes(all ...ack.Controller) live.Controllers {
	return live.Controllers{All: all, Proven: all}
}

// mallorys is a Deployment that a project editor created.
func mallorys(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	o := named(t, deploymentOf, "s3-controller")
	o.SetNamespace("mallory")
	return o
}

const (
	mallorysAccount = "system:serviceaccount:mallory:default"
	mallorysName    = "deployment/s3-controller -n mallory"
)

// TestF6Mode: a Deployment that is not proven neither is the controller nor keeps one from
// being installed; if nobody may ask, nothing is installed beside it, and nothing is said
// of it but that.
func TestF6Mode(t *testing.T) {
	lookalike, is := ack.ControllerOf(mallorys(t))
	if !is {
		t.Fatal("it does not look like one")
	}
	all := []ack.Controller{lookalike}
	for name, c := range map[string]struct {
		found live.Controllers
		want  Mode
	}{
		"proven":     {live.Controllers{All: all, Proven: all}, Used},
		"unproven":   {live.Controllers{All: all, Unproven: all}, ByOLM},
		"unverified": {live.Controllers{All: all, Unverified: all}, ""},
	} {
		p := &Plan{basis: basis{found: &Found{Namespace: ackSystem, OLM: true, Controllers: c.found}}}
		mode, err := p.mode()
		if mode != c.want {
			t.Errorf("%s: %q, %v", name, mode, err)
		}
		if c.want == "" {
			wantProblem(t, err, problem.Refused, "is not verified", mallorysName, "create subjectaccessreviews")
		}
	}
}

// TestF6ByPolicy: if you are not allowed to ask, the admission policy in the cluster is a
// proof: a project editor cannot write it.
func TestF6ByPolicy(t *testing.T) {
	lookalike, _ := ack.ControllerOf(mallorys(t))
	real := lookalike
	real.Namespace = "real"
	found := live.Controllers{All: []ack.Controller{lookalike, real}, Unverified: []ack.Controller{lookalike, real}}
	found = found.With([]string{"system:serviceaccount:real:default"})
	if len(found.Proven) != 1 || found.Proven[0].Namespace != "real" || len(found.Unverified) != 1 || found.Unverified[0].Namespace != "mallory" {
		t.Errorf("%+v", found)
	}
}

// TestF6Uninstall: mallory's Deployment is neither refused as the controller of somebody
// else nor kept for, and her pod is not waited for.
func TestF6Uninstall(t *testing.T) {
	w := newWorld(t, true, append(inCluster(t), mallorys(t))...).withRole()
	w.role.there, w.unproven[mallorysAccount] = false, true
	going, err := w.run(t.Context(), RemovalOptions{})
	if err != nil || !going.Empty() || len(going.Notes) > 0 || len(w.writes) > 0 {
		t.Errorf("%v, %v, %v", err, going, w.writes)
	}

	pod := named(t, podOf, "s3-controller")
	pod.SetNamespace("mallory")
	w = newWorld(t, true, append(byOLM(t), mallorys(t), pod)...).withRole()
	w.unproven[mallorysAccount] = true
	going, err = w.run(t.Context(), RemovalOptions{})
	if err != nil || w.running() || w.get(kinds.Pod.GVR(), "mallory", pod.GetName()) == nil {
		t.Fatalf("%v\n%s", err, w.everything())
	}
	for _, part := range going.Lines() {
		if strings.Contains(part.Object+part.Why+part.Next, "mallory") {
			t.Errorf("%+v", part)
		}
	}

	w = newWorld(t, true, append(byOLM(t), mallorys(t), bucketNamed(t, "app", ack.Finalizer))...).withRole()
	w.unproven[mallorysAccount] = true
	_, err = w.run(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Refused, "1 Bucket", "demo/app")

	w = newWorld(t, true, append(byOLM(t), mallorys(t))...).withRole()
	w.refused["create subjectaccessreviews"] = true
	_, err = w.run(t.Context(), RemovalOptions{})
	wantProblem(t, err, problem.Refused, "not verified", mallorysName, "create subjectaccessreviews")
	if len(w.writes) > 0 {
		t.Errorf("touched: %v", w.writes)
	}
}

// TestF6Status: nothing of what mallory's Deployment says is reported, and it changes no
// verdict about the controller.
func TestF6Status(t *testing.T) {
	p, s := good(t)
	fake := site{namespace: "mallory", name: "s3-controller", env: "\n        - {name: AWS_REGION, value: \"us-west-2'; id; '\"}"}
	p.deploy(fake)
	p.pod(fake, "s3-1", fake.env, crashingPod)
	p.says("mallory", "s3-1", "", "AWS region is missing")
	p.admins("system:serviceaccount:" + s.namespace + ":ack-s3-controller")
	r := p.look()
	i := one(t, r)
	if i.Namespace != s.namespace || r.Mark != report.OK || i.Proof.Mark != "" || r.Overlap.Mark != "" {
		t.Errorf("%+v", r)
	}
	if len(r.Unproven) != 1 || r.Unproven[0].String() != mallorysName || r.Unproven[0].Mark != "" || !strings.Contains(r.Unproven[0].Text, "not a controller") {
		t.Errorf("%+v", r.Unproven)
	}

	alone := play(t)
	alone.deploy(fake)
	alone.admins()
	wantProblem(t, alone.look().Missing(), problem.Refused, "no ACK S3 controller is installed", mallorysName, "not allowed to list and update Buckets")

	blind, _ := good(t)
	blind.deploy(fake)
	blind.Forbid("POST "+reviewsPath, "create", "subjectaccessreviews", "authorization.k8s.io", "")
	r = blind.look()
	if i := one(t, r); i.Namespace != s.namespace || i.Mark != report.Unknown || !strings.Contains(i.Proof.Text, "create subjectaccessreviews") {
		t.Errorf("%+v", i)
	}
	if len(r.Unproven) != 1 || r.Unproven[0].Mark != report.Unknown {
		t.Errorf("%+v", r.Unproven)
	}
	blind = play(t)
	blind.deploy(fake)
	blind.Forbid("POST "+reviewsPath, "create", "subjectaccessreviews", "authorization.k8s.io", "")
	wantProblem(t, blind.look().Missing(), problem.Failed, "is not verified", mallorysName, "create subjectaccessreviews")
}
