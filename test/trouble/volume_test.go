package trouble_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// makeClass makes a storage class, named as the project, for which nobody provisions.
func makeClass(t *testing.T, bed *testbed.Bed, name string) []string {
	t.Helper()
	world.NewNamespace(t, bed, name)
	err := bed.Apply(t.Context(), "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: "+name+"}, provisioner: nobody.csi.example.com, volumeBindingMode: WaitForFirstConsumer}")
	if err != nil {
		t.Fatal(err)
	}
	return []string{"install", "-n", name, "--timeout", forEver, "-o", "json", "--set", "storage.storageClassName=" + name}
}

// claimOf is the claim of the app, once a pod was scheduled for which it is to be
// provisioned.
func claimOf(t *testing.T, bed *testbed.Bed, namespace string) (claim *corev1.PersistentVolumeClaim) {
	t.Helper()
	run.Eventually(t, "claim", func(ctx context.Context) (err error) {
		claim, err = bed.Client.CoreV1().PersistentVolumeClaims(namespace).Get(ctx, "ostoy-pvc", metav1.GetOptions{})
		if err == nil && claim.Annotations["volume.kubernetes.io/selected-node"] == "" {
			err = fmt.Errorf("no pod needs it yet")
		}
		return err
	})
	return claim
}

// complain reports an event about a claim, as its provisioner does.
func complain(t *testing.T, bed *testbed.Bed, claim *corev1.PersistentVolumeClaim, message string) {
	t.Helper()
	_, err := bed.Client.CoreV1().Events(claim.Namespace).Create(t.Context(), &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: claim.Name + ".", Namespace: claim.Namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
		Reason:         "ProvisioningFailed", Message: message, Type: corev1.EventTypeWarning, LastTimestamp: metav1.Now(),
		Source: corev1.EventSource{Component: "nobody.csi.example.com_ebs-csi-controller-0"},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// provision creates the volume of a claim.
func provision(t *testing.T, bed *testbed.Bed, claim *corev1.PersistentVolumeClaim) {
	t.Helper()
	_, err := bed.Client.CoreV1().PersistentVolumes().Create(t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: "pvc-" + string(claim.UID)},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes: claim.Spec.AccessModes, Capacity: claim.Spec.Resources.Requests, StorageClassName: *claim.Spec.StorageClassName,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			ClaimRef:                      &corev1.ObjectReference{APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: "nobody.csi.example.com", VolumeHandle: "vol-" + string(claim.UID)}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// TestVolumeThatIsLate: a storage class whose driver is not installed, and a driver that
// reports a failure, are shown in the words of the events. Either can pass: a driver is
// installed, a quota is raised.
func TestVolumeThatIsLate(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, c := range []struct{ namespace, event, says string }{
		{"volume-driver", "", "waiting for the provisioner nobody.csi.example.com: is it installed, and does it run? (ExternalProvisioning: Waiting for a volume to be created"},
		{
			"volume-quota", `failed to provision volume with StorageClass "volume-quota": rpc error: code = Internal desc = VolumeLimitExceeded: You have exceeded your maximum gp3 storage limit`,
			`no volume yet: ProvisioningFailed: failed to provision volume with StorageClass "volume-quota": rpc error: code = Internal desc = VolumeLimitExceeded`,
		},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			args, admin := makeClass(t, bed, c.namespace), run.Admin(bed)
			running := run.Begin(t, admin, args...)
			claim := claimOf(t, bed, c.namespace)
			if c.event != "" {
				complain(t, bed, claim, c.event)
			}
			running.Says(t, c.says)
			if c.event != "" {
				wantFinding(t, admin.Run(t, "check", "-n", c.namespace, "--only", "app-volume", "-o", "json"), message{"PersistentVolumeClaim ostoy-pvc is not ready", c.says, "oc describe pvc ostoy-pvc"})
			}
			provision(t, bed, claim)
			running.Ends(t).WantCode(t, done)
		})
	}
}

// TestVolumeThatNeverComes: a class that was deleted, and a policy of the organization that
// denies the driver its call, end the wait.
func TestVolumeThatNeverComes(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, c := range []struct {
		namespace string
		happens   func(*testing.T, *corev1.PersistentVolumeClaim)
		want      message
	}{
		{
			"volume-class", func(t *testing.T, claim *corev1.PersistentVolumeClaim) {
				if err := bed.Client.StorageV1().StorageClasses().Delete(t.Context(), claim.Namespace, metav1.DeleteOptions{}); err != nil {
					t.Fatal(err)
				}
			},
			message{"PersistentVolumeClaim ostoy-pvc will not become ready", `no volume yet: ProvisioningFailed: storageclass.storage.k8s.io "volume-class" not found`, "--set storage.storageClassName=NAME"},
		},
		{
			"volume-scp", func(t *testing.T, claim *corev1.PersistentVolumeClaim) {
				complain(t, bed, claim, `failed to provision volume with StorageClass "volume-scp": rpc error: code = Internal desc = Could not create volume in EC2: operation error EC2: CreateVolume, https response error StatusCode: 403, `+
					`api error UnauthorizedOperation: You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/ebs/x is not authorized to perform: ec2:CreateVolume on resource: `+
					`arn:aws:ec2:us-east-2:123456789012:volume/* with an explicit deny in a service control policy`)
			},
			message{"PersistentVolumeClaim ostoy-pvc will not become ready", "a policy of the AWS organization forbids it", "ask who administers the AWS organization to lift the deny of ec2:CreateVolume"},
		},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			running := run.Begin(t, run.Admin(bed), makeClass(t, bed, c.namespace)...)
			c.happens(t, claimOf(t, bed, c.namespace))
			wantGivenUp(t, running.Ends(t), c.namespace, "PersistentVolumeClaim ostoy-pvc", c.want)
		})
	}
}
