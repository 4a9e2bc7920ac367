package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// variant is one run of the plugin whose output is scanned.
type variant struct {
	name string
	args []string
}

// facts are all that render would otherwise ask a cluster or AWS for.
var facts = []string{"--account-id", "123456789012", "--region", "us-east-2", "--oidc-issuer", "https://oidc.op1.openshiftapps.com/2abc", "--kube-version", "v1.33.0"}

const (
	openshift = "route.openshift.io/v1,security.openshift.io/v1"
	olm       = "operators.coreos.com/v1,operators.coreos.com/v1alpha1,admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"
)

// notRendered are the values that no variant sets, and why.
var notRendered = map[string]string{
	"aws.partition":                          "is a fact, and belongs to the region",
	"podSecurityContext.fsGroupChangePolicy": "does not change what a container may do",
	"readOnlyRootFilesystem=false":           "is a writable root filesystem that the user asks for",
}

// needed are the values without which another one is refused.
var needed = map[string][]string{
	"expose=ingress": {"--set", "ingress.host=ostoy.example.com"},
}

// variants are the platforms, the flags that add objects, one variant for each
// value that the chart's schema lists, and what the controller's commands print.
func variants(schema []byte) ([]variant, error) {
	choices, err := choices(schema)
	if err != nil {
		return nil, err
	}
	var list []variant
	app := func(name string, args ...string) {
		list = append(list, variant{name, slices.Concat([]string{"render", "-n", "demo"}, facts, args)})
	}
	for _, platform := range []string{"rosa-hcp", "rosa-classic", "openshift"} {
		app(platform, "--platform", platform, "--api-versions", openshift)
	}
	app("eks", "--platform", "eks")
	app("kubernetes", "--platform", "kubernetes")

	rosa := []string{"--platform", "rosa-hcp", "--api-versions", openshift}
	for _, choice := range choices {
		app(strings.ReplaceAll(choice, "=", "-"), slices.Concat(rosa, []string{"--set", choice}, needed[choice])...)
	}
	app("namespace", slices.Concat(rosa, []string{"--include-namespace"})...)
	app("digest", slices.Concat(rosa, []string{"--set", "frontend.image.digest=sha256:" + strings.Repeat("a", 64)})...)
	for _, engine := range []string{"argocd", "flux"} {
		app(engine, slices.Concat(rosa, []string{"--format", engine, "--repo-url", "https://git.example.com/team/apps", "--revision", "main", "--path", "apps/demo"})...)
	}
	for _, identity := range []string{"subscription", "annotation"} {
		list = append(list, variant{"controller-" + identity, slices.Concat([]string{"controller", "render"}, facts,
			[]string{"--platform", "rosa-hcp", "--api-versions", openshift + "," + olm, "--version", "1.13.0", "--identity", identity})})
	}
	return list, nil
}

// property is the part of a JSON schema that is read here.
type property struct {
	Type       any                 `json:"type"` // a name, or a list of them
	Enum       []string            `json:"enum"`
	Properties map[string]property `json:"properties"`
}

// choices lists each value that the schema names, as --set takes it.
func choices(schema []byte) ([]string, error) {
	var root property
	if err := json.Unmarshal(schema, &root); err != nil {
		return nil, fmt.Errorf("the chart's schema: %w", err)
	}
	list := slices.DeleteFunc(root.choices(""), func(choice string) bool {
		path, _, _ := strings.Cut(choice, "=")
		return notRendered[choice] != "" || notRendered[path] != ""
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("the chart's schema lists no values")
	}
	return list, nil
}

func (p property) choices(path string) []string {
	values := p.Enum
	if p.Type == "boolean" {
		values = []string{"true", "false"}
	}
	var list []string
	for _, value := range values {
		list = append(list, path+"="+value)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		list = append(list, p.Properties[name].choices(strings.TrimPrefix(path+"."+name, "."))...)
	}
	return list
}
