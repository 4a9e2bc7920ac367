package render

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestF12EveryContainer looks for pods in every object of every golden file, so
// that a container, a Job or a hook that is added later is judged, too.
func TestF12EveryContainer(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("golden files %v: %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		pods := 0
		for _, object := range objects {
			for _, problem := range keepsNode(object.Object) {
				t.Errorf("%s: %s %s: %s", filepath.Base(file), object.GetKind(), object.GetName(), problem)
			}
			for _, spec := range podSpecs(object.Object) {
				pods++
				for _, problem := range notHardened(spec) {
					t.Errorf("%s: %s %s: %s", filepath.Base(file), object.GetKind(), object.GetName(), problem)
				}
			}
		}
		if pods < 2 {
			t.Errorf("%s: %d pods found, want the frontend's and the microservice's", filepath.Base(file), pods)
		}
	}
}

// podSpecs are the mappings, at any depth, that have containers.
func podSpecs(node any) []map[string]any {
	var found []map[string]any
	switch node := node.(type) {
	case map[string]any:
		if _, ok := node["containers"].([]any); ok {
			found = append(found, node)
		}
		for _, member := range node {
			found = append(found, podSpecs(member)...)
		}
	case []any:
		for _, member := range node {
			found = append(found, podSpecs(member)...)
		}
	}
	return found
}

// keepsNode lists the emptyDirs of a workload's pod template because of which the
// cluster autoscaler would keep the node (its FAQ, "What types of pods can prevent CA
// from removing a node?").
func keepsNode(workload map[string]any) []string {
	template, found, _ := unstructured.NestedMap(workload, "spec", "template")
	if !found {
		return nil
	}
	const annotation = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
	names, _, _ := unstructured.NestedString(template, "metadata", "annotations", annotation)
	var problems []string
	volumes, _, _ := unstructured.NestedSlice(template, "spec", "volumes")
	for _, volume := range volumes {
		volume, _ := volume.(map[string]any)
		name, _ := volume["name"].(string)
		if volume["emptyDir"] != nil && !slices.Contains(strings.Split(names, ","), name) {
			problems = append(problems, "the cluster autoscaler keeps the node because of the volume "+name)
		}
	}
	return problems
}

// notHardened lists what is missing in a pod's spec.
func notHardened(spec map[string]any) []string {
	var problems []string
	if spec["automountServiceAccountToken"] != false {
		problems = append(problems, "the API server's token is mounted")
	}
	for _, list := range []string{"initContainers", "containers"} {
		members, _ := spec[list].([]any)
		for _, member := range members {
			c, _ := member.(map[string]any)
			name, _ := c["name"].(string)
			if readOnly, _, _ := unstructured.NestedBool(c, "securityContext", "readOnlyRootFilesystem"); !readOnly {
				problems = append(problems, name+" can write to its root filesystem")
			}
			if !mountsTmp(spec, c) {
				problems = append(problems, name+" has no emptyDir with a limit at /tmp")
			}
			for _, kind := range []string{"requests", "limits"} {
				if text, _, _ := unstructured.NestedString(c, "resources", kind, "ephemeral-storage"); text == "" {
					problems = append(problems, name+" has no ephemeral-storage in "+kind)
				}
			}
		}
	}
	volumes, _ := spec["volumes"].([]any)
	for _, volume := range volumes {
		if seconds, given := tokenSeconds(volume); given && seconds != 3600 {
			problems = append(problems, "a token is not for one hour")
		}
	}
	return problems
}

func mountsTmp(spec, container map[string]any) bool {
	mounts, _ := container["volumeMounts"].([]any)
	volumes, _ := spec["volumes"].([]any)
	for _, mount := range mounts {
		mount, _ := mount.(map[string]any)
		for _, volume := range volumes {
			volume, _ := volume.(map[string]any)
			limit, _, _ := unstructured.NestedString(volume, "emptyDir", "sizeLimit")
			if mount["mountPath"] == "/tmp" && mount["name"] == volume["name"] && limit != "" {
				return true
			}
		}
	}
	return false
}

// tokenSeconds is the lifetime of the token in a volume.
func tokenSeconds(volume any) (int64, bool) {
	v, _ := volume.(map[string]any)
	sources, found, _ := unstructured.NestedSlice(v, "projected", "sources")
	if !found || len(sources) == 0 {
		return 0, false
	}
	source, _ := sources[0].(map[string]any)
	seconds, _, _ := unstructured.NestedInt64(source, "serviceAccountToken", "expirationSeconds")
	return seconds, true
}

// TestF12NotHardenedFires: the test itself must be able to fail.
func TestF12NotHardenedFires(t *testing.T) {
	good := func() map[string]any {
		for _, object := range objectsOf(t, rosa(), Options{}) {
			if object.GetName() == "ostoy-frontend" && object.GetKind() == "Deployment" {
				return podSpecs(object.Object)[0]
			}
		}
		return nil
	}
	if problems := notHardened(good()); len(problems) > 0 {
		t.Fatal(problems)
	}
	first := func(spec map[string]any, list string) map[string]any {
		return spec[list].([]any)[0].(map[string]any)
	}
	for name, spoil := range map[string]func(spec map[string]any){
		"automount":      func(spec map[string]any) { delete(spec, "automountServiceAccountToken") },
		"root":           func(spec map[string]any) { delete(first(spec, "containers"), "securityContext") },
		"root of init":   func(spec map[string]any) { delete(first(spec, "initContainers"), "securityContext") },
		"limits of init": func(spec map[string]any) { delete(first(spec, "initContainers"), "resources") },
		"mounts":         func(spec map[string]any) { delete(first(spec, "containers"), "volumeMounts") },
		"volumes":        func(spec map[string]any) { delete(spec, "volumes") },
	} {
		spec := good()
		spoil(spec)
		if len(notHardened(spec)) == 0 {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

// TestF12KeepsNodeFires: as above, for the annotation.
func TestF12KeepsNodeFires(t *testing.T) {
	for _, object := range objectsOf(t, rosa(), Options{}) {
		if object.GetKind() != "Deployment" {
			continue
		}
		if problems := keepsNode(object.Object); len(problems) > 0 {
			t.Error(problems)
		}
		unstructured.RemoveNestedField(object.Object, "spec", "template", "metadata", "annotations")
		if len(keepsNode(object.Object)) == 0 {
			t.Errorf("%s: a missing annotation goes unnoticed", object.GetName())
		}
	}
}

// TestF12PolicyIsDecided: the values that are printed say whether there are
// policies: Helm alone may not know that the cluster serves Routes.
func TestF12PolicyIsDecided(t *testing.T) {
	kubernetes := demoFacts(PlatformKubernetes, "us-east-2", "https://issuer.example.com")
	for name, c := range map[string]struct {
		facts Facts
		set   []string
		want  string
	}{
		"OpenShift":                        {rosa(), nil, "restricted"},
		"taken away":                       {rosa(), []string{"networkPolicy=null"}, "restricted"},
		"one taken away":                   {rosa(), []string{"networkPolicy.ingress=null"}, "restricted"},
		"open by hand":                     {rosa(), []string{"networkPolicy.ingress=open"}, "open"},
		"Kubernetes":                       {kubernetes, nil, "open"},
		"restricted by hand":               {kubernetes, []string{"networkPolicy.ingress=restricted"}, "restricted"},
		"Ingress of OpenShift's class":     {rosa(), []string{"expose=ingress,ingress.className=openshift-default"}, "restricted"},
		"Ingress without a class":          {rosa(), []string{"expose=ingress"}, "restricted"},
		"Ingress of another class":         {rosa(), []string{"expose=ingress,ingress.className=nginx"}, "open"},
		"restricted, of another class":     {rosa(), []string{"expose=ingress,ingress.className=nginx,networkPolicy.ingress=restricted"}, "restricted"},
		"another class by the annotation":  {rosa(), []string{"expose=ingress", `ingress.annotations.kubernetes\.io/ingress\.class=nginx`}, "open"},
		"another class, not exposed by it": {rosa(), []string{"expose=route,ingress.className=nginx"}, "restricted"},
	} {
		renderer, err := New()
		if err != nil {
			t.Fatal(err)
		}
		values, err := renderer.Values(c.facts, withRole(c.facts, Options{Set: c.set}))
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := unstructured.NestedString(values, "networkPolicy", "ingress"); got != c.want {
			t.Errorf("%s: networkPolicy.ingress is %q, want %q", name, got, c.want)
		}
		policies := 0
		for _, object := range objectsOf(t, c.facts, Options{Set: c.set}) {
			if object.GetKind() == "NetworkPolicy" {
				policies++
			}
		}
		if (policies == 2) != (c.want == "restricted") {
			t.Errorf("%s: %d policies", name, policies)
		}
	}
}
