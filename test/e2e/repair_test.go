package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testEditsPutBack: what people change by hand is put back by the next run,
// which says what it was, what it will be, and who changed it.
func testEditsPutBack(t *testing.T, bed *testbed.Bed) {
	const namespace = "edited"
	admin := installed(t, bed, namespace)
	before := specs(t, bed, namespace)
	editByHand(t, admin, namespace)
	detach := &iam.DeleteRolePolicyInput{RoleName: ptr(roleName(bed, namespace)), PolicyName: ptr("ostoy-s3")}
	if _, err := bed.IAM().DeleteRolePolicy(t.Context(), detach); err != nil {
		t.Fatal(err)
	}

	result := install(t, admin, "-n", namespace)
	result.WantTalk(t,
		"spec.publicAccessBlock.blockPublicPolicy: false → true   (changed by kubectl-edit)",
		"metadata.annotations[eks.amazonaws.com/role-arn]: arn:aws:iam::123456789012:role/other → "+roleARN(bed, namespace)+"   (changed by kubectl-annotate)",
		"image: example.com/other:1 → quay.io/ostoylab/ostoy-frontend:1.6.0   (changed by kubectl-set)",
		"1 more    Service ostoy-microservice-svc",
		"role      inline policy", "1 created, 3 updated")
	result.WantStdout(t, wantURL(bed, namespace))
	wantRole(t, bed, namespace, testbed.ClusterID)
	wantBucket(t, bed, namespace, testbed.ClusterID)
	wantSame(t, before, specs(t, bed, namespace))
	install(t, admin, "-n", namespace).WantTalk(t, "nothing to change")
}

// editByHand does what a curious learner does.
func editByHand(t *testing.T, admin run.User, namespace string) {
	t.Helper()
	for _, args := range [][]string{
		{"patch", "buckets.s3.services.k8s.aws", namespace + "-bucket", "--type=merge", "--field-manager=kubectl-edit", "-p", `{"spec":{"publicAccessBlock":{"blockPublicPolicy":false}}}`},
		{"annotate", "serviceaccount", "ostoy-sa", "--overwrite", "eks.amazonaws.com/role-arn=arn:aws:iam::123456789012:role/other"},
		{"set", "image", "deployment/ostoy-frontend", "ostoy-frontend=example.com/other:1"},
		{"delete", "service", "ostoy-microservice-svc"},
	} {
		admin.Kubectl(t, append(args, "-n", namespace)...).WantCode(t, 0)
	}
}

// testContradictionsPutBack: an edit that adds a field beside which the API server accepts
// nothing of what install applies is put back like any other.
func testContradictionsPutBack(t *testing.T, bed *testbed.Bed) {
	const namespace = "contradicted"
	admin := installed(t, bed, namespace)
	for _, patch := range []string{
		`{"spec":{"strategy":{"type":"RollingUpdate"}}}`,
		`{"spec":{"template":{"spec":{
			"volumes":[{"name":"tmp","emptyDir":null,"hostPath":{"path":"/x"}}],
			"containers":[{"name":"ostoy-frontend",
				"env":[{"name":"AWS_REGION","value":null,"valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],
				"livenessProbe":{"httpGet":null,"tcpSocket":{"port":8080}}}]}}}}`,
	} {
		admin.Kubectl(t, "patch", "deployment", "ostoy-frontend", "-n", namespace, "--type=strategic", "-p", patch).WantCode(t, 0)
	}
	install(t, admin, "-n", namespace).WantTalk(t, "1 updated",
		"spec.strategy.type: RollingUpdate → Recreate   (changed by kubectl-patch)",
		`spec.template.spec.volumes[tmp].hostPath: {"path":"/x","type":""} → (none)   (changed by kubectl-patch)`,
		"env[AWS_REGION].valueFrom", "livenessProbe.tcpSocket")
	strategy := field(t, liveObject(t, bed, deployments, namespace, "ostoy-frontend"), "spec", "strategy", "type")
	if strategy != "Recreate" {
		t.Errorf("the strategy is %s", strategy)
	}
	admin.Run(t, "diff", "-n", namespace).WantCode(t, 0)
	install(t, admin, "-n", namespace).WantTalk(t, "nothing to change")
}

func ptr(text string) *string { return &text }

// testRoutePruned: an object that the values leave out goes; and comes back.
func testRoutePruned(t *testing.T, bed *testbed.Bed) {
	const namespace = "unexposed"
	admin := installed(t, bed, namespace)
	result := install(t, admin, "-n", namespace, "--set", "expose=none")
	result.WantTalk(t, "Route ostoy-route   no longer wanted", "1 removed", "port-forward").WantStdout(t, "")
	wantGone(t, bed, routes, namespace, "ostoy-route")
	if text := inventoryObjects(t, bed, namespace); strings.Contains(text, "Route") {
		t.Errorf("the inventory still lists the Route:\n%s", text)
	}
	install(t, admin, "-n", namespace, "--set", "expose=none").WantTalk(t, "nothing to change")
	install(t, admin, "-n", namespace).WantTalk(t, "expose=none", "from the record", "nothing to change").WantStdout(t, "")
	install(t, admin, "-n", namespace, "--reset-values").WantStdout(t, wantURL(bed, namespace))
}

// testPruneOursOnly: an inventory is a hint. What it lists and the set does not
// goes if we applied it, and stays if somebody else made it.
func testPruneOursOnly(t *testing.T, bed *testbed.Bed) {
	const namespace = "listed"
	admin := installed(t, bed, namespace)
	const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: b}\n"
	for name, manager := range map[string]string{"ours": "ostoy-s3", "theirs": "kubectl"} {
		admin.Typing(strings.ReplaceAll(manifest, "NAME", name)).
			Kubectl(t, "apply", "--server-side", "--field-manager="+manager, "-n", namespace, "-f", "-").WantCode(t, 0)
	}
	list := inventoryObjects(t, bed, namespace) + "v1 ConfigMap ours\nv1 ConfigMap theirs\nv1 Namespace default\nv1 ConfigMap never-there\n"
	setInventoryObjects(t, bed, namespace, list)

	result := install(t, admin, "-n", namespace)
	result.WantTalk(t, "ConfigMap ours   no longer wanted", "ConfigMap theirs   kept: it is not ours")
	wantGone(t, bed, configMaps, namespace, "ours")
	if have := field(t, liveObject(t, bed, configMaps, namespace, "theirs"), "data", "a"); have != "b" {
		t.Errorf("the foreign ConfigMap holds %q", have)
	}
	if text := inventoryObjects(t, bed, namespace); strings.Contains(text, "ours") || strings.Contains(text, "never-there") || strings.Contains(text, "Namespace") {
		t.Errorf("the inventory lists what is gone or never was:\n%s", text)
	}
}

// testDataKept: Bucket and volume claim are data. Ours by every sign, listed
// and no longer wanted, they stay and are named.
func testDataKept(t *testing.T, bed *testbed.Bed) {
	const namespace = "kept"
	admin := installed(t, bed, namespace)
	const claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: old-pvc}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n---\n"
	const bucket = "apiVersion: s3.services.k8s.aws/v1alpha1\nkind: Bucket\nmetadata: {name: old-bucket}\nspec: {name: kept-old-bucket}\n"
	admin.Typing(claim+bucket).Kubectl(t, "apply", "--server-side", "--field-manager=ostoy-s3", "-n", namespace, "-f", "-").WantCode(t, 0)
	setInventoryObjects(t, bed, namespace, inventoryObjects(t, bed, namespace)+
		"v1 PersistentVolumeClaim old-pvc\ns3.services.k8s.aws/v1alpha1 Bucket old-bucket\n")

	result := install(t, admin, "-n", namespace)
	result.WantTalk(t, "PersistentVolumeClaim old-pvc", "Bucket old-bucket", "kept", "it is data")
	liveObject(t, bed, claims, namespace, "old-pvc")
	liveObject(t, bed, buckets, namespace, "old-bucket")

	var document installDocument
	install(t, admin, "-n", namespace, "-o", "json").JSON(t, &document)
	if kept := strings.Join(document.Kept, ", "); kept != "Bucket old-bucket, PersistentVolumeClaim old-pvc" && kept != "PersistentVolumeClaim old-pvc, Bucket old-bucket" {
		t.Errorf("kept: %s", kept)
	}
}

func inventoryObjects(t *testing.T, bed *testbed.Bed, namespace string) string {
	t.Helper()
	return field(t, liveObject(t, bed, configMaps, namespace, "ostoy-s3"), "data", "objects")
}

// setInventoryObjects edits the inventory as a user would.
func setInventoryObjects(t *testing.T, bed *testbed.Bed, namespace, text string) {
	t.Helper()
	maps := bed.Client.CoreV1().ConfigMaps(namespace)
	inventory, err := maps.Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	inventory.Data["objects"] = text
	if _, err := maps.Update(t.Context(), inventory, metav1.UpdateOptions{FieldManager: "kubectl-edit"}); err != nil {
		t.Fatal(err)
	}
}
