package ack

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
)

// breakout ends a quoted word, and a line, and begins commands of its own.
const breakout = "us-east-2\"}}'; touch /tmp/x; $(id) `id`\noc delete project demo #\x1b[8m\u202e"

// toldBy is a controller whose ConfigMap and pod have variables.
func toldBy(settings, pod string) Told {
	t := Told{Env: Environment{Values: map[string]string{"AWS_REGION": settings}}}
	t.Name, t.Namespace, t.Container.Name = "ack-s3-controller", "ack-system", "controller"
	p := Pod{}
	p.Name, p.Namespace = "ack-1", "ack-system"
	p.Spec.Containers = []core.Container{{Name: "controller", Env: []core.EnvVar{{Name: "AWS_REGION", Value: pod}, {Name: "AWS_ROLE_ARN", Value: pod}}}}
	t.Pods = []Pod{p}
	return t
}

// wantHarmless: nothing of breakout is a command, a line or a character that controls
// the terminal.
func wantHarmless(t *testing.T, name string, lines int, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Count(text, "\n") > lines || strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "touch") || strings.Contains(text, "$(id)") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// TestF2Told: what a pod's environment, an annotation or a log says is repeated only if it
// is legal, and cannot leave the word of a command or the line of a sentence.
func TestF2Told(t *testing.T) {
	fault, is := toldBy("us-west-2", breakout).RegionFault()
	if !is || fault.Next != `to make them agree: oc patch configmap ack-s3-user-config -n ack-system --type=merge -p '{"data":{"AWS_REGION":"REGION"}}'` {
		t.Errorf("%+v", fault)
	}
	wantHarmless(t, "region of a pod", 0, fault.What, fault.Why)
	fault, _ = toldBy(breakout, "us-west-2").RegionFault()
	wantHarmless(t, "region of the settings", 0, fault.What, fault.Why, fault.Next)
	fault, _ = toldBy("us-west-2", "us-east-2").RegionFault()
	if !strings.HasSuffix(fault.Next, `--type=merge -p '{"data":{"AWS_REGION":"us-east-2"}}'`) || !strings.Contains(fault.What, "works in us-east-2, its settings say us-west-2") {
		t.Errorf("%+v", fault)
	}

	account := &unstructured.Unstructured{Object: map[string]any{}}
	account.SetAnnotations(map[string]string{RoleAnnotation: breakout + "x"})
	for name, object := range map[string]*unstructured.Unstructured{"annotation": account, "no annotation": nil} {
		fault, is := toldBy("", breakout).RoleFault(object)
		if !is {
			t.Errorf("%s: no fault", name)
		}
		wantHarmless(t, name, 1, fault.What, fault.Why, fault.Next)
	}
	if fault, _ := toldBy("", "arn:aws:iam::123456789012:role/ack").RoleFault(nil); !strings.HasPrefix(fault.Next,
		"oc annotate serviceaccount/default -n ack-system --overwrite eks.amazonaws.com/role-arn=arn:aws:iam::123456789012:role/ack\n") {
		t.Errorf("%+v", fault)
	}

	for _, log := range []string{
		`{"level":"error","msg":"a","error":"b\noc delete project demo \u001b[8m"}`, "invalid feature gate format: x\x1b[8m\u202ey", "panic: \x1b[8m\u2028oc delete project demo",
	} {
		fault := toldBy("", "").CrashFault(Pod{}, log)
		wantHarmless(t, log, 1, fault.Why, fault.Next)
		if strings.ContainsAny(fault.Why, "\n\u2028") {
			t.Errorf("%q", fault.Why)
		}
	}
}

// TestF2ColouredKeys: a key behind the end of a colour is still found by what hides it.
func TestF2ColouredKeys(t *testing.T) {
	if got := secret.Hide(LastWords("broken with \x1b[31mAKIATESTBEDADMIN0001", 1)); got != "broken with [31m(hidden)" {
		t.Errorf("%q", got)
	}
}

// TestF2Flaws: the command line of a Deployment may name variables with line feeds.
func TestF2Flaws(t *testing.T) {
	c := Controller{Container: core.Container{Name: "controller", Args: []string{
		"--log-level=$(X\noc delete project demo)", "--aws-region=us-east-2", "--watch-namespace=a\nb", "--resource-tags=x\ny\x1b[8m",
	}}}
	env := EnvironmentOf(c.Container, Sources{})
	flaws := c.Flaws(env, "us-east-2")
	if len(flaws) < 2 {
		t.Fatalf("%+v", flaws)
	}
	for _, flaw := range flaws {
		wantHarmless(t, flaw.Setting, 0, flaw.Setting, flaw.Why)
	}
	for _, piece := range FlagsOf(c.Container, env).Pieces("watch-namespace") {
		wantHarmless(t, piece, 0, piece)
	}
}

// TestCrashOfAMissingKey: a key that the ConfigMap lacks is put into it, with a value with
// which every version starts; what else is wrong with it is for a person to edit.
func TestCrashOfAMissingKey(t *testing.T) {
	one := toldBy("", "")
	one.Installer = OLM
	for log, want := range map[string]string{
		"invalid feature gate format: $(FEATURE_GATES)":                               `oc patch configmap ack-s3-user-config -n ack-system --type=merge -p '{"data":{"FEATURE_GATES":""}}'`,
		`invalid argument "$(ENABLE_LEADER_ELECTION)" for "--enable-leader-election"`: `oc patch configmap ack-s3-user-config -n ack-system --type=merge -p '{"data":{"ENABLE_LEADER_ELECTION":"true"}}'`,
		"invalid feature gate format: $(OTHER)":                                       "oc edit configmap ack-s3-user-config -n ack-system",
		"invalid feature gate format: Foo":                                            "oc edit configmap ack-s3-user-config -n ack-system",
	} {
		if fault := one.CrashFault(Pod{}, log); !strings.Contains(fault.Next, want+"\nthen oc rollout restart ") {
			t.Errorf("%s: %s", log, fault.Next)
		}
	}
}
