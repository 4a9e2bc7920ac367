package ack

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Names that OLM's bundle and ACK's chart (s3-chart) give.
const (
	Package = operator.Package // in OperatorHub
	// UserConfig is the ConfigMap that an OLM install takes its settings from.
	UserConfig = operator.UserConfig

	serviceAccount = operator.ServiceAccount
)

// Installer is who installed a controller.
type Installer string

// The installers that can be told.
const (
	OLM       Installer = "OLM"
	Helm      Installer = "Helm"
	Manifests Installer = "manifests" // somebody's own
)

// By is the installer as the end of "installed by".
func (i Installer) By() string {
	if i == Manifests {
		return "somebody's manifests"
	}
	return string(i)
}

// Lister lists the objects of a resource in a namespace ("" for the whole
// cluster) that a label selector chooses.
type Lister interface {
	List(ctx context.Context, resource schema.GroupVersionResource, namespace, selector string) ([]*unstructured.Unstructured, error)
}

// Controller is a Deployment that looks like the ACK S3 controller. Every editor of a
// project can create one: package live proves which of them are.
type Controller struct {
	apps.Deployment
	Installer Installer
	// Container is the controller's own among those of the pod.
	Container core.Container
	// Version is major, minor and patch; nil where neither image nor labels tell.
	Version []int
}

// FindLabelled looks for what may be a controller among the Deployments of the whole
// cluster that have the labels of OLM and of ACK's chart. If you are not allowed to list
// Deployments in all projects, the error is the server's refusal.
func FindLabelled(ctx context.Context, from Lister) ([]Controller, error) {
	return find(ctx, from, labelled)
}

// FindAll is FindLabelled among all Deployments, by image or service account.
func FindAll(ctx context.Context, from Lister) ([]Controller, error) { return find(ctx, from, "") }

func find(ctx context.Context, from Lister, selector string) ([]Controller, error) {
	list, err := from.List(ctx, kinds.Deployment.GVR(), "", selector)
	if err != nil {
		return nil, err
	}
	var found []Controller
	for _, object := range list {
		if c, ok := ControllerOf(object); ok {
			found = append(found, c)
		}
	}
	return found, nil
}

// IsController reports whether an object is a Deployment of the controller.
func IsController(object *unstructured.Unstructured) bool {
	_, is := ControllerOf(object)
	return is && object.GetKind() == "Deployment"
}

// ControllerOf reads a Deployment of the controller; false where it is none. It is one
// if an image or the service account says so: a mirror changes the registry, not the
// last part of an image's name.
func ControllerOf(object *unstructured.Unstructured) (Controller, bool) {
	c := Controller{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &c.Deployment); err != nil {
		return c, false
	}
	pod := c.Spec.Template.Spec
	at := slices.IndexFunc(pod.Containers, func(one core.Container) bool { return imageIsController(one.Image) })
	if at < 0 && (pod.ServiceAccountName == serviceAccount || c.Spec.Template.Labels["app.kubernetes.io/name"] == Package) {
		at = max(0, slices.IndexFunc(pod.Containers, func(one core.Container) bool { return one.Name == "controller" }))
	}
	if at < 0 || at >= len(pod.Containers) {
		return c, false
	}
	c.Container = pod.Containers[at]
	c.Installer = installerOf(c.Labels, c.Annotations)
	c.Version = c.version()
	return c, true
}

func imageIsController(image string) bool {
	name := image[strings.LastIndex(image, "/")+1:]
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ":")
	return strings.HasSuffix(name, "s3-controller")
}

func installerOf(labels, annotations map[string]string) Installer {
	switch {
	case labels["olm.owner"] != "" || labels["olm.managed"] != "":
		return OLM
	case labels["app.kubernetes.io/managed-by"] == "Helm" || annotations["meta.helm.sh/release-name"] != "":
		return Helm
	}
	return Manifests
}

// version goes by the image's tag, by OLM's name for the operator's version, by
// the label of the chart: a mirrored image may have no tag.
func (c Controller) version() []int {
	tag := c.Container.Image[strings.LastIndex(c.Container.Image, "/")+1:]
	for _, text := range []string{tag, c.Labels["olm.owner"], c.Labels["app.kubernetes.io/version"]} {
		match := regexp.MustCompile(`(?:^|[:v])(\d+)\.(\d+)\.(\d+)`).FindStringSubmatch(text)
		if match == nil {
			continue
		}
		numbers := make([]int, 0, len(match)-1)
		for _, digits := range match[1:] {
			n, err := strconv.Atoi(digits)
			if err != nil {
				return nil
			}
			numbers = append(numbers, n)
		}
		return numbers
	}
	return nil
}

// Older reports whether the version is known and below another.
func (c Controller) Older(than ...int) bool {
	return c.Version != nil && slices.Compare(c.Version, than) < 0
}

// VersionText is the version as people write it, "" where it is not known.
func (c Controller) VersionText() string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(c.Version), "[]"), " ", ".")
}

// String names the Deployment as an argument of oc and kubectl.
func (c Controller) String() string { return "deployment/" + c.Name + " -n " + c.Namespace }

// Same reports whether another is the same Deployment.
func (c Controller) Same(other Controller) bool {
	return c.Name == other.Name && c.Namespace == other.Namespace
}

// Words are String as words of a command.
func (c Controller) Words() []string { return []string{"deployment/" + c.Name, "-n", c.Namespace} }

// Restart is what to type to have its pods recreated.
func (c Controller) Restart() string { return advice.Command("oc rollout restart", c.Words()...) }

// Account is the service account of its pods.
func (c Controller) Account() string {
	return cmp.Or(c.Spec.Template.Spec.ServiceAccountName, "default")
}

// Replicas is how many pods are asked for.
func (c Controller) Replicas() int32 {
	if c.Spec.Replicas == nil {
		return 1
	}
	return *c.Spec.Replicas
}

// Pod is a controller's pod, and the object it was read from.
type Pod struct {
	core.Pod
	Object *unstructured.Unstructured
}

// Pods are its pods that are to live, as one request lists them.
func (c Controller) Pods(ctx context.Context, from Lister) ([]Pod, error) {
	selector := metav1.FormatLabelSelector(c.Spec.Selector)
	list, err := from.List(ctx, kinds.Pod.GVR(), c.Namespace, selector)
	if err != nil {
		return nil, err
	}
	return PodsOf(list)
}

// PodsOf are those of some pods that are to live.
func PodsOf(list []*unstructured.Unstructured) ([]Pod, error) {
	var pods []Pod
	for _, object := range list {
		pod := Pod{Object: object}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &pod.Pod); err != nil {
			return nil, err
		}
		if pod.DeletionTimestamp == nil && pod.Status.Phase != core.PodFailed && pod.Status.Phase != core.PodSucceeded {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// Ready reports whether the pod is ready.
func (p Pod) Ready() bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c core.PodCondition) bool {
		return c.Type == core.PodReady && c.Status == core.ConditionTrue
	})
}

// Crashes reports whether a container of the pod ends over and over.
func (p Pod) Crashes(container string) bool {
	return slices.ContainsFunc(p.Status.ContainerStatuses, func(c core.ContainerStatus) bool {
		waiting := c.State.Waiting != nil && c.State.Waiting.Reason == "CrashLoopBackOff"
		again := c.RestartCount > 1 && !c.Ready && (c.LastTerminationState.Terminated != nil || c.State.Terminated != nil)
		return c.Name == container && (waiting || again)
	})
}

// Variable is the value of an environment variable in the pod's own spec, where
// the webhook puts what it adds.
func (p Pod) Variable(container, name string) (value string, set bool) {
	for _, c := range p.Spec.Containers {
		for _, env := range c.Env {
			if c.Name == container && env.Name == name {
				return env.Value, true
			}
		}
	}
	return "", false
}
