package render

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// The waves of somebody else's objects: what others need to be there comes
// first, and all of them before the app's.
const (
	waveDefinitions = -5 // Namespaces and kinds of objects
	waveRights      = -3 // ServiceAccounts, ConfigMaps, RBAC
	waveRest        = -2
)

// Objects renders the chart as `helm template RELEASE` would in the namespace
// of the Facts, whose Kubernetes version and API groups it may ask about, and
// returns the objects in apply order. What differs from Helm:
//
//   - what is in its folder crds comes along, as with --include-crds;
//   - hooks and tests (helm.sh/hook) are left out: nobody would run them;
//   - an object that names no namespace gets that of the Facts, unless its kind
//     is one of the whole cluster's; one that is, gets none;
//   - app.kubernetes.io/managed-by is ostoy-s3 where the chart writes Helm,
//     because there is no Helm release that anybody could look for;
//   - each has a wave (WaveAnnotation), in place of any that the chart gives it.
//
// values are laid over the chart's own and must fit its values.schema.json.
// Errors are *InputError: they name --chart, or what of the Facts does not fit.
func (c *Foreign) Objects(f Facts, release string, values map[string]any) ([]*unstructured.Unstructured, error) {
	values, err := plainValues(values)
	if err != nil {
		return nil, c.fault(err)
	}
	manifests, err := renderForeign(c.files, f, release, values)
	if err != nil {
		return nil, c.fault(err)
	}
	var objects []*unstructured.Unstructured
	for _, manifest := range manifests {
		decoded, err := decodeForeign(manifest.data)
		if err != nil {
			return nil, c.fault(fmt.Errorf("%s: %w", manifest.name, err))
		}
		objects = append(objects, decoded...)
	}
	global := ownClusterKinds(objects)
	for _, object := range objects {
		settle(object, f.Namespace.Value, global)
	}
	Sort(objects)
	return objects, nil
}

// fault names the chart where it is the chart's.
func (c *Foreign) fault(err error) error {
	told := (*InputError)(nil)
	if errors.As(err, &told) {
		return err
	}
	worded := chartFault(err)
	if errors.As(worded, &told) {
		told.What = "--chart (" + c.name + " " + c.version + ")"
	}
	return worded
}

// plainValues gives values the types that values from a file have, which
// templates and schemas expect; whole numbers stay whole.
func plainValues(values map[string]any) (map[string]any, error) {
	plain := map[string]any{}
	if len(values) == 0 {
		return plain, nil
	}
	text, err := json.Marshal(values)
	if err == nil {
		err = utiljson.Unmarshal(text, &plain)
	}
	return plain, err
}

// decodeForeign reads the objects of one manifest and checks what everything
// after it relies on.
func decodeForeign(data []byte) ([]*unstructured.Unstructured, error) {
	decoded, err := Decode(data)
	if err != nil {
		return nil, errors.New(yamlFault(err))
	}
	var objects []*unstructured.Unstructured
	for _, object := range decoded {
		members := []*unstructured.Unstructured{object}
		if object.IsList() {
			members = nil
			if err := eachItem(object, func(item *unstructured.Unstructured) { members = append(members, item) }); err != nil {
				return nil, err
			}
		}
		for _, member := range members {
			hook, err := inspect(member)
			if err != nil {
				return nil, err
			}
			if !hook {
				objects = append(objects, member)
			}
		}
	}
	return objects, nil
}

func eachItem(list *unstructured.Unstructured, visit func(*unstructured.Unstructured)) error {
	items, _ := list.Object["items"].([]any)
	for _, item := range items {
		object, ok := item.(map[string]any)
		if !ok {
			return errors.New("a list holds something that is not an object")
		}
		visit(&unstructured.Unstructured{Object: object})
	}
	return nil
}

// inspect checks that an object is one, and reports whether it is a hook.
func inspect(object *unstructured.Unstructured) (hook bool, err error) {
	if object.GetKind() == "" || object.GetAPIVersion() == "" || object.GetName() == "" {
		return false, errors.New("an object lacks apiVersion, kind or metadata.name")
	}
	named := object.GetKind() + " " + quote(object.GetName())
	if _, err := schema.ParseGroupVersion(object.GetAPIVersion()); err != nil {
		return false, fmt.Errorf("%s: its apiVersion is not GROUP/VERSION", named)
	}
	for _, field := range []string{"labels", "annotations"} {
		// Null is what a template leaves that has nothing to put there.
		if value, _, _ := unstructured.NestedFieldNoCopy(object.Object, "metadata", field); value == nil {
			unstructured.RemoveNestedField(object.Object, "metadata", field)
		}
		if _, _, err := unstructured.NestedStringMap(object.Object, "metadata", field); err != nil {
			return false, fmt.Errorf("%s: metadata.%s must hold strings: a number or true has to be quoted", named, field)
		}
	}
	_, hook = object.GetAnnotations()["helm.sh/hook"]
	return hook, nil
}

// settle puts an object in its place: namespace, owner, wave.
func settle(object *unstructured.Unstructured, namespace string, global map[schema.GroupKind]bool) {
	kind := object.GroupVersionKind().GroupKind()
	switch {
	case global[kind] || clusterScoped(kind):
		unstructured.RemoveNestedField(object.Object, "metadata", "namespace")
	case object.GetNamespace() == "":
		object.SetNamespace(namespace)
	}
	disown(object.Object)
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations = maps.Clone(annotations)
	annotations[WaveAnnotation] = strconv.Itoa(foreignWave(kind))
	object.SetAnnotations(annotations)
}

func foreignWave(kind schema.GroupKind) int {
	switch kind {
	case schema.GroupKind{Kind: "Namespace"}, schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		return waveDefinitions
	case schema.GroupKind{Kind: "ServiceAccount"}, schema.GroupKind{Kind: "ConfigMap"}:
		return waveRights
	}
	if kind.Group == "rbac.authorization.k8s.io" {
		return waveRights
	}
	return waveRest
}

// disown puts our name where the chart writes Helm's as the manager. It looks
// everywhere, because pod templates carry the label and selectors may ask for it.
func disown(value any) {
	switch v := value.(type) {
	case map[string]any:
		if v[TagManagedBy] == "Helm" {
			v[TagManagedBy] = ManagedBy
		}
		for _, inner := range v {
			disown(inner)
		}
	case []any:
		for _, inner := range v {
			disown(inner)
		}
	}
}

// clusterScoped knows the kinds that stand in no namespace, of those that
// charts bring.
func clusterScoped(kind schema.GroupKind) bool {
	kinds := map[string][]string{
		"":                             {"Namespace", "Node", "PersistentVolume"},
		"admissionregistration.k8s.io": {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"},
		"apiextensions.k8s.io":         {"CustomResourceDefinition"},
		"apiregistration.k8s.io":       {"APIService"},
		"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
		"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
		"networking.k8s.io":            {"IngressClass"},
		"node.k8s.io":                  {"RuntimeClass"},
		"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
		"scheduling.k8s.io":            {"PriorityClass"},
		"security.openshift.io":        {"SecurityContextConstraints"},
		"storage.k8s.io":               {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"},
	}
	return slices.Contains(kinds[kind.Group], kind.Kind)
}

// ownClusterKinds are the kinds without a namespace that the chart itself defines.
func ownClusterKinds(objects []*unstructured.Unstructured) map[schema.GroupKind]bool {
	global := map[schema.GroupKind]bool{}
	for _, object := range objects {
		if object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		group, _, _ := unstructured.NestedString(object.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(object.Object, "spec", "names", "kind")
		scope, _, _ := unstructured.NestedString(object.Object, "spec", "scope")
		global[schema.GroupKind{Group: group, Kind: kind}] = scope == "Cluster"
	}
	return global
}
