package controller

import (
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1Exempt: a Deployment exempts nobody from the policy; a service account that is
// allowed to list and update all Buckets is exempt, if that can be seen.
func TestF1Exempt(t *testing.T) {
	const own, real = "system:serviceaccount:ack-system:ack-s3-controller", "system:serviceaccount:real:ack"
	deployment := func(namespace, account string) ack.Controller {
		object := named(t, deploymentOf, "s3")
		object.SetNamespace(namespace)
		c, is := ack.ControllerOf(object)
		if !is {
			t.Fatal("it is no controller")
		}
		c.Spec.Template.Spec.ServiceAccountName = account
		return c
	}
	mallorys, reals := deployment("mallory", "default"), deployment("real", "ack")
	for name, c := range map[string]struct {
		mode   Mode
		others []ack.Controller
		may    []string // "USER VERB"
		refuse bool
		before []string // whom the policy in the cluster exempts
		want   []string
		warns  string
	}{
		"ours alone":              {mode: ByOLM, want: []string{own}},
		"beside mallory's":        {ByOLM, []ack.Controller{mallorys}, nil, false, nil, []string{own}, "deployment/s3 -n mallory is not exempt"},
		"mallory's alone":         {Used, []ack.Controller{mallorys}, nil, false, nil, nil, "deployment/s3 -n mallory is not exempt"},
		"mallory's in ack-system": {Used, []ack.Controller{deployment("ack-system", "ack-s3-controller")}, nil, false, nil, nil, "is not exempt"},
		"mallory's may list":      {Used, []ack.Controller{mallorys}, []string{"system:serviceaccount:mallory:default list"}, false, nil, nil, "is not exempt"},
		"a real one":              {Used, []ack.Controller{reals}, []string{real + " list", real + " update"}, false, nil, []string{real}, ""},
		"a real one and another":  {Used, []ack.Controller{mallorys, reals}, []string{real + " list", real + " update"}, false, nil, []string{real}, "mallory is not exempt"},
		"in our namespace":        {Used, []ack.Controller{deployment("ack-system", "ack-s3-controller")}, []string{own + " list", own + " update"}, false, nil, []string{own}, ""},
		"it cannot be seen":       {Used, []ack.Controller{reals}, nil, true, nil, nil, "you are not allowed to create subjectaccessreviews"},
		"ours, it cannot be seen": {ByHand, []ack.Controller{reals}, nil, true, nil, []string{own}, "you are not allowed to create subjectaccessreviews"},
		"it was seen before":      {Used, []ack.Controller{reals}, nil, true, []string{real}, []string{real}, ""},
		"ours, seen before":       {ByHand, []ack.Controller{mallorys}, nil, true, []string{own, real}, []string{own, real}, "mallory is not exempt"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			w.client.PrependReactor("create", "subjectaccessreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
				if c.refuse {
					return true, nil, apierrors.NewForbidden(action.GetResource().GroupResource(), "", nil)
				}
				answer := action.(clienttesting.CreateActionImpl).Object.(*unstructured.Unstructured).DeepCopy()
				asked := health.Text(answer.Object, "spec", "user") + " " + health.Text(answer.Object, "spec", "resourceAttributes", "verb")
				everywhere := health.Text(answer.Object, "spec", "resourceAttributes", "namespace") == ""
				answer.Object["status"] = map[string]any{"allowed": everywhere && slices.Contains(c.may, asked)}
				return true, answer, nil
			})
			p := &Plan{
				Mode:      c.mode,
				Admission: Admission{Served: true},
				basis:     basis{facts: testFacts(), found: &Found{World: &live.World{Conn: w.conn, Namespace: "ack-system"}, Namespace: "ack-system"}},
			}
			p.facts.Namespace.Value = "ack-system"
			if c.before != nil {
				w.put(operator.AdmissionPolicy(p.facts, c.before)[0])
			}
			if p.found.Controllers = (live.Controllers{All: c.others}); c.refuse {
				p.found.Controllers = live.Controllers{All: c.others, Unverified: c.others}
			}
			proved := prove(t.Context(), p)
			if proved != nil {
				t.Fatal(proved)
			}
			without := &Plan{Mode: p.Mode, basis: basis{facts: p.facts, proof: p.proof, found: p.found}} // of a cluster that serves no policies
			if notes := exempt(without); notes != nil || without.Admission.Exempt != nil {
				t.Errorf("%q, %q exempt from no policy", notes, without.Admission.Exempt)
			}
			watchers := len(without.Admission.Warnings)
			if want := !c.refuse && c.warns != ""; want != (watchers == 1) || want && !strings.Contains(without.Admission.Warnings[0].What, "looks like an ACK S3 controller") {
				t.Errorf("without a policy: %+v", without.Admission.Warnings)
			}
			notes := exempt(p)
			if kept := c.refuse && len(c.before) > 0; kept != (len(notes) == 1) || len(p.Notes) > 0 {
				t.Errorf("notes: %q, in the plan: %q", notes, p.Notes)
			}
			if !slices.Equal(p.Admission.Exempt, c.want) {
				t.Errorf("exempt: %v", p.Admission.Exempt)
			}
			var said strings.Builder
			for _, warning := range p.Admission.Warnings {
				said.WriteString(warning.What + "\n")
			}
			if watchers > 0 && !strings.Contains(said.String(), "if it watches only some projects, it is a controller of those") {
				t.Errorf("a controller of some projects: %s", said.String())
			}
			if !strings.Contains(said.String(), c.warns) || c.warns == "" && said.Len() > 0 {
				t.Errorf("warns: %s", said.String())
			}
		})
	}
}

// TestUnlistedBuckets: the Buckets that may not be listed are a warning of their own,
// which nothing is appended to at the same time.
func TestUnlistedBuckets(t *testing.T) {
	w := newWorld(t, false)
	w.refused["list buckets"] = true
	p := &Plan{
		Admission: Admission{Served: true},
		basis:     basis{facts: testFacts(), found: &Found{World: &live.World{Conn: w.conn, Namespace: ackSystem}, Definition: &unstructured.Unstructured{}}},
	}
	refused, warnings, err := lookAtBuckets(t.Context(), p)
	if err != nil || refused != nil || len(warnings) != 1 || !strings.Contains(warnings[0].What, "not allowed to list Buckets") || len(p.Admission.Warnings) > 0 {
		t.Errorf("%v, %v, %v; in the plan: %v", refused, warnings, err, p.Admission.Warnings)
	}
}
