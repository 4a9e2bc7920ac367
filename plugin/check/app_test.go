package check

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

func TestServiceLeadsNowhere(t *testing.T) {
	pod := func(labels, ready string) *unstructured.Unstructured {
		return fromYAML(t, "{metadata: {labels: {"+labels+"}}, spec: {containers: [{ports: [{name: web}]}]}, status: {conditions: [{type: Ready, status: \""+ready+"\"}]}}")
	}
	for name, c := range map[string]struct {
		service string
		pods    []*unstructured.Unstructured
		nowhere bool
	}{
		"reached":        {"{selector: {app: a}, ports: [{targetPort: web}]}", []*unstructured.Unstructured{pod("app: a, more: b", "True")}, false},
		"by number":      {"{selector: {app: a}, ports: [{targetPort: 8080}]}", []*unstructured.Unstructured{pod("app: a", "True")}, false},
		"one of two":     {"{selector: {app: a}}", []*unstructured.Unstructured{pod("app: a", "False"), pod("app: a", "True")}, false},
		"no selector":    {"{}", []*unstructured.Unstructured{pod("app: a", "True")}, true},
		"others' pods":   {"{selector: {app: a, b: c}}", []*unstructured.Unstructured{pod("app: a", "True")}, true},
		"not ready":      {"{selector: {app: a}}", []*unstructured.Unstructured{pod("app: a", "False")}, true},
		"no pods":        {"{selector: {app: a}}", nil, true},
		"port not there": {"{selector: {app: a}, ports: [{targetPort: admin}]}", []*unstructured.Unstructured{pod("app: a", "True")}, true},
	} {
		if why := leadsNowhere(fromYAML(t, "{spec: "+c.service+"}"), c.pods); (why != "") != c.nowhere {
			t.Errorf("%s: %q", name, why)
		}
	}
}

func TestVolumeThatIsPending(t *testing.T) {
	claim := fromYAML(t, "{metadata: {name: ostoy-pvc}, spec: {storageClassName: slow}}")
	complaint := health.Event{Reason: "ProvisioningFailed", Message: "no space", Warning: true}
	wantSaid(t, "for its first pod", judgeVolume(claim, nil, health.Around{}), Passed, "")
	wantSaid(t, "and somebody complains", judgeVolume(claim, []health.Event{complaint, {Reason: "A", Message: "old", Warning: true}}, health.Around{}), Failed, "ProvisioningFailed: no space")
	wantSaid(t, "it has been provisioned since", judgeVolume(claim, []health.Event{{Reason: "ProvisioningSucceeded"}, complaint}, health.Around{}), Passed, "")
	complaint.Message = "not authorized to perform: ec2:CreateVolume with an explicit deny in a service control policy"
	wantSaid(t, "an organization forbids it", judgeVolume(claim, []health.Event{complaint}, health.Around{}), Failed, "a policy of the AWS organization forbids it")
	lost := fromYAML(t, "{metadata: {name: ostoy-pvc}, spec: {volumeName: v}, status: {phase: Lost}}")
	wantSaid(t, "lost", judgeVolume(lost, nil, health.Around{}), Failed, "is lost")
}

func TestFrontendSpec(t *testing.T) {
	a := appLook{World: &live.World{Namespace: "demo"}}
	for text, want := range map[string]Status{
		"{replicas: 1, strategy: {type: Recreate}}": Passed, "{strategy: {type: Recreate}}": Passed, "{replicas: 0, strategy: {type: Recreate}}": Warned,
	} {
		wantSaid(t, text, a.strategy(fromYAML(t, "{spec: "+text+"}")), want, "")
	}
	wantSaid(t, "rolling", a.strategy(fromYAML(t, "{spec: {strategy: {type: RollingUpdate}}}")), Warned, "RollingUpdate")
	both := a.strategy(fromYAML(t, "{spec: {replicas: 0, strategy: {type: RollingUpdate}}}"))
	wantSaid(t, "both", both, Warned, "scaled down to 0")
	wantSaid(t, "both", both, Warned, "strategy is RollingUpdate")
	paused := workload{name: "x", object: fromYAML(t, "{spec: {paused: true}}"), state: health.State{Text: "0 of 1"}}
	wantSaid(t, "paused", unavailable(paused), Failed, "oc rollout resume")
}
