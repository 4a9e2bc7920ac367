package check

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	frontendImage     = "quay.io/ostoylab/ostoy-frontend"
	microserviceImage = "quay.io/ostoylab/ostoy-microservice"
)

func digestOf(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

func deploymentOf(t *testing.T, name, image string, more ...string) *unstructured.Unstructured {
	t.Helper()
	init := ""
	if name == frontendName {
		init = "initContainers: [{name: wait-for-bucket, image: \"" + image + "\"}], "
	}
	return fromYAML(t, "{metadata: {name: "+name+"}, spec: {selector: {matchLabels: {app: "+name+"}}, template: {spec: {"+init+
		"containers: [{name: "+name+", image: \""+image+"\"}"+strings.Join(more, "")+"]}}}}")
}

func podWith(t *testing.T, name, imageID string) *unstructured.Unstructured {
	t.Helper()
	return fromYAML(t, "{metadata: {labels: {app: "+name+", pod-template-hash: abc}}, status: {containerStatuses: [{name: "+name+", imageID: \""+imageID+"\"}]}}")
}

func TestF10ImagesByTag(t *testing.T) {
	byTag := []*unstructured.Unstructured{
		deploymentOf(t, frontendName, frontendImage+":1.6.0"), deploymentOf(t, microserviceName, microserviceImage+":1.5.0"),
	}
	fixed := []*unstructured.Unstructured{
		deploymentOf(t, frontendName, frontendImage+"@"+digestOf("a")), deploymentOf(t, microserviceName, microserviceImage+":1.5.0@"+digestOf("b")),
	}
	running := []*unstructured.Unstructured{
		podWith(t, frontendName, frontendImage+"@"+digestOf("a")), podWith(t, microserviceName, "docker-pullable://"+microserviceImage+"@"+digestOf("b")),
	}
	const list = "oc get pods -n demo -l app.kubernetes.io/part-of=ostoy -o 'jsonpath={..imageID}'"
	set := func(frontend, microservice string) string {
		return "oc ostoy-s3 install -n demo --set frontend.image.digest=" + frontend + " --set microservice.image.digest=" + microservice
	}
	for name, c := range map[string]struct {
		deployments, pods []*unstructured.Unstructured
		status            Status
		says              []string
		silent            string
	}{
		"by digest":   {deployments: fixed, pods: running, status: Passed},
		"no app":      {deployments: []*unstructured.Unstructured{deploymentOf(t, "another", "x:1")}, status: Skipped, says: []string{"neither"}},
		"nothing":     {status: Skipped, says: []string{"neither"}},
		"by tag":      {deployments: byTag, pods: running, status: Warned, says: []string{frontendImage + ":1.6.0, " + microserviceImage + ":1.5.0", set(digestOf("a"), digestOf("b"))}, silent: "oc get pods"},
		"no pods":     {deployments: byTag, status: Warned, says: []string{list, set("sha256:DIGEST", "sha256:DIGEST")}},
		"one of both": {deployments: []*unstructured.Unstructured{fixed[0], byTag[1]}, pods: running, status: Warned, says: []string{"tag: " + microserviceImage + ":1.5.0", "--set microservice.image.digest=" + digestOf("b")}, silent: "frontend.image"},
		"a short digest": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, frontendImage+"@sha256:aa")}, status: Warned,
			says: []string{"@sha256:aa"},
		},
		"no tag, and a port": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, "localhost:5000/ostoy")},
			pods:        []*unstructured.Unstructured{podWith(t, frontendName, "localhost:5000/ostoy@"+digestOf("c"))},
			status:      Warned, says: []string{"frontend.image.digest=" + digestOf("c")},
		},
		"somebody's sidecar": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, frontendImage+"@"+digestOf("a"), ", {name: sidecar, image: \"sidecar:latest\"}"), fixed[1]},
			status:      Passed,
		},
		"pods of two digests": {
			deployments: byTag[:1], status: Warned, says: []string{list},
			pods: []*unstructured.Unstructured{podWith(t, frontendName, frontendImage+"@"+digestOf("a")), podWith(t, frontendName, frontendImage+"@"+digestOf("b"))},
		},
		"only the id of a stored image": {
			deployments: byTag[:1], status: Warned, says: []string{list}, silent: digestOf("a"),
			pods: []*unstructured.Unstructured{podWith(t, frontendName, digestOf("a"))},
		},
		"a digest of another repository": {
			deployments: byTag[:1], status: Warned, says: []string{list}, silent: digestOf("a"),
			pods: []*unstructured.Unstructured{podWith(t, frontendName, "quay.io/mallory/ostoy-frontend@"+digestOf("a"))},
		},
	} {
		finding := judgeImages("demo", c.deployments, c.pods)
		text := finding.What + "\n" + finding.Why + "\n" + finding.Next
		if finding.Status != c.status {
			t.Errorf("%s: %s, want %s\n%s", name, finding.Status, c.status, text)
		}
		for _, says := range c.says {
			if !strings.Contains(text, says) {
				t.Errorf("%s: it does not say %q:\n%s", name, says, text)
			}
		}
		if c.silent != "" && strings.Contains(text, c.silent) {
			t.Errorf("%s: it says %q:\n%s", name, c.silent, text)
		}
	}
}
