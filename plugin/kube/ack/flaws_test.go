package ack

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// newest is the controller as the newest bundle has it, with every flag of its
// command line.
func newest(more ...core.EnvVar) Controller {
	c := bundle(more...)
	c.Image = "public.ecr.aws/aws-controllers-k8s/s3-controller:1.13.0"
	c.Args = []string{
		"--aws-region", "$(AWS_REGION)", "--aws-endpoint-url", "$(AWS_ENDPOINT_URL)",
		"--enable-development-logging=$(ACK_ENABLE_DEVELOPMENT_LOGGING)", "--log-level", "$(ACK_LOG_LEVEL)",
		"--resource-tags", "$(ACK_RESOURCE_TAGS)", "--watch-namespace", "$(ACK_WATCH_NAMESPACE)",
		"--enable-leader-election=$(ENABLE_LEADER_ELECTION)", "--leader-election-namespace", "$(LEADER_ELECTION_NAMESPACE)",
		"--reconcile-default-max-concurrent-syncs", "$(RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS)",
		"--feature-gates", "$(FEATURE_GATES)", "--enable-carm=$(ENABLE_CARM)",
	}
	return Controller{Container: c, Version: []int{1, 13, 0}}
}

// flawsWith are the settings that are wrong in a controller whose ConfigMap has
// this data, and what it takes from elsewhere.
func flawsWith(c Controller, data map[string]string) []string {
	env := EnvironmentOf(c.Container, Sources{ConfigMaps: map[string]map[string]string{UserConfig: data}})
	return Settings(c.Flaws(env, ""))
}

// TestOurConfigHasNoFlaws holds the ConfigMap that is installed against the
// judgement of installed ones, with and without what the Subscription adds.
func TestOurConfigHasNoFlaws(t *testing.T) {
	objects, err := operator.Objects(
		render.Facts{Region: render.Fact{Value: "us-east-2"}},
		operator.Options{
			RoleARN: "arn:aws:iam::123456789012:role/ostoy-s3/ack", StartingCSV: "ack-s3-controller.v1.13.0",
			Catalog: "community-operators", CatalogNamespace: "openshift-marketplace",
		})
	if err != nil {
		t.Fatal(err)
	}
	var data map[string]string
	var added []core.EnvVar
	for _, object := range objects {
		switch object.GetKind() {
		case "ConfigMap":
			data, _, _ = unstructured.NestedStringMap(object.Object, "data")
		case "Subscription":
			env, _, _ := unstructured.NestedSlice(object.Object, "spec", "config", "env")
			for _, entry := range env {
				one := entry.(map[string]any)
				added = append(added, core.EnvVar{Name: one["name"].(string), Value: one["value"].(string)})
			}
		}
	}
	if len(data) == 0 || len(added) == 0 {
		t.Fatalf("data %v, variables %v", data, added)
	}
	for name, c := range map[string]Controller{"as it is in the bundle": newest(), "with the Subscription's variables": newest(added...)} {
		if flaws := flawsWith(c, data); flaws != nil {
			t.Errorf("%s: %v", name, flaws)
		}
	}
	// No key too few: each is one that the command line needs.
	for key := range data {
		without := map[string]string{}
		for other, value := range data {
			if other != key {
				without[other] = value
			}
		}
		if diff := cmp.Diff([]string{key}, flawsWith(newest(), without)); diff != "" {
			t.Errorf("without %s:\n%s", key, diff)
		}
	}
}

// TestTutorialsConfig: the ConfigMap that the tutorial's script makes ends every
// current version, for three reasons: two keys are missing, and a tag has no "=".
func TestTutorialsConfig(t *testing.T) {
	data := operator.SafeConfig("us-east-2")
	delete(data, "FEATURE_GATES")
	delete(data, "ENABLE_CARM")
	data["ACK_RESOURCE_TAGS"] = "rosa_cluster_ack"
	want := []string{"ENABLE_CARM", "FEATURE_GATES", "ACK_RESOURCE_TAGS"}
	if diff := cmp.Diff(want, flawsWith(newest(), data)); diff != "" {
		t.Error(diff)
	}
}
