package charts_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestPodSecurityRestricted holds every pod to the profile "restricted" of the
// Pod Security Standards and to what restricted-v2 adds: no fixed user. The
// end-to-end tests let a real API server enforce it; this names the field.
func TestPodSecurityRestricted(t *testing.T) {
	each(t, func(t *testing.T, found objects, in input) {
		for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
			for _, problem := range notRestricted(pod(t, found, name)) {
				t.Errorf("%s: %s", name, problem)
			}
		}
	})
}

// notRestricted lists what the profile forbids in a pod's spec.
func notRestricted(spec map[string]any) []string {
	var problems []string
	complain := func(ok bool, problem string) {
		if !ok {
			problems = append(problems, problem)
		}
	}
	for _, field := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		complain(spec[field] == nil, field+" is stated")
	}
	context, _ := spec["securityContext"].(map[string]any)
	complain(context["runAsNonRoot"] == true, "the pod does not say runAsNonRoot")
	complain(seccomp(context) == "RuntimeDefault", "the pod has no seccomp profile")
	complain(context["runAsUser"] == nil, "the pod names a user: OpenShift chooses it")
	allowed := []string{"name", "configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
	volumes, _ := spec["volumes"].([]any)
	for _, v := range volumes {
		for kind := range v.(map[string]any) {
			complain(slices.Contains(allowed, kind), "a volume of kind "+kind)
		}
	}
	for _, list := range []string{"initContainers", "containers"} {
		members, _ := spec[list].([]any)
		complain(list == "initContainers" || len(members) > 0, "no containers")
		for _, member := range members {
			c := member.(map[string]any)
			for _, problem := range containerNotRestricted(c) {
				problems = append(problems, c["name"].(string)+": "+problem)
			}
		}
	}
	return problems
}

func containerNotRestricted(c map[string]any) []string {
	var problems []string
	complain := func(ok bool, problem string) {
		if !ok {
			problems = append(problems, problem)
		}
	}
	context, _ := c["securityContext"].(map[string]any)
	complain(context["allowPrivilegeEscalation"] == false, "may escalate privileges")
	complain(context["privileged"] == nil, "privileged is stated")
	complain(context["runAsNonRoot"] == true, "does not say runAsNonRoot")
	complain(context["runAsUser"] == nil, "names a user")
	complain(seccomp(context) == "RuntimeDefault", "has no seccomp profile")
	capabilities, _ := context["capabilities"].(map[string]any)
	complain(cmp.Equal(capabilities, map[string]any{"drop": []any{"ALL"}}), "does not drop all capabilities, or adds some")
	ports, _ := c["ports"].([]any)
	for _, port := range ports {
		complain(port.(map[string]any)["hostPort"] == nil, "takes a port of the node")
	}
	return problems
}

func seccomp(context map[string]any) string {
	profile, _, _ := unstructured.NestedString(context, "seccompProfile", "type")
	return profile
}

// The check itself must be able to fail.
func TestNotRestrictedFires(t *testing.T) {
	good := func() map[string]any { return pod(t, render(t, input{}), "ostoy-frontend") }
	if problems := notRestricted(good()); len(problems) > 0 {
		t.Fatal(problems)
	}
	for name, spoil := range map[string]func(spec, c, context map[string]any){
		"host network": func(spec, _, _ map[string]any) { spec["hostNetwork"] = true },
		"host path": func(spec, _, _ map[string]any) {
			spec["volumes"] = []any{map[string]any{"name": "x", "hostPath": map[string]any{}}}
		},
		"pod user":      func(spec, _, _ map[string]any) { spec["securityContext"].(map[string]any)["runAsUser"] = 0 },
		"pod seccomp":   func(spec, _, _ map[string]any) { delete(spec["securityContext"].(map[string]any), "seccompProfile") },
		"escalation":    func(_, _, context map[string]any) { delete(context, "allowPrivilegeEscalation") },
		"root":          func(_, _, context map[string]any) { context["runAsNonRoot"] = false },
		"capabilities":  func(_, _, context map[string]any) { delete(context, "capabilities") },
		"user":          func(_, _, context map[string]any) { context["runAsUser"] = 1001 },
		"seccomp":       func(_, _, context map[string]any) { delete(context, "seccompProfile") },
		"port of node":  func(_, c, _ map[string]any) { c["ports"] = []any{map[string]any{"hostPort": 80}} },
		"no containers": func(spec, _, _ map[string]any) { delete(spec, "containers") },
	} {
		spec := good()
		c := container(spec, "ostoy-frontend")
		spoil(spec, c, c["securityContext"].(map[string]any))
		if len(notRestricted(spec)) == 0 {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

// A quota in the project refuses containers that say nothing, and a LimitRange
// fills in what it likes.
func TestEveryContainerHasRequestsAndLimits(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
			spec := pod(t, found, name)
			for _, list := range []string{"initContainers", "containers"} {
				members, _ := spec[list].([]any)
				for _, member := range members {
					c := member.(map[string]any)
					for _, kind := range []string{"requests", "limits"} {
						for _, what := range []string{"cpu", "memory", "ephemeral-storage"} {
							text, _, _ := unstructured.NestedString(c, "resources", kind, what)
							if q, err := resource.ParseQuantity(text); err != nil || q.IsZero() {
								t.Errorf("%s %s: %s of %s is %q", name, c["name"], kind, what, text)
							}
						}
					}
				}
			}
		}
	})
}

// On plain Kubernetes a group or user may be needed; the rest cannot be undone.
func TestPodSecurityContextOnlyAdds(t *testing.T) {
	found := render(t, input{set: []string{"podSecurityContext.fsGroup=1001", "podSecurityContext.runAsUser=1001"}})
	want := map[string]any{
		"fsGroup": int64(1001), "runAsUser": int64(1001),
		"runAsNonRoot": true, "seccompProfile": map[string]any{"type": "RuntimeDefault"},
	}
	for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
		if diff := cmp.Diff(want, normal(t, pod(t, found, name)["securityContext"])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
