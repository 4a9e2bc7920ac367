package ack

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// bundle is the controller's container as OLM's bundle has it.
func bundle(more ...core.EnvVar) core.Container {
	no, yes := false, true
	return core.Container{
		Name: "controller", Image: "public.ecr.aws/aws-controllers-k8s/s3-controller:1.10.0",
		Args: []string{
			"--aws-region", "$(AWS_REGION)", "--aws-endpoint-url", "$(AWS_ENDPOINT_URL)", "--resource-tags", "$(ACK_RESOURCE_TAGS)",
			"--watch-namespace", "$(ACK_WATCH_NAMESPACE)", "--enable-leader-election=$(ENABLE_LEADER_ELECTION)",
			"--feature-gates", "$(FEATURE_GATES)", "--enable-carm=$(ENABLE_CARM)",
		},
		Env: more,
		EnvFrom: []core.EnvFromSource{
			{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: UserConfig}, Optional: &no}},
			{SecretRef: &core.SecretEnvSource{LocalObjectReference: core.LocalObjectReference{Name: "keys"}, Optional: &yes}},
		},
	}
}

func TestExpand(t *testing.T) {
	e := Environment{Values: map[string]string{"A": "1", "EMPTY": ""}, Hidden: []string{"S"}}
	for text, want := range map[string]string{
		"$(A)": "1", "x$(A)y$(EMPTY)z": "x1yz", "$(NONE)": "$(NONE)", "$$(A)": "$(A)", "$(S)": "*", "$A": "$A", "$(A": "$(A", "5$": "5$", "$$": "$",
	} {
		got, unset := expand(text, e)
		if got != want || (len(unset) > 0) != (text == "$(NONE)") {
			t.Errorf("%s: %q %v, want %q", text, got, unset, want)
		}
	}
}

// TestEnvironment: env wins over envFrom, a Secret's keys are known and its
// values are not, and a ConfigMap that must be there is missed.
func TestEnvironment(t *testing.T) {
	c := bundle(core.EnvVar{Name: "AWS_REGION", Value: "eu-west-1"}, core.EnvVar{Name: "TWICE", Value: "$(AWS_REGION)$(AWS_REGION)"})
	e := EnvironmentOf(c, Sources{
		ConfigMaps: map[string]map[string]string{UserConfig: {"AWS_REGION": "us-west-2", "FEATURE_GATES": "", "AWS_SECRET_ACCESS_KEY": "plain"}},
		Secrets:    map[string][]string{"keys": {"AWS_SECRET_ACCESS_KEY"}},
	})
	want := map[string]string{"AWS_REGION": "eu-west-1", "FEATURE_GATES": "", "TWICE": "eu-west-1eu-west-1"}
	if diff := cmp.Diff(want, e.Values); diff != "" || !e.Has("AWS_SECRET_ACCESS_KEY") || e.Has("FEATURE_GATES") || e.Missing != nil {
		t.Errorf("%s\n%+v", diff, e)
	}
	if e = EnvironmentOf(c, Sources{}); !cmp.Equal(e.Missing, []string{UserConfig}) {
		t.Errorf("missing: %v", e.Missing)
	}
}

func TestFlaws(t *testing.T) {
	for name, c := range map[string]struct {
		set     map[string]string
		without string
		version []int
		region  string
		want    string // the setting, "" for none
	}{
		"every key of the safe ConfigMap":       {},
		"no feature gates":                      {without: "FEATURE_GATES", want: "FEATURE_GATES"},
		"no CARM":                               {without: "ENABLE_CARM", want: "ENABLE_CARM"},
		"the tutorial's tag":                    {set: map[string]string{"ACK_RESOURCE_TAGS": "rosa_cluster_ack"}, want: "ACK_RESOURCE_TAGS"},
		"the tutorial's tag, on an old version": {set: map[string]string{"ACK_RESOURCE_TAGS": "rosa_cluster_ack"}, version: []int{1, 1, 2}},
		"two equal signs":                       {set: map[string]string{"ACK_RESOURCE_TAGS": "a=b=c"}, want: "ACK_RESOURCE_TAGS"},
		"no tags":                               {set: map[string]string{"ACK_RESOURCE_TAGS": ""}},
		"a gate without a value":                {set: map[string]string{"FEATURE_GATES": "ResourceAdoption"}, want: "FEATURE_GATES"},
		"a gate that is maybe":                  {set: map[string]string{"FEATURE_GATES": "ResourceAdoption=maybe"}, want: "FEATURE_GATES"},
		"good gates":                            {set: map[string]string{"FEATURE_GATES": "ResourceAdoption=true, ReadOnlyResources=false"}},
		"role selector with CARM":               {set: map[string]string{"FEATURE_GATES": "IAMRoleSelector=true"}, want: "ENABLE_CARM"},
		"role selector without":                 {set: map[string]string{"FEATURE_GATES": "IAMRoleSelector=true", "ENABLE_CARM": "false"}},
		"CARM is yes":                           {set: map[string]string{"ENABLE_CARM": "yes"}, want: "ENABLE_CARM"},
		"CARM is empty":                         {set: map[string]string{"ENABLE_CARM": ""}, want: "ENABLE_CARM"},
		"no region":                             {set: map[string]string{"AWS_REGION": ""}, want: "AWS_REGION"},
		"no region, but of the webhook":         {without: "AWS_REGION", region: "us-east-2"},
		"endpoint without TLS":                  {set: map[string]string{"AWS_ENDPOINT_URL": "http://proxy"}, want: "AWS_ENDPOINT_URL"},
		"a bundle of certificates":              {set: map[string]string{"AWS_CA_BUNDLE": "/ca.crt"}, want: "AWS_CA_BUNDLE"},
	} {
		data := SafeConfig("us-east-2")
		for key, value := range c.set {
			data[key] = value
		}
		delete(data, c.without)
		one := Controller{Container: bundle(), Version: c.version}
		flaws := one.Flaws(EnvironmentOf(one.Container, Sources{ConfigMaps: map[string]map[string]string{UserConfig: data}}), c.region)
		if got := strings.Join(Settings(flaws), " "); got != c.want {
			t.Errorf("%s: %q, want %q\n%+v", name, got, c.want, flaws)
		}
	}
	one := Controller{Container: bundle()}
	if flaws := one.Flaws(EnvironmentOf(one.Container, Sources{}), ""); len(flaws) != 1 || flaws[0].Setting != "ConfigMap "+UserConfig {
		t.Errorf("without its ConfigMap: %+v", flaws)
	}
}

func TestWatches(t *testing.T) {
	for value, want := range map[string]bool{"": true, "demo": true, "a, demo": true, "a,b": false} {
		c := bundle(core.EnvVar{Name: "ACK_WATCH_NAMESPACE", Value: value})
		if got := FlagsOf(c, EnvironmentOf(c, Sources{})).Watches("demo"); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	flags := FlagsOf(core.Container{Args: []string{"--feature-gates=ResourceAdoption=true", "--enable-leader-election", "--log-level", "debug"}}, Environment{})
	if on, said := flags.Gate("ResourceAdoption"); !on || !said {
		t.Error("the gate is not seen")
	}
	if value, given := flags.Get("enable-leader-election"); value != "true" || !given {
		t.Errorf("a flag alone is %q", value)
	}
	if value, _ := flags.Get("log-level"); value != "debug" {
		t.Errorf("a flag with a word is %q", value)
	}
}

func TestCauseOf(t *testing.T) {
	for log, want := range map[string]string{
		`"error":"invalid value for flag 'feature-gates': invalid feature gate format: $(FEATURE_GATES)"`: "nothing gives the variable FEATURE_GATES",
		`invalid feature gate format: Foo`: "the feature gate Foo",
		`invalid argument "$(ENABLE_CARM)" for "--enable-carm" flag: strconv.ParseBool: parsing "$(ENABLE_CARM)": invalid syntax`:                                     "nothing gives the variable ENABLE_CARM",
		`invalid argument "yes" for "--enable-carm" flag: strconv.ParseBool: parsing "yes": invalid syntax`:                                                           "not yes",
		`msg="x" error="invalid resource tag: rosa_cluster_ack"`:                                                                                                      "the resource tag rosa_cluster_ack",
		`unable to start service controller as AWS region is missing. Please pass --aws-region flag or set AWS_REGION environment variable`:                           "nothing tells it a region",
		`cannot enable feature gate 'IAMRoleSelector' when flag 'enable-carm' is set to true`:                                                                         "IAMRoleSelector",
		`using an unsafe endpoint is not allowed. Please review the controller configuration`:                                                                         "not https",
		`unable to determine account info: unable to get caller identity: operation error STS: ... Not authorized to perform sts:AssumeRoleWithWebIdentity`:           "does not trust it",
		`unable to determine account info: unable to get caller identity: ... InvalidIdentityToken: No OpenIDConnect provider found in your account for https://x`:    "no identity provider",
		`unable to determine account info: unable to get caller identity: ... InvalidIdentityToken: Incorrect token audience`:                                         "audience",
		`unable to determine account info: unable to get caller identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, operation e`: "no AWS credentials",
		`unable to determine account info: unable to get caller identity: dial tcp: i/o timeout`:                                                                      "does not tell it who it is: dial tcp",
	} {
		if cause, known := CauseOf("first line\n" + log + "\nlast line"); !known || !strings.Contains(cause.Why, want) || cause.Next == "" {
			t.Errorf("%s\n%v %+v", log, known, cause)
		}
	}
	if cause, known := CauseOf("panic: runtime error"); known {
		t.Errorf("a cause out of nothing: %+v", cause)
	}
	if got := LastWords("a\n\n b \nc\n\n", 2); got != "b | c" {
		t.Errorf("last words %q", got)
	}
}

// shelf lists Deployments, and remembers by which selectors it was asked.
type shelf struct {
	objects map[string][]*unstructured.Unstructured // by selector
	asked   []string
}

func (s *shelf) List(_ context.Context, _ schema.GroupVersionResource, _, selector string) ([]*unstructured.Unstructured, error) {
	s.asked = append(s.asked, selector)
	return s.objects[selector], nil
}

func aDeployment(image, account string, labels map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "d", "namespace": "n", "labels": labels},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"serviceAccountName": account,
			"containers":         []any{map[string]any{"name": "proxy", "image": "proxy"}, map[string]any{"name": "controller", "image": image}},
		}}},
	}}
}

func TestFind(t *testing.T) {
	const mirror = "mirror.example.com:5000/ack/s3-controller@sha256:0"
	for name, c := range map[string]struct {
		object    *unstructured.Unstructured
		found     bool
		installer Installer
		version   string
	}{
		"OLM":                     {aDeployment("public.ecr.aws/aws-controllers-k8s/s3-controller:1.10.0", "a", map[string]any{"olm.owner": "ack-s3-controller.v1.10.0"}), true, OLM, "1.10.0"},
		"mirror, by digest":       {aDeployment(mirror, "a", map[string]any{"olm.owner": "ack-s3-controller.v1.2.3"}), true, OLM, "1.2.3"},
		"chart":                   {aDeployment(mirror, "a", map[string]any{"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/version": "1.1.0"}), true, Helm, "1.1.0"},
		"manifests":               {aDeployment("s3-controller:v1.0.9", "a", nil), true, Manifests, "1.0.9"},
		"another image, its name": {aDeployment("mine/controller:latest", "ack-s3-controller", nil), true, Manifests, ""},
		"something else":          {aDeployment("mine/s3-controller-proxy:1", "a", nil), false, "", ""},
	} {
		s := &shelf{objects: map[string][]*unstructured.Unstructured{"": {c.object, aDeployment("x", "y", nil)}}}
		got, err := FindAll(t.Context(), s)
		if err != nil || (len(got) == 1) != c.found || len(s.asked) != 1 {
			t.Errorf("%s: %v, %v, asked %v", name, got, err, s.asked)
			continue
		}
		if c.found && (got[0].Installer != c.installer || got[0].VersionText() != c.version || got[0].Container.Name != "controller") {
			t.Errorf("%s: %s %s %s", name, got[0].Installer, got[0].VersionText(), got[0].Container.Name)
		}
	}
	s := &shelf{objects: map[string][]*unstructured.Unstructured{labelled: {aDeployment("s3-controller:1.0.9", "a", nil)}}}
	if got, err := FindLabelled(t.Context(), s); err != nil || len(got) != 1 || len(s.asked) != 1 || !got[0].Older(1, 0, 29) || got[0].Older(1, 0, 9) {
		t.Errorf("%v, %v, asked %v", got, err, s.asked)
	}
}
