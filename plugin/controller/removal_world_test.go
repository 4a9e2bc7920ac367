package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/fake"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// world is a cluster and an IAM in memory: finalizers, preconditions, the garbage
// collector, OLM and the ACK controller are played, and what must never happen to
// it is remembered. Discovery comes from clustertest's server.
type world struct {
	t      *testing.T
	server *clustertest.Server
	client *fake.FakeDynamicClient
	conn   *cluster.Conn

	mu       sync.Mutex
	version  int
	writes   []string // "delete buckets demo/demo-bucket", "iam DeleteRole x"
	wrong    []string
	killAt   int // after so many writes nothing is answered any more; 0: never
	kill     context.CancelFunc
	refused  map[string]bool // "list buckets"
	unproven map[string]bool // user names that are not allowed what a controller does
	onWrite  func(write string)
	helm     bool // Helm's controller runs, which nothing here ends
	role     *fakeRole
	erased   map[schema.GroupVersionResource][]*unstructured.Unstructured
}

// served are all kinds of the world: "group/version/Kind/plural", cluster-scoped
// ones with an exclamation mark.
func served() []string {
	return []string{
		"/v1/Namespace/namespaces!", "/v1/Pod/pods", "/v1/ConfigMap/configmaps", "/v1/ServiceAccount/serviceaccounts", "/v1/Service/services",
		"apps/v1/Deployment/deployments",
		"rbac.authorization.k8s.io/v1/ClusterRole/clusterroles!", "rbac.authorization.k8s.io/v1/ClusterRoleBinding/clusterrolebindings!",
		"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy/validatingadmissionpolicies!",
		"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding/validatingadmissionpolicybindings!",
		"rbac.authorization.k8s.io/v1/Role/roles", "rbac.authorization.k8s.io/v1/RoleBinding/rolebindings",
		"apiextensions.k8s.io/v1/CustomResourceDefinition/customresourcedefinitions!",
		"s3.services.k8s.aws/v1alpha1/Bucket/buckets",
		"operators.coreos.com/v1/OperatorGroup/operatorgroups",
		"operators.coreos.com/v1alpha1/Subscription/subscriptions", "operators.coreos.com/v1alpha1/InstallPlan/installplans",
		"operators.coreos.com/v1alpha1/ClusterServiceVersion/clusterserviceversions",
		"authorization.k8s.io/v1/SubjectAccessReview/subjectaccessreviews!", "authorization.k8s.io/v1/SelfSubjectAccessReview/selfsubjectaccessreviews!", "authorization.k8s.io/v1/SelfSubjectRulesReview/selfsubjectrulesreviews!",
	}
}

func newWorld(t *testing.T, withOLM bool, objects ...*unstructured.Unstructured) *world {
	t.Helper()
	w := &world{t: t, refused: map[string]bool{}, unproven: map[string]bool{}, erased: map[schema.GroupVersionResource][]*unstructured.Unstructured{}}
	w.server = clustertest.New(t, "v1.33.0")
	lists := map[schema.GroupVersionResource]string{}
	old, named := &apidiscovery.APIGroupDiscoveryList{}, &apidiscovery.APIGroupDiscoveryList{}
	for _, entry := range served() {
		part := strings.Split(entry, "/")
		plural, inCluster := strings.CutSuffix(part[3], "!")
		lists[schema.GroupVersionResource{Group: part[0], Version: part[1], Resource: plural}] = part[2] + "List"
		if part[0] == olmGroup && !withOLM {
			continue
		}
		scope := apidiscovery.ScopeNamespace
		if inCluster {
			scope = apidiscovery.ScopeCluster
		}
		into := named
		if part[0] == "" {
			into = old
		}
		into.Items = append(into.Items, apidiscovery.APIGroupDiscovery{
			ObjectMeta: metav1.ObjectMeta{Name: part[0]},
			Versions: []apidiscovery.APIVersionDiscovery{{Version: part[1], Freshness: apidiscovery.DiscoveryFreshnessCurrent, Resources: []apidiscovery.APIResourceDiscovery{{
				Resource: plural, Scope: scope, Verbs: []string{"list", "get", "delete"},
				ResponseKind: &metav1.GroupVersionKind{Group: part[0], Version: part[1], Kind: part[2]},
			}}}},
		})
	}
	w.server.Discovery("GET /api", merged(old))
	w.server.Discovery("GET /apis", merged(named))
	w.client = fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists)
	for _, object := range objects {
		w.put(object)
	}
	w.client.PrependReactor("*", "*", w.react)
	w.client.PrependWatchReactor("*", w.watch)
	w.connect()
	return w
}

// merged joins the entries of one group and version.
func merged(list *apidiscovery.APIGroupDiscoveryList) *apidiscovery.APIGroupDiscoveryList {
	out := &apidiscovery.APIGroupDiscoveryList{}
	for _, item := range list.Items {
		at := slices.IndexFunc(out.Items, func(g apidiscovery.APIGroupDiscovery) bool { return g.Name == item.Name })
		if at < 0 {
			out.Items = append(out.Items, item)
			continue
		}
		group := &out.Items[at]
		version := slices.IndexFunc(group.Versions, func(v apidiscovery.APIVersionDiscovery) bool { return v.Version == item.Versions[0].Version })
		if version < 0 {
			group.Versions = append(group.Versions, item.Versions[0])
			continue
		}
		group.Versions[version].Resources = append(group.Versions[version].Resources, item.Versions[0].Resources...)
	}
	return out
}

// connect is a new process: it remembers nothing.
func (w *world) connect() {
	conn, err := cluster.Connect(w.server.Getter("default"), cluster.Options{})
	if err != nil {
		w.t.Fatal(err)
	}
	conn.Dynamic = w.client
	w.conn = conn
}

func resourceFor(object *unstructured.Unstructured) schema.GroupVersionResource {
	gvk := object.GroupVersionKind()
	plural := strings.ToLower(gvk.Kind) + "s"
	if stem, is := strings.CutSuffix(plural, "ys"); is {
		plural = stem + "ies"
	}
	return schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: plural}
}

func (w *world) put(object *unstructured.Unstructured) {
	w.t.Helper()
	w.mu.Lock()
	w.version++
	version := fmt.Sprint(w.version)
	w.mu.Unlock()
	object = object.DeepCopy()
	object.SetResourceVersion(version)
	if object.GetUID() == "" {
		object.SetUID(types.UID("uid-" + version))
	}
	if err := w.client.Tracker().Create(resourceFor(object), object, object.GetNamespace()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(resource schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	object, err := w.client.Tracker().Get(resource, namespace, name)
	if err != nil {
		return nil
	}
	return object.(*unstructured.Unstructured).DeepCopy()
}

func (w *world) all(resource schema.GroupVersionResource, kind, namespace string) []*unstructured.Unstructured {
	list, err := w.client.Tracker().List(resource, resource.GroupVersion().WithKind(kind), namespace)
	if err != nil {
		w.t.Error(err)
		return nil
	}
	var all []*unstructured.Unstructured
	items := list.(*unstructured.UnstructuredList).Items
	for i := range items {
		all = append(all, items[i].DeepCopy())
	}
	return all
}

func (w *world) buckets() []*unstructured.Unstructured {
	return w.all(kinds.Bucket.GVR(), "Bucket", "")
}

// everything that is left, as "Kind namespace/name".
func (w *world) everything() string {
	var names []string
	for _, entry := range served() {
		part := strings.Split(entry, "/")
		resource := schema.GroupVersionResource{Group: part[0], Version: part[1], Resource: strings.TrimSuffix(part[3], "!")}
		for _, object := range w.all(resource, part[2], "") {
			names = append(names, fmt.Sprintf("%s %s/%s %v", part[2], object.GetNamespace(), object.GetName(), object.GetFinalizers()))
		}
	}
	if w.role != nil && w.role.there {
		names = append(names, "role "+w.role.name)
	}
	slices.Sort(names)
	return strings.Join(names, "\n")
}

// write records one change; it is done, whether or not its maker lives to hear it.
func (w *world) write(text string) {
	w.mu.Lock()
	w.writes = append(w.writes, text)
	over, kill := w.killAt > 0 && len(w.writes) >= w.killAt, w.kill
	w.mu.Unlock()
	if over && kill != nil {
		kill()
	}
	if w.onWrite != nil {
		w.onWrite(text)
	}
}

// dieAfter has nothing answered any more after so many writes; 0: never.
func (w *world) dieAfter(writes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killAt = writes
}

func (w *world) dead() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.killAt > 0 && len(w.writes) >= w.killAt
}
