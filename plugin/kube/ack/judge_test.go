package ack

import (
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
)

// watching is a controller that has replicas and watches these namespaces; all, if none.
func watching(name string, replicas int32, namespaces ...string) Told {
	t := Told{}
	t.Name, t.Namespace = name, "ack-system"
	t.Spec.Replicas = &replicas
	t.Flags = FlagsOf(core.Container{Args: []string{"--watch-namespace=" + strings.Join(namespaces, ",")}}, Environment{})
	return t
}

func TestOverlap(t *testing.T) {
	for name, c := range map[string]struct {
		all  []Told
		says string // "" if there is none
	}{
		"one":                     {[]Told{watching("a", 1)}, ""},
		"two of everything":       {[]Told{watching("a", 1), watching("b", 1)}, "2 ACK S3 controllers"},
		"one of them is stopped":  {[]Told{watching("a", 1), watching("b", 0)}, ""},
		"each its own":            {[]Told{watching("a", 1, "x"), watching("b", 1, "y")}, ""},
		"one namespace in common": {[]Told{watching("a", 1, "x", "y"), watching("b", 1, "y"), watching("c", 1, "z")}, "2 ACK S3 controllers"},
		"everything and one":      {[]Told{watching("a", 1), watching("b", 1, "y")}, "deployment/a -n ack-system; deployment/b -n ack-system"},
	} {
		fault, is := Overlap(c.all)
		if is != (c.says != "") || !strings.Contains(fault.What+" "+fault.Why, c.says) || is && !strings.HasSuffix(fault.Next, "oc scale deployment/b -n ack-system --replicas=0") {
			t.Errorf("%s: %+v", name, fault)
		}
	}
}

// TestOverlapOfOLM: OLM reverts what is changed of its Deployment, so another one is stopped.
func TestOverlapOfOLM(t *testing.T) {
	mine := watching("b", 1)
	mine.Installer = OLM
	if fault, is := Overlap([]Told{watching("a", 1), mine}); !is || !strings.HasSuffix(fault.Next, "oc scale deployment/a -n ack-system --replicas=0") {
		t.Errorf("%+v", fault)
	}
}

func TestRollout(t *testing.T) {
	one := watching("a", 0)
	if state := one.Rollout(); state.Level != health.Fail || state.Text != "it is scaled to 0" || !strings.HasSuffix(state.Hint, "--replicas=1") {
		t.Errorf("scaled to 0: %+v", state)
	}
	one = watching("a", 1)
	one.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "ack"}}
	one.Status.Replicas, one.Status.UpdatedReplicas, one.Status.AvailableReplicas = 1, 1, 1
	if state := one.Rollout(); !state.Ready {
		t.Errorf("available: %+v", state)
	}
	one.Status.AvailableReplicas = 0
	for hash, created := range map[string]string{"old": "2026-01-01T00:00:00Z", "new": "2026-01-02T00:00:00Z"} {
		pod := Pod{Object: &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"name": hash, "creationTimestamp": created, "labels": map[string]any{"app": "ack", "pod-template-hash": hash}},
			"status": map[string]any{"containerStatuses": []any{map[string]any{
				"name": "controller", "state": map[string]any{"waiting": map[string]any{"reason": "CreateContainerConfigError", "message": hash + " is missing"}},
			}}},
		}}}
		pod.Name = hash
		one.Pods = append(one.Pods, pod)
	}
	if state := one.Rollout().Settled(); state.Ready || !strings.Contains(state.Text, "new is missing") {
		t.Errorf("its newest pod says why: %+v", state)
	}
	if i := slices.IndexFunc(one.Pods, one.Current); i < 0 || one.Pods[i].Name != "new" {
		t.Errorf("%d is the newest", i)
	}
}
