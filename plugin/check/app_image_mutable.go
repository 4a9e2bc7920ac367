package check

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// imageValue is where a container's image comes from.
type imageValue struct {
	deployment string
	containers []string // those that have this image
	values     string   // the chart's values for it
}

// imageValues are the images of the chart. Containers that others added to a
// Deployment are not judged: no value of the chart changes their images.
func imageValues() []imageValue {
	return []imageValue{
		{frontendName, []string{frontendName, "wait-for-bucket"}, "frontend.image"},
		{microserviceName, []string{microserviceName}, "microservice.image"},
	}
}

// byDigest is the end of an image that is named by digest. The schema of the
// chart's values accepts SHA-256 only.
var byDigest = regexp.MustCompile(`@(sha256:[0-9a-f]{64})$`)

// byDigests wants the images of both Deployments named by digest.
func byDigests(ctx context.Context, a appLook) Finding {
	deployments, err := a.Here(ctx, kinds.Deployment.GVR())
	if err != nil {
		return unreadable(a.Conn, err, "list deployments in "+a.Namespace, "whether the images are named by digest")
	}
	pods, err := a.Here(ctx, kinds.Pod.GVR())
	if err != nil {
		pods = nil // app-available reports it; here only the digests are not known
	}
	return judgeImages(a.Namespace, deployments, pods, a.objects)
}

func judgeImages(namespace string, deployments, pods, rendered []*unstructured.Unstructured) Finding {
	var images, set []string
	known, some := true, false
	for _, value := range imageValues() {
		deployment := named(deployments, value.deployment)
		if deployment == nil {
			continue
		}
		some = true
		mutable := mutableImages(deployment, value.containers)
		if len(mutable) == 0 {
			continue
		}
		images = append(images, mutable...)
		digest := ""
		if repository := renderedRepository(rendered, value.deployment); repository != "" && repositoryOf(mutable[0]) == repository {
			digest = runningDigest(health.CurrentPods(deployment, pods), value.deployment, repository)
		}
		if digest == "" {
			known, digest = false, "sha256:DIGEST"
		}
		set = append(set, "--set", value.values+".digest="+digest)
	}
	switch {
	case !some:
		return Leave("neither Deployment " + frontendName + " nor " + microserviceName + " exists")
	case len(images) == 0:
		return Pass()
	}
	return Warn("images are not named by a SHA-256 digest: "+strings.Join(images, ", "), whyMutable(images), fixImages(namespace, set, known))
}

// whyMutable says what is wrong with images that are not named by a SHA-256 digest.
func whyMutable(images []string) string {
	if slices.ContainsFunc(images, func(image string) bool { return !strings.Contains(image, "@") }) {
		return "a tag can be moved to another image, so a pod that starts later can run other code with the same role"
	}
	return "the chart's values accept SHA-256 digests only, and this check does not know whether other digests are legal"
}

// fixImages is only what to add to an install: a whole command without the other values
// and flags of the install would change the rest of the app back to the defaults.
func fixImages(namespace string, set []string, known bool) string {
	add := "add to the values and flags of your install: " + advice.Words(set...)
	if known {
		return "to keep the images that run now, " + add
	}
	return "to list the digests that run now: " +
		advice.Command("oc get pods -n", namespace, "-l", "app.kubernetes.io/part-of=ostoy", "-o", "jsonpath={..imageID}") +
		"\nto use them, " + add
}

// renderedRepository is where the values take a Deployment's image from, "" if nothing
// could be rendered. The Deployment itself does not tell: editors of the project can
// change its image, and the chart adds the digest to the repository of the values.
func renderedRepository(rendered []*unstructured.Unstructured, name string) string {
	for _, object := range rendered {
		if object.GetKind() == "Deployment" && object.GetName() == name {
			return repositoryOf(imageOf(object, name))
		}
	}
	return ""
}

// repositoryOf is an image's name without tag and digest.
func repositoryOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		return image[:colon]
	}
	return image
}

// mutableImages are the images of some of a Deployment's containers that are not
// named by a SHA-256 digest, each once.
func mutableImages(deployment *unstructured.Unstructured, containers []string) []string {
	var found []string
	for _, name := range containers {
		image := imageOf(deployment, name)
		if image != "" && !slices.Contains(found, image) && !byDigest.MatchString(image) {
			found = append(found, image)
		}
	}
	return found
}

// imageOf is the image of a Deployment's container, "" if there is no such container.
func imageOf(deployment *unstructured.Unstructured, name string) string {
	for _, list := range []string{"containers", "initContainers"} {
		for _, container := range health.Maps(deployment.Object, "spec", "template", "spec", list) {
			if container["name"] == name {
				image, _ := container["image"].(string)
				return image
			}
		}
	}
	return ""
}

// runningDigest is the digest that a container's pods run, "" if it is not known or
// differs between them. The digest must be one of the repository: the kubelet reports
// NAME@sha256:..., and some runtimes only the id of an image that they store, which no
// registry knows.
func runningDigest(pods []*unstructured.Unstructured, container, repository string) string {
	digest := ""
	for _, pod := range pods {
		for _, status := range health.Maps(pod.Object, "status", "containerStatuses") {
			if status["name"] != container {
				continue
			}
			id, _ := status["imageID"].(string)
			found := byDigest.FindStringSubmatch(id)
			if found == nil || strings.TrimPrefix(strings.TrimSuffix(id, found[0]), "docker-pullable://") != repository {
				return ""
			}
			if digest != "" && digest != found[1] {
				return ""
			}
			digest = found[1]
		}
	}
	return digest
}
