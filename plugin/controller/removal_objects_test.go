package controller

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

const ackSystem = "ack-system"

func testFacts() render.Facts {
	return render.Facts{
		Namespace: render.Fact{Value: ackSystem}, Issuer: render.Fact{Value: "https://oidc.example.com/1"},
		Account: render.Fact{Value: "123456789012"}, Partition: render.Fact{Value: "aws"}, Region: render.Fact{Value: "us-east-2"},
	}
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

// by has an object applied by a field manager.
func by(manager string, o *unstructured.Unstructured) *unstructured.Unstructured {
	o = o.DeepCopy()
	o.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationApply}})
	return o
}

func ours(o *unstructured.Unstructured) *unstructured.Unstructured { return by(apply.Manager, o) }

// inventoryOf is our record of some objects.
func inventoryOf(t *testing.T, objects []*unstructured.Unstructured) *unstructured.Unstructured {
	inventory := apply.Controller().ParseInventory(nil)
	inventory.RoleARN = render.RoleARN("aws", "123456789012", render.ControllerRolePath, render.ControllerRoleName(testFacts().Issuer.Value))
	inventory.Account = "123456789012"
	for _, o := range objects {
		inventory.Objects = append(inventory.Objects, apply.RefOf(o))
	}
	config := object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: ostoy-s3-controller, namespace: ack-system}}")
	data := map[string]any{}
	for key, value := range inventory.Data() {
		data[key] = value
	}
	config.Object["data"] = data
	return ours(config)
}

const podOf = `{apiVersion: v1, kind: Pod, metadata: {name: NAME-1, namespace: ack-system, labels: {of: NAME, app: NAME, app.kubernetes.io/name: ack-s3-controller}, ownerReferences: [{kind: ReplicaSet, name: x, uid: y}]}, status: {phase: Running, conditions: [{type: Ready, status: "True"}]}}`

const deploymentOf = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME, namespace: ack-system}, spec: {selector: {matchLabels: {app: NAME}}, template: {metadata: {labels: {app: NAME}}, spec: {containers: [{name: controller, image: "public.ecr.aws/aws-controllers-k8s/s3-controller:1.13.0"}]}}}}`

func named(t *testing.T, text, name string) *unstructured.Unstructured {
	return object(t, strings.ReplaceAll(text, "NAME", name))
}

// inCluster is what there is in every world: the definition, and what a namespace
// is given.
func inCluster(t *testing.T) []*unstructured.Unstructured {
	return []*unstructured.Unstructured{
		object(t, "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: buckets.s3.services.k8s.aws}}"),
		object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: kube-root-ca.crt, namespace: ack-system}}"),
		object(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: ack-system}}"),
	}
}

func ourNamespace(t *testing.T) *unstructured.Unstructured {
	return ours(object(t, "{apiVersion: v1, kind: Namespace, metadata: {name: ack-system}}"))
}

// accessObjects are the admission policy, its binding and the ClusterRoles.
func accessObjects() []*unstructured.Unstructured {
	return operator.Access(testFacts(), true, []string{"system:serviceaccount:ack-system:ack-s3-controller"})
}

// byOLM is a cluster whose controller this tool had OLM install.
func byOLM(t *testing.T) []*unstructured.Unstructured {
	objects, err := operator.Objects(testFacts(), operator.Options{
		RoleARN: "arn:aws:iam::123456789012:role/ostoy-s3/x", Catalog: "community-operators", CatalogNamespace: "openshift-marketplace",
		StartingCSV: "ack-s3-controller.v1.13.0", OperatorGroup: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	objects = append(objects, accessObjects()...)
	all := append(inCluster(t), ourNamespace(t), inventoryOf(t, objects))
	for _, o := range objects {
		all = append(all, ours(o))
	}
	deployment := named(t, deploymentOf, "ack-s3-controller")
	deployment.SetLabels(map[string]string{"olm.owner": "ack-s3-controller.v1.13.0"})
	deployment.SetOwnerReferences([]metav1.OwnerReference{{Kind: "ClusterServiceVersion", Name: "ack-s3-controller.v1.13.0", UID: "csv"}})
	return append(all, deployment, named(t, podOf, "ack-s3-controller"), version(t))
}

func version(t *testing.T) *unstructured.Unstructured {
	return object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, metadata: {name: ack-s3-controller.v1.13.0, namespace: ack-system}}")
}

// byChart is a cluster whose controller an earlier version installed from ACK's chart.
func byChart(t *testing.T) []*unstructured.Unstructured {
	objects := append(accessObjects(),
		named(t, deploymentOf, "ack-s3-controller-s3-chart"),
		object(t, "{apiVersion: v1, kind: Service, metadata: {name: ack-s3-metrics, namespace: ack-system}}"),
		object(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: ack-s3-controller, namespace: ack-system}}"),
		object(t, "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: ack-s3-controller}}"),
		object(t, "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: ack-s3-controller}}"))
	shared := object(t, "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: fieldexports.services.k8s.aws}}")
	all := append(inCluster(t), ourNamespace(t), named(t, podOf, "ack-s3-controller-s3-chart"), inventoryOf(t, append(objects, shared)))
	for _, o := range append(objects, shared) {
		all = append(all, ours(o))
	}
	return all
}

// byHelm is a cluster without OLM, in which Helm installed a controller for the role that
// this tool created.
func byHelm(t *testing.T) []*unstructured.Unstructured {
	deployment := named(t, deploymentOf, "ack-s3-controller-s3-chart")
	deployment.SetLabels(map[string]string{"app.kubernetes.io/managed-by": "Helm"})
	deployment.SetAnnotations(map[string]string{"meta.helm.sh/release-name": "ack-s3-controller", "meta.helm.sh/release-namespace": ackSystem})
	if err := unstructured.SetNestedField(deployment.Object, operator.ServiceAccount, "spec", "template", "spec", "serviceAccountName"); err != nil {
		t.Fatal(err)
	}
	account := object(t, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: ack-s3-controller, namespace: ack-system, labels: {app.kubernetes.io/managed-by: Helm}}}")
	all := append(inCluster(t), ourNamespace(t), inventoryOf(t, accessObjects()), deployment, account, named(t, podOf, "ack-s3-controller-s3-chart"))
	return append(all, ourRights()...)
}

func bucketNamed(t *testing.T, name string, finalizers ...string) *unstructured.Unstructured {
	b := object(t, "{apiVersion: s3.services.k8s.aws/v1alpha1, kind: Bucket, metadata: {name: "+name+", namespace: demo}, spec: {name: "+name+"}}")
	b.SetFinalizers(finalizers)
	return b
}

// withRole gives the world the controller's role.
func (w *world) withRole() *world {
	w.role = &fakeRole{
		world: w, name: render.ControllerRoleName(testFacts().Issuer.Value), tags: render.OwnershipTags(testFacts()), there: true, inline: true,
	}
	return w
}

// plan is one process's look at the world.
func (w *world) plan(ctx context.Context, options RemovalOptions) (*Removal, error) {
	w.connect()
	if err := MayLookToRemove(ctx, w.conn, ackSystem); err != nil {
		return nil, err
	}
	found, err := Look(ctx, &live.World{Conn: w.conn, Namespace: ackSystem})
	if err != nil {
		return nil, err
	}
	going, err := PlanRemoval(ctx, found, options)
	if err != nil || w.role == nil || !going.NeedsRole() {
		return going, err
	}
	return going, going.PlanRole(ctx, testFacts(), w.role)
}

// run is one process.
func (w *world) run(ctx context.Context, options RemovalOptions) (*Removal, error) {
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	w.mu.Lock()
	w.kill = kill
	w.mu.Unlock()
	going, err := w.plan(ctx, options)
	if err != nil {
		return going, err
	}
	return going, going.Execute(ctx, func(health.State) {})
}

// parts are the objects of a fate.
func parts(r *Removal, fate removal.Fate) string {
	var names []string
	for _, p := range r.Lines() {
		if p.Fate == fate {
			names = append(names, p.Object)
		}
	}
	return strings.Join(names, "\n")
}
