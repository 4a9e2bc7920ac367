package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestPods(t *testing.T) {
	pod := func(name, audience, role string, ready bool) *unstructured.Unstructured {
		status := map[bool]string{true: "True", false: "False"}[ready]
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"name": name},
			"spec": map[string]any{
				"volumes": []any{
					map[string]any{"name": "data"},
					map[string]any{"name": "aws-iam-token", "projected": map[string]any{"sources": []any{
						map[string]any{"serviceAccountToken": map[string]any{"audience": audience}},
					}}},
				},
				"containers": []any{map[string]any{"env": []any{
					map[string]any{"name": "AWS_ROLE_ARN", "value": role},
					map[string]any{"name": "AWS_REGION", "value": "eu-west-1"},
					map[string]any{"name": "NAMESPACE", "valueFrom": map[string]any{}},
				}}},
			},
			"status": map[string]any{"conditions": []any{map[string]any{"type": "Ready", "status": status}}},
		}}
	}
	var p Pods
	p.add(pod("old", "openshift", "arn:old", false))
	old := Claim{Source: "pod old", Role: "arn:old", Audience: "openshift"}
	want := Pods{Any: "old", Role: "arn:old", Audience: "openshift", Region: "eu-west-1", Claims: []Claim{old}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	p.add(pod("new", "sts.amazonaws.com", "arn:new", true))
	p.add(pod("late", "openshift", "arn:late", false))
	p.add(pod("same", "openshift", "arn:late", false))
	want = Pods{Ready: "new", Any: "new", Role: "arn:new", Audience: "sts.amazonaws.com", Region: "eu-west-1", Claims: []Claim{
		old, {Source: "pod new", Role: "arn:new", Audience: "sts.amazonaws.com"}, {Source: "pod late", Role: "arn:late", Audience: "openshift"},
	}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	var bare Pods
	bare.add(&unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "bare"}, "spec": "odd"}})
	if diff := cmp.Diff(Pods{Any: "bare"}, bare); diff != "" {
		t.Error(diff)
	}
}

// TestF9Containers: the role is that of the app's own containers, wherever they have it
// from; a container that something else has added may have another one.
func TestF9Containers(t *testing.T) {
	const stray = "{name: mesh, env: [{name: AWS_ROLE_ARN, value: other}, {name: AWS_REGION, value: other}]}"
	for text, want := range map[string]Pods{
		"containers: [{name: ostoy-frontend, env: [{name: AWS_ROLE_ARN, value: r}, {name: AWS_REGION, value: us-east-2}]}, " + stray + "]": {
			Role: "r", Region: "us-east-2", Claims: []Claim{{Role: "r"}},
		},
		"initContainers: [{name: wait-for-bucket, env: [{name: AWS_ROLE_ARN, value: i}]}, " + stray + "], containers: [{name: ostoy-frontend, env: [{name: AWS_ROLE_ARN, value: r}]}]": {
			Role: "r", Claims: []Claim{{Role: "i"}, {Role: "r"}},
		},
		"containers: [{name: ostoy-frontend, envFrom: [{configMapRef: {name: c}}]}, " + stray + "]":                      {Claims: []Claim{{Hidden: true}}},
		"containers: [{name: ostoy-frontend, envFrom: [{secretRef: {name: s}}], env: [{name: AWS_ROLE_ARN, value: r}]}]": {Role: "r", Claims: []Claim{{Role: "r"}}},
		"containers: [{name: ostoy-frontend, env: [{name: AWS_ROLE_ARN, valueFrom: {configMapKeyRef: {}}}]}]":            {Claims: []Claim{{Hidden: true}}},
		"containers: [{name: ostoy-frontend, envFrom: []}, {name: mesh, envFrom: [{secretRef: {name: s}}]}]":             {},
		"containers: [" + stray + "]": {Role: "other", Region: "other", Claims: []Claim{{Role: "other"}}},
	} {
		var object map[string]any
		if err := yaml.Unmarshal([]byte("{metadata: {name: p}, spec: {"+text+"}}"), &object); err != nil {
			t.Fatal(err)
		}
		want.Any = "p"
		for n := range want.Claims {
			want.Claims[n].Source = "pod p"
		}
		var got Pods
		got.add(&unstructured.Unstructured{Object: object})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestRoleOf(t *testing.T) {
	for role, want := range map[string]string{
		"":                                      "has no role",
		"ostoy":                                 "has no role: the app's pods, or its annotation eks.amazonaws.com/role-arn, name (a value that is not the ARN of an IAM role)",
		"arn:aws:iam::123456789012:user/x":      "(a value that is not the ARN of an IAM role)",
		"arn:aws:iam::123456789012:role/$(id)":  "(a value that is not the ARN of an IAM role)",
		"arn:aws:iam::123456789012:role/path/x": "",
	} {
		_, err := roleOf(&run{Target: Target{Namespace: "demo"}}, Pods{Role: role})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", role, err, want)
		}
	}
}

// TestSecretsDoNotPrint: neither as values nor in structures.
func TestSecretsDoNotPrint(t *testing.T) {
	s := secret("eyJhbGciOi.eyJpc3MiOiJodHRwczovL2kiLCJzdWIiOiJ1In0.sig")
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), fmt.Sprintf("%+v", struct{ S secret }{s})} {
		if strings.Contains(text, "eyJ") {
			t.Errorf("prints %s", text)
		}
	}
	if c := s.read(); c.Issuer != "https://i" || c.Subject != "u" {
		t.Errorf("%+v", c)
	}
	for _, odd := range []secret{"", "a.b", "a.!.c", "a.e30x.c"} {
		if c := odd.read(); c != (claims{}) {
			t.Errorf("%q says %+v", string(odd), c)
		}
	}
}
