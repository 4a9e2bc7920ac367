package operator

import (
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Waves, all before the app's: what the pod does not start without is there
// before OLM hears of the operator (FACTS 1.6, 8).
const (
	waveNamespace    = -4
	waveFurniture    = -3
	waveSubscription = -2
)

// Objects are what has OLM install the controller, in apply order: ServiceAccount,
// ConfigMap, Subscription, and, if the options ask for them, Namespace and
// OperatorGroup. Access is applied with them. The error is an *render.InputError that names
// the flag which gives what is missing.
//
// The Subscription asks for manual approval, so that OLM installs the version
// named and upgrades to no other by itself.
func Objects(f render.Facts, o Options) ([]*unstructured.Unstructured, error) {
	if err := Validate(f, o); err != nil {
		return nil, err
	}
	if err := o.validateCatalog(); err != nil {
		return nil, err
	}
	objects := []*unstructured.Unstructured{serviceAccount(f, o), userConfig(f), subscription(f, o)}
	if o.Namespace {
		objects = append(objects, newObject("v1", "Namespace", "", namespace(f), waveNamespace))
	}
	if o.OperatorGroup {
		objects = append(objects, operatorGroup(f))
	}
	render.Sort(objects)
	return objects, nil
}

// newObject is an object with our labels and its wave. in is its namespace, ""
// for none.
func newObject(apiVersion, kind, in, name string, wave int) *unstructured.Unstructured {
	metadata := map[string]any{
		"name":        name,
		"labels":      map[string]any{"app.kubernetes.io/managed-by": render.ManagedBy, "app.kubernetes.io/part-of": Package},
		"annotations": map[string]any{render.WaveAnnotation: strconv.Itoa(wave)},
	}
	if in != "" {
		metadata["namespace"] = in
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}}
}

// operatorGroup has operators in its namespace watch all namespaces, which is what
// an empty spec means (FACTS 1.6).
func operatorGroup(f render.Facts) *unstructured.Unstructured {
	group := newObject("operators.coreos.com/v1", "OperatorGroup", namespace(f), GroupName, waveFurniture)
	group.Object["spec"] = map[string]any{}
	return group
}

// serviceAccount has no labels: at every InstallPlan OLM drops those that its own
// bundle does not set (EnsureServiceAccount in its pkg/controller/operators/catalog),
// and a second run would find a difference.
func serviceAccount(f render.Facts, o Options) *unstructured.Unstructured {
	account := newObject("v1", "ServiceAccount", namespace(f), ServiceAccount, waveFurniture)
	unstructured.RemoveNestedField(account.Object, "metadata", "labels")
	all := account.Object["metadata"].(map[string]any)["annotations"].(map[string]any)
	for key, value := range annotations(f, o) {
		all[key] = value
	}
	return account
}

func userConfig(f render.Facts) *unstructured.Unstructured {
	data := map[string]any{}
	for key, value := range SafeConfig(f.Region.Value) {
		data[key] = value
	}
	config := newObject("v1", "ConfigMap", namespace(f), UserConfig, waveFurniture)
	config.Object["data"] = data
	return config
}

func subscription(f render.Facts, o Options) *unstructured.Unstructured {
	spec := map[string]any{
		"channel":             Channel,
		"name":                Package,
		"source":              o.Catalog,
		"sourceNamespace":     o.CatalogNamespace,
		"installPlanApproval": "Manual",
		"startingCSV":         o.StartingCSV,
	}
	if o.inPod() {
		spec["config"] = map[string]any{
			// The region too: a webhook that finds none in env puts in the cluster's,
			// which wins over the ConfigMap (FACTS 0.4).
			"env":          append(identityEnv(o), variable("AWS_REGION", f.Region.Value)),
			"volumes":      tokenVolumes(f),
			"volumeMounts": tokenMounts(),
		}
	}
	s := newObject("operators.coreos.com/v1alpha1", "Subscription", namespace(f), SubscriptionName, waveSubscription)
	s.Object["spec"] = spec
	return s
}
