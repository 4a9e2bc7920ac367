package controller_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// helms installs a controller as Helm does, in another namespace, without waiting.
func (s *scene) helms(t *testing.T, manifests string) {
	t.Helper()
	definitions, err := filepath.Abs(filepath.Join("testdata", "s3-chart", "crds", "s3.services.k8s.aws_buckets.yaml"))
	must(t, err)
	s.Admin.Kubectl(t, "create", "-f", definitions, "--field-manager=helm").WantCode(t, 0)
	must(t, s.NewNamespace(t.Context(), "elsewhere"))
	must(t, s.Apply(t.Context(), manifests))
}

// helmsRuns does, and waits until it runs.
func (s *scene) helmsRuns(t *testing.T) {
	t.Helper()
	s.helms(t, helmController)
	eventually(t, "the controller runs", func(ctx context.Context) error {
		deployment, err := s.Client.AppsV1().Deployments("elsewhere").Get(ctx, "ack-s3-controller-s3-chart", metav1.GetOptions{})
		if err == nil && deployment.Status.AvailableReplicas != 1 {
			err = errors.New("it is not available")
		}
		return err
	})
}

// TestNotRunning: a controller that is not managed by ostoy-s3 and cannot start is
// told with its cause, and is no success.
func TestNotRunning(t *testing.T) {
	t.Parallel()
	s := begin(t)
	const variables = ", env: [{name: AWS_REGION, value: us-east-2}, "
	if !strings.Contains(helmController, variables) {
		t.Fatal("the manifests are others by now")
	}
	// It crashes: nothing tells it a region.
	s.helms(t, strings.Replace(helmController, variables, ", env: [", 1))
	eventually(t, "the controller crashes", s.waitsFor("CrashLoopBackOff"))
	const whose = "installed by Helm (deployment/ack-s3-controller-s3-chart -n elsewhere): not managed by ostoy-s3, and not available"
	wantEnd := func(result run.Result, says ...string) {
		t.Helper()
		result.WantCode(t, notReady).WantNoTalk(t, "it is used as it is").WantTalk(t, append(says, whose,
			"the ACK S3 controller, which is not managed by ostoy-s3, does not run (deployment/ack-s3-controller-s3-chart -n elsewhere)")...)
	}
	s.install(t, "--dry-run=server", "--allow-any-bucket").WantTalk(t, whose, "crashes: nothing tells it a region", "this was a dry run")
	wantEnd(s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--allow-any-bucket"), "crashes: nothing tells it a region", "AWS_REGION")

	// A ConfigMap is missing, so that its container is not even created.
	s.Admin.Kubectl(t, "-n", "elsewhere", "patch", "deployment", "ack-s3-controller-s3-chart", "--type=json", "-p",
		`[{"op":"add","path":"/spec/template/spec/containers/0/envFrom","value":[{"configMapRef":{"name":"missing"}}]}]`).WantCode(t, 0)
	eventually(t, "the ConfigMap is missed", s.waitsFor("CreateContainerConfigError"))
	wantEnd(s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--allow-any-bucket"), `configmap "missing" not found`)

	// It is scaled to 0.
	s.Admin.Kubectl(t, "-n", "elsewhere", "scale", "deployment", "ack-s3-controller-s3-chart", "--replicas=0").WantCode(t, 0)
	wantEnd(s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--allow-any-bucket"), "it is scaled to 0", "oc scale deployment/ack-s3-controller-s3-chart -n elsewhere --replicas=1")

	// It is repaired while install waits for it, or a moment before install looks.
	must(t, s.Apply(t.Context(), `apiVersion: v1
kind: ConfigMap
metadata: {name: missing, namespace: elsewhere}
data: {AWS_REGION: us-east-2}
`))
	s.Admin.Kubectl(t, "-n", "elsewhere", "scale", "deployment", "ack-s3-controller-s3-chart", "--replicas=1").WantCode(t, 0)
	repaired := s.install(t, "--allow-any-bucket")
	if !strings.Contains(repaired.Stderr, "1 of 1 available") && !strings.Contains(repaired.Stderr, "it is used as it is") {
		t.Errorf("%s", repaired)
	}
	s.install(t).WantTalk(t, "it is used as it is", "nothing to change")
}

// waitsFor: the container of a pod of theirs waits for this reason.
func (s *scene) waitsFor(reason string) func(context.Context) error {
	return func(ctx context.Context) error {
		pods, err := s.Client.CoreV1().Pods("elsewhere").List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, pod := range pods.Items {
			for _, c := range pod.Status.ContainerStatuses {
				if c.State.Waiting != nil && c.State.Waiting.Reason == reason {
					return nil
				}
			}
		}
		return errors.New("no container waits for " + reason)
	}
}
