package check_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func appFaults() []fault {
	return append(workloadFaults(), reachFaults()...)
}

// appWideFaults take from everybody what every app may use.
func appWideFaults() []fault {
	return []fault{{check: "app-scc", says: "restricted-v2 -z ostoy-sa", make: func(t *testing.T, s *scene) {
		const name = "system:openshift:scc:restricted-v2"
		bindings := s.Client.RbacV1().ClusterRoleBindings()
		was, err := bindings.Get(t.Context(), name, metav1.GetOptions{})
		must(t, err)
		must(t, bindings.Delete(t.Context(), name, metav1.DeleteOptions{}))
		t.Cleanup(func() {
			again := &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: was.RoleRef, Subjects: was.Subjects}
			_, err := bindings.Create(context.WithoutCancel(t.Context()), again, metav1.CreateOptions{})
			must(t, err)
		})
	}}}
}

func workloadFaults() []fault {
	fail := func(way, message string) func(*testing.T, *scene) {
		return func(t *testing.T, s *scene) {
			must(t, s.FailPods(t.Context(), s.Namespace, way, message))
			s.renew(t)
		}
	}
	slowVolume := []string{"--set", "storage.storageClassName=slow"}
	return []fault{
		{check: "installed", bare: true, make: func(t *testing.T, s *scene) {
			must(t, s.NewNamespace(t.Context(), s.Namespace))
		}},
		{check: "app-objects", says: "ConfigMap ostoy-configmap-files", make: byHand("configmap", "ostoy-configmap-files")},
		{check: "app-objects", says: "2 objects of the app not found: Secret ostoy-secret", make: byHand("secret", "ostoy-secret", "ostoy-secret-env")},
		{check: "app-objects", says: "Service ostoy-microservice-svc", admin: true, make: byHand("service", "ostoy-microservice-svc")},
		{check: "app-objects", says: "Route ostoy-route", make: byHand("route", "ostoy-route")},
		{check: "app-available", says: "there is no Deployment ostoy-frontend", admin: true, make: byHand("deployment", "ostoy-frontend", "ostoy-microservice")},
		{check: "app-strategy", says: "scaled down to 0", status: "warning", make: func(t *testing.T, s *scene) {
			s.kubectl(t, "scale", "deployment", "ostoy-frontend", "--replicas=0")
		}},
		{check: "app-available", says: "quay.io/ostoylab/ostoy-frontend", make: fail(testbed.FailImage, "")},
		{check: "app-available", says: "cannot be pulled", admin: true, make: fail(testbed.FailImage, "")},
		{check: "app-image-mutable", status: "warning", says: "images are not named by a SHA-256 digest: quay.io/ostoylab/ostoy-frontend:1.6.0, quay.io/ostoylab/ostoy-microservice:1.5.0"},
		{check: "app-image-mutable", status: "warning", says: "oc get pods -n", admin: true},
		{
			check: "app-available", says: "AccessDenied from AssumeRoleWithWebIdentity", admin: true,
			make: fail(testbed.FailInit, "AccessDenied from AssumeRoleWithWebIdentity arn:aws:iam::123456789012:role/x: Not authorized to perform sts:AssumeRoleWithWebIdentity (for 60 s)."),
		},
		{check: "app-scc", says: "unable to validate against any security context constraint", make: func(t *testing.T, s *scene) {
			s.refusePods(t, "unable to validate against any security context constraint: [spec.containers[0].securityContext.capabilities.drop: Required value]")
			// Pods go on being made until the rule is in force.
			s.renew(t)
			s.refused(t)
		}},
		{check: "app-volume", says: "out of disks", bare: true, flags: slowVolume, make: func(t *testing.T, s *scene) {
			must(t, s.Apply(t.Context(), `{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: slow}, provisioner: example.com/nobody, volumeBindingMode: WaitForFirstConsumer}`))
			s.User.Run(t, append([]string{"install", "--new-project=" + s.Namespace, "--wait=false"}, slowVolume...)...).WantCode(t, 0)
			s.complain(t, "PersistentVolumeClaim", "ostoy-pvc", "out of disks")
		}},
		{check: "app-available", says: "OOMKilled", make: func(t *testing.T, s *scene) {
			for _, pod := range s.pods(t, "ostoy-frontend") {
				s.status(t, "pod", pod, `{"conditions":[{"type":"Ready","status":"False"}],"containerStatuses":[{"name":"ostoy-frontend","image":"x","imageID":"x","ready":false,"restartCount":5,
					"state":{"waiting":{"reason":"CrashLoopBackOff"}},"lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled"}}}]}`)
			}
		}},
		{check: "app-available", says: "oc rollout resume", make: func(t *testing.T, s *scene) {
			s.patch(t, "deployment", "ostoy-microservice", `{"spec":{"paused":true,"template":{"metadata":{"annotations":{"by":"hand"}}}}}`)
		}},
		{check: "app-available", says: "there is no Deployment ostoy-microservice", admin: true, make: func(t *testing.T, s *scene) {
			s.kubectl(t, "delete", "deployment", "ostoy-microservice")
		}},
		{check: "app-strategy", status: "warning", says: "RollingUpdate", make: func(t *testing.T, s *scene) {
			s.patch(t, "deployment", "ostoy-frontend", `{"spec":{"strategy":{"type":"RollingUpdate"}}}`)
		}},
		{check: "app-started-early", make: missBucket},
		{check: "app-started-early", admin: true, make: missBucket},
	}
}

// byHand deletes objects of one kind by hand.
func byHand(kind string, names ...string) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) { s.kubectl(t, append([]string{"delete", kind}, names...)...) }
}

// complain writes the event by which a controller tells of an object of the
// project that it has trouble with.
func (s *scene) complain(t *testing.T, kind, name, message string) {
	t.Helper()
	_, err := s.Client.CoreV1().Events(s.Namespace).Create(t.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: "trouble-", Namespace: s.Namespace},
		InvolvedObject: corev1.ObjectReference{Kind: kind, Name: name, Namespace: s.Namespace},
		Type:           corev1.EventTypeWarning, Reason: "ProvisioningFailed", Message: message, LastTimestamp: metav1.Now(),
	}, metav1.CreateOptions{})
	must(t, err)
}

// refused waits until a pod of the frontend was refused.
func (s *scene) refused(t *testing.T) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		deployment, err := s.Client.AppsV1().Deployments(s.Namespace).Get(ctx, "ostoy-frontend", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range deployment.Status.Conditions {
			if condition.Type == "ReplicaFailure" {
				return nil
			}
		}
		err = s.Client.CoreV1().Pods(s.Namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "app=ostoy-frontend"})
		return errors.Join(errors.New("no pod was refused yet"), err)
	})
}

// missBucket has OSToy log what it does when it starts before its bucket.
func missBucket(t *testing.T, s *scene) {
	for _, pod := range s.pods(t, "ostoy-frontend") {
		path := filepath.Join(s.Dir, "pod-logs", s.Namespace+"_"+pod+".log")
		eventually(t, func(context.Context) error { _, err := os.Stat(path); return err })
		must(t, os.WriteFile(path, []byte("2026-01-02T03:04:05.000000000Z stdout F ACK feature disabled. "+s.bucket()+" not found.\n"), 0o644))
	}
}

func reachFaults() []fault {
	return []fault{
		{check: "service-endpoints", says: "no=body", make: func(t *testing.T, s *scene) {
			s.patch(t, "service", "ostoy-frontend-svc", `{"spec":{"selector":{"no":"body"}}}`)
		}},
		{check: "route-admitted", says: "HostAlreadyClaimed", admin: true, make: func(t *testing.T, s *scene) {
			s.status(t, "route", "ostoy-route", `{"ingress":[{"routerName":"default","conditions":[{"type":"Admitted","status":"False","reason":"HostAlreadyClaimed","message":"route ostoy-route already exposes it"}]}]}`)
		}},
		{check: "route-tls", status: "warning", says: "redirected", make: func(t *testing.T, s *scene) {
			s.patch(t, "route", "ostoy-route", `{"spec":{"tls":{"termination":"edge","insecureEdgeTerminationPolicy":"Redirect"}}}`)
		}},
	}
}
