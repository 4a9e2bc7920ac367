package check

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
)

// wants holds a finding against a status and a word in it.
func wants(t *testing.T, name string, got Finding, status Status, says string) {
	t.Helper()
	text := got.What + "\n" + got.Why + "\n" + got.Next
	if got.Status != status || !strings.Contains(text, says) || (status == Failed || status == Warned) && (got.What == "" || got.Why == "" || got.Next == "") {
		t.Errorf("%s: %+v, want %s with %q", name, got, status, says)
	}
}

// running is a controller with pods that have these variables.
func running(installer ack.Installer, replicas int32, pods ...map[string]string) ack.Told {
	one := ack.Told{}
	one.Name, one.Namespace, one.Installer = "ack-s3-controller", "ack-system", installer
	one.Spec.Replicas = &replicas
	one.Container = core.Container{Name: "controller"}
	one.Env = ack.EnvironmentOf(one.Container, ack.Sources{})
	for _, variables := range pods {
		pod := ack.Pod{Object: &unstructured.Unstructured{Object: map[string]any{}}}
		pod.Name = "ack-1"
		container := core.Container{Name: "controller"}
		for name, value := range variables {
			container.Env = append(container.Env, core.EnvVar{Name: name, Value: value})
		}
		pod.Spec.Containers = []core.Container{container}
		one.Pods = append(one.Pods, pod)
	}
	return one
}

func TestJudgeIdentity(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/ack"
	account := func(notes map[string]string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetAnnotations(notes)
		return object
	}
	annotated := account(map[string]string{live.RoleAnnotation: role})
	born := map[string]string{"AWS_ROLE_ARN": role}
	for name, c := range map[string]struct {
		one     ack.Told
		account *unstructured.Unstructured
		status  Status
		says    string
	}{
		"good":                           {running(ack.OLM, 1, born), annotated, Passed, ""},
		"pod older than the annotation":  {running(ack.OLM, 1, map[string]string{}), annotated, Failed, "older than the annotation"},
		"pod of another role":            {running(ack.OLM, 1, map[string]string{"AWS_ROLE_ARN": role + "2"}), annotated, Warned, "another role"},
		"dropped by an upgrade":          {running(ack.OLM, 1, born), account(nil), Failed, "oc annotate serviceaccount/default -n ack-system --overwrite eks.amazonaws.com/role-arn=" + role},
		"never there, under OLM":         {running(ack.OLM, 1, map[string]string{}), account(nil), Failed, "role of the node"},
		"never there, by somebody":       {running(ack.Manifests, 1, map[string]string{}), account(nil), Warned, "role of the node"},
		"misspelt":                       {running(ack.OLM, 1, map[string]string{}), account(map[string]string{"eks.amazon.com/role-arn": role}), Failed, "eks.amazon.com/role-arn has a domain"},
		"no service account, by a chart": {running(ack.Helm, 1, born), nil, Failed, "the next one comes without"},
	} {
		wants(t, name, judgeIdentity(c.one, c.account), c.status, c.says)
	}
}

func TestByServiceAccount(t *testing.T) {
	own := running(ack.Helm, 1, map[string]string{})
	own.Env.Values["AWS_SHARED_CREDENTIALS_FILE"] = "/creds"
	secret := running(ack.OLM, 1, map[string]string{})
	secret.Env.Hidden = []string{"AWS_ACCESS_KEY_ID"}
	for name, c := range map[string]struct {
		one  ack.Told
		want bool
	}{
		"nothing else":     {running(ack.OLM, 1, map[string]string{}), true},
		"a file":           {own, false},
		"keys of a Secret": {secret, false},
		"EKS Pod Identity": {running(ack.Helm, 1, map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23"}), false},
	} {
		if got := byServiceAccount(c.one); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestNotRunning(t *testing.T) {
	wants(t, "scaled to 0", notRunning(running(ack.OLM, 0)), Failed, "oc scale deployment/ack-s3-controller -n ack-system --replicas=1")
	waiting := running(ack.OLM, 1, map[string]string{})
	waiting.Generation, waiting.Status.ObservedGeneration, waiting.Status.UpdatedReplicas = 1, 1, 1
	waiting.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "ack"}}
	waiting.Pods[0].Object.SetLabels(map[string]string{"app": "ack", "pod-template-hash": "1"})
	waiting.Pods[0].Object.Object["status"] = map[string]any{"containerStatuses": []any{map[string]any{
		"name": "controller", "state": map[string]any{"waiting": map[string]any{"reason": "CreateContainerConfigError", "message": `configmap "ack-s3-user-config" not found`}},
	}}}
	wants(t, "its ConfigMap is not there", notRunning(waiting), Failed, `configmap "ack-s3-user-config" not found`)
	wants(t, "nobody knows", notRunning(running(ack.OLM, 1)), Failed, "oc describe deployment/ack-s3-controller")
}

// TestCrashed: what a log says is told without secrets and without characters a
// terminal would obey.
func TestCrashed(t *testing.T) {
	one := running(ack.OLM, 1, map[string]string{})
	for log, says := range map[string]string{
		"invalid resource tag: x":              "ACK_RESOURCE_TAGS as key=value",
		"":                                     "its log cannot be read",
		"a\nboom \x1b[2J AKIAABCDEFGHIJKLMNOP": "(hidden)",
	} {
		got := faulty(one.CrashFault(one.Pods[0], log))
		wants(t, log, got, Failed, says)
		if strings.ContainsAny(got.Why, "\x1b") || strings.Contains(got.Why, "AKIAABC") {
			t.Errorf("%q", got.Why)
		}
	}
}

func TestJudgeVersion(t *testing.T) {
	flags := func(gates string) ack.Flags {
		return ack.FlagsOf(core.Container{Args: []string{"--feature-gates=" + gates}}, ack.Environment{})
	}
	for name, c := range map[string]struct {
		version []int
		gates   string
		status  Status
	}{
		"new":                    {[]int{1, 10, 0}, "", Passed},
		"unknown":                {nil, "", Passed},
		"switched off":           {[]int{1, 10, 0}, "ResourceAdoption=false", Warned},
		"before the gate was on": {[]int{1, 0, 35}, "", Warned},
		"switched on":            {[]int{1, 0, 35}, "ResourceAdoption=true", Passed},
		"does not know the word": {[]int{1, 0, 28}, "ResourceAdoption=true", Failed},
	} {
		wants(t, name, judgeVersion(ack.Controller{Version: c.version}, flags(c.gates), "update"), c.status, "")
	}
}

func TestGivesIdentity(t *testing.T) {
	for hook, want := range map[string]bool{
		"pod-identity-webhook.aws.mutate.io": true, "pod-identity-webhook.amazonaws.com": true,
		"mutation.azure-workload-identity.io": false, "": false,
	} {
		object := &unstructured.Unstructured{Object: map[string]any{"webhooks": []any{map[string]any{"name": hook}}}}
		if got := givesIdentity(object); got != want {
			t.Errorf("%s: %v", hook, got)
		}
	}
	if givesIdentity(&unstructured.Unstructured{Object: map[string]any{}}) {
		t.Error("nothing gives an identity")
	}
}

// TestOLMProgress: what OLM does not finish without you fails the check.
func TestOLMProgress(t *testing.T) {
	for want, j := range map[Status]olm.Judgement{
		Passed: {Why: "installed"}, Failed: {Progress: olm.Stuck, What: "its plan", Why: "waits", Next: "approve it"}, Warned: {Progress: olm.OnItsWay, Why: "waits"},
	} {
		wants(t, string(want), progress(j, "it"), want, map[Status]string{Failed: "its plan: waits", Warned: "oc ostoy-s3 check --wait"}[want])
	}
}

func TestMisconfigured(t *testing.T) {
	c := ack.Controller{Installer: ack.OLM}
	c.Name, c.Namespace = "ack-s3-controller", "ack-system"
	c.Container.EnvFrom = []core.EnvFromSource{{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: "conf"}}}}
	got := misconfigured(ack.Told{Controller: c}, []ack.Flaw{{Setting: "FEATURE_GATES", Why: "w", Putable: true}, {Setting: "AWS_REGION", Why: "w"}}, "us-east-2")
	wants(t, "two keys", got, Failed, `oc patch configmap conf -n ack-system --type=merge -p '{"data":{"AWS_REGION":"us-east-2","FEATURE_GATES":""}}'`)
	c.Container.EnvFrom = nil
	got = misconfigured(ack.Told{Controller: c}, []ack.Flaw{{Setting: "FEATURE_GATES", Why: "w", Putable: true}}, "")
	wants(t, "no ConfigMap", got, Failed, "oc set env deployment/ack-s3-controller -n ack-system FEATURE_GATES=")
}

// TestUnset: a variable that does harm is taken out where it is put in, if that is known.
func TestUnset(t *testing.T) {
	from := core.EnvFromSource{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: "conf"}}}
	variable := core.EnvVar{Name: "AWS_CA_BUNDLE", Value: "/ca.crt"}
	for name, c := range map[string]struct {
		container core.Container
		hidden    bool
		by        ack.Installer
		want      string
	}{
		"of the ConfigMap":                  {core.Container{EnvFrom: []core.EnvFromSource{from}}, false, ack.OLM, `oc patch configmap conf -n ack-system --type=merge -p '{"data":{"AWS_CA_BUNDLE":null}}'`},
		"of the Deployment":                 {core.Container{Env: []core.EnvVar{variable}}, false, ack.Helm, "oc set env deployment/c -n ack-system AWS_CA_BUNDLE-"},
		"of a Deployment that OLM installs": {core.Container{Env: []core.EnvVar{variable}}, false, ack.OLM, "oc set env deployment/c -n ack-system --list shows"},
		"of a Secret":                       {core.Container{EnvFrom: []core.EnvFromSource{from}}, true, ack.OLM, "oc set env deployment/c -n ack-system --list shows"},
	} {
		one := ack.Told{Env: ack.Environment{Values: map[string]string{"AWS_CA_BUNDLE": "/ca.crt"}}}
		if c.hidden {
			one.Env = ack.Environment{Hidden: []string{"AWS_CA_BUNDLE"}}
		}
		one.Name, one.Namespace, one.Container, one.Installer = "c", "ack-system", c.container, c.by
		got := misconfigured(one, []ack.Flaw{{Setting: "AWS_CA_BUNDLE", Why: "w"}}, "us-east-2")
		wants(t, name, got, Failed, c.want)
	}
}
