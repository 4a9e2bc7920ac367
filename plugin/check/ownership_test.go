package check

import (
	"net/url"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// TestToldElsewhere: a field that has a check of its own is not told twice, and
// every other one is told.
func TestToldElsewhere(t *testing.T) {
	for field, want := range map[string]bool{
		"Bucket metadata.annotations[services.k8s.aws/region]": true,
		"Bucket spec.publicAccessBlock.blockPublicPolicy":      true,
		"Bucket spec.policy": false,
		"ServiceAccount metadata.annotations[eks.amazonaws.com/role-arn]": true,
		"ServiceAccount metadata.labels[a]":                               false,
		"Service spec.selector.app":                                       true,
		"Service spec.type":                                               false,
		"Deployment spec.replicas":                                        true,
		"Deployment spec.template.spec.containers[ostoy-frontend].env[AWS_REGION].value":   true,
		"Deployment spec.template.spec.containers[ostoy-frontend].image":                   false,
		"ConfigMap data[config.json]":                                                      false,
		"Route spec.to.name":                                                               false,
		"Deployment spec.template.spec.volumes[aws-iam-token].projected.sources":           true,
		"Deployment spec.template.spec.containers[ostoy-frontend].resources.limits.memory": false,
	} {
		kind, path, _ := strings.Cut(field, " ")
		if got := toldElsewhere(kind, apply.FieldChange{Path: path}); got != want {
			t.Errorf("%s: %t", field, got)
		}
	}
	mounts := func(name string) apply.FieldChange {
		return apply.FieldChange{Path: "spec.template.spec.initContainers[wait-for-bucket].volumeMounts", After: []any{map[string]any{"name": name}}}
	}
	if !toldElsewhere("Deployment", mounts("aws-iam-token")) || toldElsewhere("Deployment", mounts("data")) {
		t.Error("mounts of the token are told elsewhere, those of others are not")
	}
}

func TestChangeText(t *testing.T) {
	got := changeText(apply.FieldChange{Path: "spec.x", Before: int64(2), After: nil, Manager: "kubectl-edit"})
	if got != "spec.x: 2, and is to be absent (changed by kubectl-edit)" {
		t.Errorf("%q", got)
	}
	long := changeText(apply.FieldChange{Path: "spec.x", Before: strings.Repeat("x", 500), After: "y"})
	if len(long) > 120 {
		t.Errorf("%d characters: %s", len(long), long)
	}
	if got := capped([]string{"1", "2", "3", "4", "5", "6", "7"}); len(got) != 6 || got[5] != "and 2 more" {
		t.Errorf("%v", got)
	}
}

func TestTutorialTrust(t *testing.T) {
	trust := `{"Statement":[{"Condition":{"StringEquals":{"oidc.example.com/1:sub":"system:serviceaccount:demo:ostoy-sa"}}}]}`
	for name, c := range map[string]struct {
		trust, issuer, namespace string
		want                     bool
	}{
		"this one":           {trust, "https://oidc.example.com/1", "demo", true},
		"as IAM gives it":    {url.PathEscape(trust), "https://oidc.example.com/1", "demo", true},
		"another project":    {trust, "https://oidc.example.com/1", "dem", false},
		"another cluster":    {trust, "https://oidc.example.com/2", "demo", false},
		"nobody is let in":   {"", "https://oidc.example.com/1", "demo", false},
		"encoded wrongly":    {"%zz", "https://oidc.example.com/1", "demo", false},
		"the whole project":  {strings.ReplaceAll(trust, "ostoy-sa", "*"), "https://oidc.example.com/1", "demo", false},
		"a name that begins": {strings.ReplaceAll(trust, "ostoy-sa", "ostoy-sa2"), "https://oidc.example.com/1", "demo", false},
	} {
		if got := trusts(c.trust, c.issuer, c.namespace); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestTutorialBinding(t *testing.T) {
	binding := fromYAML(t, "{subjects: [{kind: User, name: ostoy-sa}, {kind: ServiceAccount, name: ostoy-sa, namespace: demo}]}")
	if !binds(binding, "demo") || binds(binding, "other") || binds(fromYAML(t, "{}"), "demo") {
		t.Error("the subjects are not told apart")
	}
}
