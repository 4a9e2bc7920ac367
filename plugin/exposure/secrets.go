package exposure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// ExpectedSecrets are the Secrets without which a pod does not start and that
// are not among the objects: the keys wanted, by name of the Secret. They are
// somebody else's to bring (secrets.existing=true).
func ExpectedSecrets(objects []*unstructured.Unstructured) map[string][]string {
	wanted := map[string][]string{}
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			template, _, _ := unstructured.NestedMap(object.Object, "spec", "template", "spec")
			secretsIn(wanted, template)
		}
	}
	for _, object := range objects {
		if object.GetKind() == "Secret" {
			delete(wanted, object.GetName())
		}
	}
	return wanted
}

// secretsIn finds every reference to a Secret below a value: volumes (secret with
// secretName) and variables (secretKeyRef with name and key).
func secretsIn(wanted map[string][]string, value any) {
	switch value := value.(type) {
	case []any:
		for _, inner := range value {
			secretsIn(wanted, inner)
		}
	case map[string]any:
		for field, inner := range value {
			reference, _ := inner.(map[string]any)
			name, _ := reference["secretName"].(string)
			if field == "secretKeyRef" || field == "secretRef" {
				name, _ = reference["name"].(string)
			}
			known := slices.Contains([]string{"secret", "secretKeyRef", "secretRef"}, field)
			if !known || name == "" || reference["optional"] == true {
				secretsIn(wanted, inner)
				continue
			}
			wanted[name] = slices.Clip(wanted[name])
			if key, _ := reference["key"].(string); key != "" && !slices.Contains(wanted[name], key) {
				wanted[name] = append(wanted[name], key)
			}
		}
	}
}

// SecretFlaws say which of the expected Secrets do not exist or lack a key, a clause for
// each: "Secret ostoy-secret is not there". They are no more than a warning, because who
// brings them may come later; of Secrets that cannot be read nothing is said.
func SecretFlaws(ctx context.Context, conn *cluster.Conn, namespace string, objects []*unstructured.Unstructured) []string {
	expected := ExpectedSecrets(objects)
	client := conn.Dynamic.Resource(kinds.Secret.GVR()).Namespace(namespace)
	var flaws []string
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		secret, err := client.Get(ctx, name, metav1.GetOptions{})
		if why := secretFlaw(secret, err, expected[name]); why != "" {
			flaws = append(flaws, "Secret "+name+" "+why)
		}
	}
	return flaws
}

// secretFlaw says what a Secret lacks, empty if nothing, or nobody can tell.
func secretFlaw(secret *unstructured.Unstructured, err error, keys []string) string {
	if apierrors.IsNotFound(err) {
		return "is not there"
	}
	if err != nil {
		return ""
	}
	data, _, _ := unstructured.NestedMap(secret.Object, "data")
	var missing []string
	for _, key := range keys {
		if _, there := data[key]; !there {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("has no key %s", strings.Join(missing, ", "))
}
