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

// renderedOf is a Deployment as the chart renders it.
func renderedOf(t *testing.T, name, image string) *unstructured.Unstructured {
	t.Helper()
	object := deploymentOf(t, name, image)
	object.SetAPIVersion("apps/v1")
	object.SetKind("Deployment")
	return object
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
		return "add to the values and flags of your install: --set frontend.image.digest=" + frontend + " --set microservice.image.digest=" + microservice
	}
	rendered := []*unstructured.Unstructured{
		renderedOf(t, frontendName, frontendImage+":1.6.0"), renderedOf(t, microserviceName, microserviceImage+":1.5.0"),
	}
	for name, c := range map[string]struct {
		deployments, pods []*unstructured.Unstructured
		rendered          []*unstructured.Unstructured // nil: those above
		status            Status
		says              []string
		silent            string
	}{
		"by digest":   {deployments: fixed, pods: running, status: Passed},
		"no app":      {deployments: []*unstructured.Unstructured{deploymentOf(t, "another", "x:1")}, status: Skipped, says: []string{"neither"}},
		"nothing":     {status: Skipped, says: []string{"neither"}},
		"by tag":      {deployments: byTag, pods: running, status: Warned, says: []string{frontendImage + ":1.6.0, " + microserviceImage + ":1.5.0", set(digestOf("a"), digestOf("b"))}, silent: "oc get pods"},
		"no pods":     {deployments: byTag, status: Warned, says: []string{list, set("sha256:DIGEST", "sha256:DIGEST")}},
		"one of both": {deployments: []*unstructured.Unstructured{fixed[0], byTag[1]}, pods: running, status: Warned, says: []string{"digest: " + microserviceImage + ":1.5.0", "--set microservice.image.digest=" + digestOf("b")}, silent: "frontend.image"},
		"a short digest": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, frontendImage+"@sha256:aa")}, status: Warned,
			says: []string{"@sha256:aa"},
		},
		"no tag, and a port": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, "localhost:5000/ostoy")},
			pods:        []*unstructured.Unstructured{podWith(t, frontendName, "localhost:5000/ostoy@"+digestOf("c"))},
			rendered:    []*unstructured.Unstructured{renderedOf(t, frontendName, "localhost:5000/ostoy@"+digestOf("d"))},
			status:      Warned, says: []string{"frontend.image.digest=" + digestOf("c")},
		},
		"another digest": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, frontendImage+"@sha512:"+strings.Repeat("a", 128))}, status: Warned,
			says: []string{"not named by a SHA-256 digest: " + frontendImage + "@sha512:", "accept SHA-256 digests only"}, silent: " tag",
		},
		"an editor's image": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, "evil.example.com/x:1.6.0")},
			pods:        []*unstructured.Unstructured{podWith(t, frontendName, "evil.example.com/x@"+digestOf("e"))},
			status:      Warned, says: []string{list, "frontend.image.digest=sha256:DIGEST"}, silent: digestOf("e"),
		},
		"a mirror, as the values say": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, "mirror.example.com/x:1.6.0")},
			pods:        []*unstructured.Unstructured{podWith(t, frontendName, "mirror.example.com/x@"+digestOf("e"))},
			rendered:    []*unstructured.Unstructured{renderedOf(t, frontendName, "mirror.example.com/x:1.6.0")},
			status:      Warned, says: []string{"frontend.image.digest=" + digestOf("e")}, silent: "oc get pods",
		},
		"an editor's image, and a pod of the chart's": {
			deployments: []*unstructured.Unstructured{deploymentOf(t, frontendName, "evil.example.com/x:1.6.0")}, pods: running,
			status: Warned, says: []string{list}, silent: digestOf("a"),
		},
		"nothing rendered": {
			deployments: byTag, pods: running, rendered: []*unstructured.Unstructured{},
			status: Warned, says: []string{list, set("sha256:DIGEST", "sha256:DIGEST")},
		},
		"a sidecar": {
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
		if c.rendered == nil {
			c.rendered = rendered
		}
		finding := judgeImages("demo", c.deployments, c.pods, c.rendered)
		text := finding.What + "\n" + finding.Why + "\n" + finding.Next
		if strings.Contains(text, "oc ostoy-s3 install") {
			t.Errorf("%s: a command without the other values of the install:\n%s", name, text)
		}
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

// TestF10ImagesAsRendered: the check is given what the values render.
func TestF10ImagesAsRendered(t *testing.T) {
	now := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	finding := newStage(t, now).findings(t.Context(), now)["app-image-mutable"]
	if !strings.Contains(finding.Next, "frontend.image.digest=sha256:0123456789abcdef") {
		t.Errorf("%+v", finding)
	}
}
