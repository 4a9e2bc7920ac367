package charts_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestF12RootFilesystem: all containers, and what switches it off.
func TestF12RootFilesystem(t *testing.T) {
	for set, want := range map[string]bool{
		"readOnlyRootFilesystem=true":  true,
		"readOnlyRootFilesystem=false": false,
		"readOnlyRootFilesystem=null":  true, // the values of an older release
	} {
		t.Run(set, func(t *testing.T) {
			found := render(t, input{set: []string{set}})
			for _, c := range []map[string]any{
				container(pod(t, found, "ostoy-frontend"), "wait-for-bucket"),
				container(pod(t, found, "ostoy-frontend"), "ostoy-frontend"),
				container(pod(t, found, "ostoy-microservice"), "ostoy-microservice"),
			} {
				if got := at(t, c, "securityContext", "readOnlyRootFilesystem"); got != want {
					t.Errorf("%s: readOnlyRootFilesystem is %v, want %v", c["name"], got, want)
				}
			}
		})
	}
}

// TestF12ServiceAccount: the webhook reads the lifetime of the token there, and no
// pod gets a token for the API server.
func TestF12ServiceAccount(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		account := found.get(t, "ServiceAccount ostoy-sa")
		if got := account.GetAnnotations()["eks.amazonaws.com/token-expiration"]; got != "3600" {
			t.Errorf("token-expiration is %q, want 3600", got)
		}
		if got := account.Object["automountServiceAccountToken"]; got != false {
			t.Errorf("automountServiceAccountToken is %v, want false", got)
		}
	})
}

// TestF12Evictable: with the annotation the cluster autoscaler removes a node although
// /tmp is an emptyDir; the frontend keeps what the webhook's mode adds.
func TestF12Evictable(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
			notes := at(t, found.get(t, "Deployment "+name).Object, "spec", "template", "metadata", "annotations").(map[string]any)
			if got := notes["cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"]; got != "tmp" {
				t.Errorf("%s: safe-to-evict-local-volumes is %v, want tmp", name, got)
			}
		}
	})
}

// TestF12EphemeralStorage: a LimitRange with a maxLimitRequestRatio of 4 admits the pods,
// and logs and /tmp fit into the limit: OpenShift's kubelet keeps 5 files of 50Mi for a
// container, /tmp has 64Mi.
func TestF12EphemeralStorage(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
			amount := func(kind string) int64 {
				text := at(t, container(pod(t, found, name), name), "resources", kind, "ephemeral-storage").(string)
				quantity := resource.MustParse(text)
				return quantity.Value()
			}
			const mi = 1 << 20
			if limit, request := amount("limits"), amount("requests"); limit > 4*request || limit < (5*50+64)*mi {
				t.Errorf("%s: ephemeral-storage: request %d, limit %d", name, request, limit)
			}
		}
	})
}

func port(number int64, protocol string) map[string]any {
	return map[string]any{"port": number, "protocol": protocol}
}

func podsOf(app string) map[string]any {
	return map[string]any{"podSelector": map[string]any{"matchLabels": map[string]any{"app": app}}}
}

func namespacesWith(label string) map[string]any {
	return map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{label: ""}}}
}

// The rules of the policies, in full: nothing more is allowed, and nothing else
// is restricted.
var (
	dns              = map[string]any{"ports": []any{port(53, "UDP"), port(53, "TCP"), port(5353, "UDP"), port(5353, "TCP")}}
	toMicroservice   = map[string]any{"to": []any{podsOf("ostoy-microservice")}, "ports": []any{port(8080, "TCP")}}
	fromFrontend     = map[string]any{"from": []any{podsOf("ostoy-frontend")}, "ports": []any{port(8080, "TCP")}}
	fromRoutersAndUs = map[string]any{
		"from": []any{
			namespacesWith("policy-group.network.openshift.io/ingress"),
			namespacesWith("policy-group.network.openshift.io/host-network"),
			map[string]any{"podSelector": map[string]any{}},
		},
		"ports": []any{port(8080, "TCP")},
	}
)

func toAWS(ports ...any) map[string]any {
	return map[string]any{"ports": append([]any{port(443, "TCP")}, ports...)}
}

func policy(app string, rules map[string]any, types ...any) map[string]any {
	spec := map[string]any{"podSelector": podsOf(app)["podSelector"], "policyTypes": types}
	for key, rule := range rules {
		spec[key] = rule
	}
	return spec
}

func TestF12NetworkPolicies(t *testing.T) {
	openshift := []string{"route.openshift.io/v1"}
	for name, tc := range map[string]struct {
		in                     input
		frontend, microservice map[string]any // nil: no policy
	}{
		"OpenShift": {
			input{apis: openshift},
			policy("ostoy-frontend", map[string]any{"ingress": []any{fromRoutersAndUs}}, "Ingress"),
			policy("ostoy-microservice", map[string]any{"ingress": []any{fromFrontend}}, "Ingress"),
		},
		"OpenShift, values of an older release": {
			input{apis: openshift, set: []string{"networkPolicy=null"}},
			policy("ostoy-frontend", map[string]any{"ingress": []any{fromRoutersAndUs}}, "Ingress"),
			policy("ostoy-microservice", map[string]any{"ingress": []any{fromFrontend}}, "Ingress"),
		},
		"OpenShift, Ingress of OpenShift's class": {
			input{apis: openshift, set: []string{"expose=ingress,ingress.className=openshift-default"}},
			policy("ostoy-frontend", map[string]any{"ingress": []any{fromRoutersAndUs}}, "Ingress"),
			policy("ostoy-microservice", map[string]any{"ingress": []any{fromFrontend}}, "Ingress"),
		},
		"OpenShift, Ingress without a class": {
			input{apis: openshift, set: []string{"expose=ingress"}},
			policy("ostoy-frontend", map[string]any{"ingress": []any{fromRoutersAndUs}}, "Ingress"),
			policy("ostoy-microservice", map[string]any{"ingress": []any{fromFrontend}}, "Ingress"),
		},
		"OpenShift, Ingress of another class": {in: input{apis: openshift, set: []string{"expose=ingress,ingress.className=nginx"}}},
		"OpenShift, another class by the annotation": {
			in: input{apis: openshift, set: []string{"expose=ingress", `ingress.annotations.kubernetes\.io/ingress\.class=nginx`}},
		},
		"OpenShift, another class, not exposed by it": {
			input{apis: openshift, set: []string{"ingress.className=nginx"}},
			policy("ostoy-frontend", map[string]any{"ingress": []any{fromRoutersAndUs}}, "Ingress"),
			policy("ostoy-microservice", map[string]any{"ingress": []any{fromFrontend}}, "Ingress"),
		},
		"OpenShift, open":      {in: input{apis: openshift, set: []string{"networkPolicy.ingress=open"}}},
		"Kubernetes":           {in: input{}},
		"Kubernetes, old ones": {in: input{set: []string{"networkPolicy=null"}}},
		"Kubernetes, restricted": {
			input{set: []string{"networkPolicy.ingress=restricted"}},
			policy("ostoy-frontend", map[string]any{"ingress": []any{fromRoutersAndUs}}, "Ingress"),
			policy("ostoy-microservice", map[string]any{"ingress": []any{fromFrontend}}, "Ingress"),
		},
		"egress": {
			input{set: []string{"networkPolicy.egress=restricted"}},
			policy("ostoy-frontend", map[string]any{"egress": []any{dns, toAWS(), toMicroservice}}, "Egress"),
			policy("ostoy-microservice", map[string]any{"egress": []any{dns}}, "Egress"),
		},
		"both, with proxies": {
			input{apis: openshift, set: []string{"networkPolicy.egress=restricted", "networkPolicy.proxyPorts={80,3128}"}},
			policy("ostoy-frontend", map[string]any{
				"ingress": []any{fromRoutersAndUs},
				"egress":  []any{dns, toAWS(port(80, "TCP"), port(3128, "TCP")), toMicroservice},
			}, "Ingress", "Egress"),
			policy("ostoy-microservice", map[string]any{"ingress": []any{fromFrontend}, "egress": []any{dns}}, "Ingress", "Egress"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := render(t, tc.in)
			for app, want := range map[string]map[string]any{"ostoy-frontend": tc.frontend, "ostoy-microservice": tc.microservice} {
				object := found["NetworkPolicy "+app]
				if want == nil {
					if object != nil {
						t.Errorf("there is a policy %s", app)
					}
					continue
				}
				if object == nil {
					t.Fatalf("there is no policy %s", app)
				}
				if diff := cmp.Diff(any(want), normal(t, object.Object["spec"])); diff != "" {
					t.Errorf("%s (-want +got):\n%s", app, diff)
				}
				// What the policy selects are the pods of the Deployment.
				labels := at(t, found.get(t, "Deployment "+app).Object, "spec", "template", "metadata", "labels")
				if labels.(map[string]any)["app"] != app {
					t.Errorf("the pods of %s have the labels %v", app, labels)
				}
			}
		})
	}
}
