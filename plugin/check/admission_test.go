package check

import (
	"context"
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apierr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// refusedFor is what an API server answers that a rule refuses something with a text.
func refusedFor(kind, name, text string) *apply.Rejection {
	status := metav1.Status{Code: 403, Reason: metav1.StatusReasonForbidden, Message: `x "` + name + `" is forbidden: ` + text}
	rule, says := apierr.RuleOf(status)
	return &apply.Rejection{
		StatusError: &apierrors.StatusError{ErrStatus: status},
		Ref:         apply.Ref{Version: "v1", Kind: kind, Name: name}, Rule: rule, Says: says,
	}
}

const (
	policyText = `ValidatingAdmissionPolicy 'require-team' with binding 'everywhere' denied request: `
	gatekeeper = `admission webhook "validation.gatekeeper.sh" denied the request: `
)

func anyPod(of string, refused *apply.Rejection) apply.Pod {
	pod := apply.Pod{Of: apply.Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: of}}
	if refused != nil {
		pod.Err = refused
	}
	return pod
}

// TestAdmission: each finding names the objects, the rule and the cure, and rules that
// refuse several objects are named once.
func TestAdmission(t *testing.T) {
	allowed := anyPod("ostoy-frontend", nil)
	allowed.Would = &unstructured.Unstructured{}
	replaced := anyPod("ostoy-frontend", refusedFor("Pod", "p", `unable to validate against any security context constraint: []`))
	replaced.Account = true
	forbidden := anyPod("ostoy-frontend", refusedFor("Pod", "p", `User "u" cannot patch resource "pods" in API group "" in the namespace "demo"`))
	level := refusedFor("Pod", "p", `violates PodSecurity "restricted:latest": runAsNonRoot != true`)
	for name, c := range map[string]struct {
		verdict Verdict
		status  Status
		says    []string
		not     string
	}{
		"accepted": {Verdict{Pods: []apply.Pod{allowed}}, Passed, nil, ""},
		"a policy": {
			Verdict{Refused: []*apply.Rejection{refusedFor("Service", "a", policyText+"label team is required"), refusedFor("Secret", "b", strings.TrimSuffix(policyText, ": "))}},
			Failed,
			[]string{"the ValidatingAdmissionPolicy require-team (binding everywhere) refuses", "label team is required: Service a, Secret b", "--set commonLabels.team=VALUE"},
			"",
		},
		"a policy for pods": {
			Verdict{Pods: []apply.Pod{anyPod("ostoy-frontend", refusedFor("Pod", "p", policyText+"label team is required"))}},
			Failed,
			[]string{"the pods of Deployment ostoy-frontend", "--set podLabels.team=VALUE"},
			"common",
		},
		"a webhook that wants an annotation": {
			Verdict{Refused: []*apply.Rejection{refusedFor("Service", "a", gatekeeper+`[owners] you must provide annotations: {"example.com/owner"}`)}},
			Failed,
			[]string{"the admission webhook validation.gatekeeper.sh refuses", `'commonAnnotations.example\.com/owner=VALUE'`},
			"",
		},
		"a policy about something else": {
			Verdict{Refused: []*apply.Rejection{refusedFor("Service", "a", policyText+"no Services here")}}, Failed, []string{"no Services here: Service a", "ask a cluster admin"}, "VALUE",
		},
		"two rules": {
			Verdict{Refused: []*apply.Rejection{refusedFor("Service", "a", policyText+"no"), refusedFor("Service", "a", gatekeeper+"never")}}, Failed, []string{"require-team", "gatekeeper"}, "",
		},
		"a webhook that is down": {
			Verdict{Refused: []*apply.Rejection{refusedFor("Service", "a", `failed calling webhook "x.example.com": connection refused`)}}, Failed, []string{"x.example.com does not answer"}, "",
		},
		"pod security":              {Verdict{Pods: []apply.Pod{anyPod("ostoy-frontend", level)}}, Failed, []string{"Pod Security level restricted:latest", "runAsNonRoot"}, ""},
		"without its own account":   {Verdict{Pods: []apply.Pod{replaced}}, Passed, nil, ""},
		"pods may not be tried":     {Verdict{Pods: []apply.Pod{forbidden}}, NotAllowed, []string{"create and patch pods"}, ""},
		"a pod could not be judged": {Verdict{Pods: []apply.Pod{anyPod("ostoy-frontend", nil)}}, NotAllowed, []string{"dry runs", "Deployment ostoy-frontend"}, ""},
		"an object was not judged":  {Verdict{Unjudged: []apply.Ref{{Kind: "Service", Name: "a"}}}, NotAllowed, []string{"dry runs", "Service a"}, ""},
	} {
		server, target := openshift(t, "v1/ResourceQuota", "v1/LimitRange")
		for _, list := range []string{"resourcequotas", "limitranges"} {
			server.Answer("GET /api/v1/namespaces/demo/"+list, map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
		}
		target.Rules = Rules{
			World: &live.World{Conn: target.Conn, Namespace: "demo"},
			Judge: func(context.Context) (Verdict, error) { return c.verdict, nil },
		}
		got := target.admission(t.Context())
		text := got.What + "\n" + got.Why + "\n" + got.Next
		wants(t, name, got, c.status, "")
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		if c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%s: %q in\n%s", name, c.not, text)
		}
	}
	_, target := openshift(t)
	target.Rules.Judge = func(context.Context) (Verdict, error) { return Verdict{}, errors.New("away") }
	wants(t, "no answer", Finding{Status: target.admission(t.Context()).Status, What: "x", Why: "x", Next: "x"}, Failed, "")
	target.Rules.Judge = nil
	wants(t, "not asked", target.admission(t.Context()), Skipped, "")
}

// TestWantedKey: in the words of the policy engines that are in use, and of people.
func TestWantedKey(t *testing.T) {
	for text, want := range map[string]string{
		`failed expression: has(object.metadata.labels) && 'team' in object.metadata.labels`:                          "team",
		`failed expression: object.metadata.labels['example.com/team'] != ''`:                                         "example.com/team",
		`failed expression: "team" in object.metadata.?labels.orValue({})`:                                            "team",
		`failed expression: has(object.metadata.labels.team)`:                                                         "team",
		`[all-must-have-owner] you must provide labels: {"owner"}`:                                                    "owner",
		"validation error: The label `app.example.com/name` is required. rule check failed at path /metadata/labels/": "app.example.com/name",
		`rule check-for-labels failed at path /metadata/labels/cost-center/`:                                          "cost-center",
		`every object needs the label "team"`:                                                                         "team",
		`the "team" label is missing`:                                                                                 "team",
		`objects must have the label team`:                                                                            "team",
		`label team is required`:                                                                                      "team",
		`a team label is required`:                                                                                    "team",
		`all objects must carry a label`:                                                                              "KEY",
		`labels are required`:                                                                                         "KEY",
		`annotation example.com/owner must be set`:                                                                    "example.com/owner",
	} {
		if got := wantedKey(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestNodes(t *testing.T) {
	node := func(os, arch string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{}}
		object.SetLabels(map[string]string{"kubernetes.io/os": os, "kubernetes.io/arch": arch})
		return object
	}
	nodes := func(all ...*unstructured.Unstructured) []*unstructured.Unstructured { return all }
	linux := map[string]map[string]string{"Deployment ostoy-frontend": {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}}
	for name, c := range map[string]struct {
		nodes  []*unstructured.Unstructured
		adds   bool
		status Status
		says   string
	}{
		"one fits":              {nodes(node("linux", "arm64"), node("linux", "amd64")), false, Passed, ""},
		"another architecture":  {nodes(node("linux", "arm64"), node("linux", "arm64")), false, Failed, "2 nodes: linux/arm64"},
		"another system":        {nodes(node("windows", "amd64")), false, Failed, "windows/amd64"},
		"each has half":         {nodes(node("windows", "amd64"), node("linux", "arm64")), false, Failed, "linux/arm64, windows/amd64"},
		"more nodes may come":   {nodes(node("linux", "arm64")), true, Warned, "linux/arm64"},
		"no nodes are known of": {nil, false, Passed, ""},
	} {
		asked := false
		got := judgeNodes(c.nodes, linux, func() bool { asked = true; return c.adds })
		if asked != (c.status != Passed) {
			t.Errorf("%s: whether the cluster adds nodes was asked: %t", name, asked)
		}
		wants(t, name, got, c.status, c.says)
		if c.status == Failed && (!strings.Contains(got.What, "kubernetes.io/arch=amd64") || !strings.Contains(got.Next, `nodeSelector.kubernetes\.io/arch=`)) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
