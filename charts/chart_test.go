package charts_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/strvals"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/charts"
)

const roleARN = "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-0011aabb"

// required are the values without which nothing is rendered.
func required() []string {
	return []string{"aws.region=us-east-2", "aws.roleARN=" + roleARN}
}

// input is one rendering of the chart.
type input struct {
	namespace string // demo, if empty
	apis      []string
	set       []string // like --set, on top of required
	bare      bool     // leave required out
}

// load reads the chart from the binary, as the renderer does.
func load(t *testing.T) *chart.Chart {
	t.Helper()
	var buffered []*loader.BufferedFile
	err := fs.WalkDir(charts.FS(), charts.OSToy, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(charts.FS(), name)
		buffered = append(buffered, &loader.BufferedFile{Name: strings.TrimPrefix(name, charts.OSToy+"/"), Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := loader.LoadFiles(buffered)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// tryRender renders the chart and returns the text of each template.
func tryRender(t *testing.T, in input) (map[string]string, error) {
	t.Helper()
	loaded := load(t)
	values := map[string]any{}
	if !in.bare {
		values["aws"] = map[string]any{"accountID": "123456789012"}
		for _, set := range required() {
			if err := strvals.ParseInto(set, values); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, set := range in.set {
		if err := strvals.ParseInto(set, values); err != nil {
			t.Fatalf("%s: %v", set, err)
		}
	}
	if in.namespace == "" {
		in.namespace = "demo"
	}
	release := chartutil.ReleaseOptions{Name: "any", Namespace: in.namespace, Revision: 7}
	version, err := chartutil.ParseKubeVersion("v1.33.4")
	if err != nil {
		t.Fatal(err)
	}
	merged, err := chartutil.ToRenderValues(loaded, values, release, &chartutil.Capabilities{
		KubeVersion: *version,
		APIVersions: in.apis,
	})
	if err != nil {
		return nil, err
	}
	return engine.Render(loaded, merged)
}

// objects is what was rendered, by "Kind name".
type objects map[string]*unstructured.Unstructured

// render renders and decodes; every object must be named once.
func render(t *testing.T, in input) objects {
	t.Helper()
	texts, err := tryRender(t, in)
	if err != nil {
		t.Fatal(err)
	}
	found := objects{}
	for name, text := range texts {
		if path.Ext(name) != ".yaml" {
			continue
		}
		for _, object := range decode(t, name, text) {
			key := object.GetKind() + " " + object.GetName()
			if found[key] != nil {
				t.Errorf("%s is rendered twice", key)
			}
			found[key] = object
		}
	}
	return found
}

func decode(t *testing.T, name, text string) []*unstructured.Unstructured {
	t.Helper()
	var decoded []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(text), 4096)
	for {
		object := map[string]any{}
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return decoded
		}
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if len(object) > 0 {
			decoded = append(decoded, &unstructured.Unstructured{Object: object})
		}
	}
}

// get returns the object, which must be there.
func (o objects) get(t *testing.T, key string) *unstructured.Unstructured {
	t.Helper()
	if o[key] == nil {
		t.Fatalf("no %s among %v", key, o.names())
	}
	return o[key]
}

func (o objects) names() []string { return slices.Sorted(maps.Keys(o)) }

// at follows a path of field names and list indexes into a decoded object.
func at(t *testing.T, node any, steps ...any) any {
	t.Helper()
	for i, step := range steps {
		switch s := step.(type) {
		case string:
			table, ok := node.(map[string]any)
			if !ok {
				t.Fatalf("%v: %T is no mapping", steps[:i], node)
			}
			node = table[s]
		case int:
			list, ok := node.([]any)
			if !ok || len(list) <= s {
				t.Fatalf("%v: no element %d in %v", steps[:i], s, node)
			}
			node = list[s]
		}
	}
	return node
}

// variants are renderings that between them use every template and branch.
func variants() map[string]input {
	return map[string]input{
		"plain":     {},
		"openshift": {apis: []string{"route.openshift.io/v1"}},
		"route":     {set: []string{"expose=route"}},
		"ingress":   {set: []string{"expose=ingress", "ingress.host=ostoy.example.com", "ingress.className=nginx", "ingress.annotations.a/b=c"}},
		"webhook":   {set: []string{"podIdentity=webhook"}},
		"no wait":   {set: []string{"waitForBucket.enabled=false"}},
		"scc":       {set: []string{"scc.restricted=true"}},
		"secrets":   {set: []string{"secrets.existing=true"}},
		"china":     {set: []string{"aws.partition=aws-cn", "aws.region=cn-north-1", "aws.roleARN=arn:aws-cn:iam::123456789012:role/x"}},
		"images":    {set: []string{"frontend.image.digest=sha256:" + strings.Repeat("a", 64), "microservice.image.tag=1.5.0-rc_1", "imagePullSecrets[0]=pull", "podSecurityContext.fsGroup=1001"}},
		"replicas":  {set: []string{"microservice.replicas=2"}},
		"number":    {namespace: "12345"},
		"egress":    {set: []string{"networkPolicy.egress=restricted", "networkPolicy.proxyPorts[0]=3128"}},
	}
}

// each runs a check on every variant.
func each(t *testing.T, check func(t *testing.T, found objects, in input)) {
	for name, in := range variants() {
		t.Run(name, func(t *testing.T) { check(t, render(t, in), in) })
	}
}
